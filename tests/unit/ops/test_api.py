"""What a refusal of the API is in a command's words."""

import httpx
import pytest

from ops.api import ApiClient
from ops.faults import ApiFault


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("Too many searches: try again in 18 s.", "Too many searches: try again in 18 s."),
        ("Too many searches.", "Too many searches. Try again in 18 s."),
    ],
)
def test_when_to_try_again_is_said_once(detail: str, shown: str) -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            429, json={"code": "too_many_requests", "detail": detail}, headers={"retry-after": "18"}
        )

    with (
        ApiClient("http://api.test", httpx.MockTransport(refuse)) as api,
        pytest.raises(ApiFault) as caught,
    ):
        api.get("/v1/documents")

    assert caught.value.detail == shown
