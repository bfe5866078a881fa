"""Which paths can be a resource's."""

import pytest

from local.emulator.gateway_paths import is_exact


@pytest.mark.parametrize("path", ["/", "/v1/search", "/v1/documents/a.b-c", "/v1/100%"])
def test_plain_paths_are_exact(path: str) -> None:
    assert is_exact(path, b"/_aws/execute-api/id/v" + path.replace("%", "%25").encode())


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("/v1/search/", b"/v1/search/"),
        ("/v1//search", b"/v1//search"),
        ("//", b"//"),
        ("/v1/search", b"/v1%2Fsearch"),
        ("/v1/search", b"/v1%2fsearch"),
    ],
)
def test_empty_segments_and_encoded_slashes_are_not(path: str, raw: bytes) -> None:
    assert not is_exact(path, raw)
