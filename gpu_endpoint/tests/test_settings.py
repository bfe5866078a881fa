"""Settings, and the two files that other projects read."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from haylift_endpoint.errors import StartupError
from haylift_endpoint.http.app import create_app
from haylift_endpoint.http.openapi import openapi
from haylift_endpoint.inference.hardware import BatchLimits, batch_limits, choose_device, usable_cores
from haylift_endpoint.publish import PROJECT, published
from haylift_endpoint.settings import Settings, load_settings
from tests.http_client import make_routes


def test_defaults_listen_on_this_machine_only() -> None:
    settings = load_settings({"PATH": "/bin"})

    assert (settings.host, settings.port, settings.role) == ("127.0.0.1", 8080, "embed")


def test_text_becomes_typed() -> None:
    settings = load_settings(
        {
            "HAYLIFT_ENDPOINT_MODELS": "a, b",
            "HAYLIFT_ENDPOINT_MODEL_PATHS": '{"a": "/models/a"}',
            "HAYLIFT_ENDPOINT_EXACT": "true",
            "HAYLIFT_ENDPOINT_MAX_BATCH_SIZE": "4",
        }
    )

    assert settings.models == ("a", "b")
    assert settings.model_paths == {"a": Path("/models/a")}
    assert batch_limits(settings, "cpu") == BatchLimits(max_items=1, max_tokens=512, max_padding_tokens=16)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "http"),
        ("ROLE", "generate"),
        ("MODELS", ","),
        ("MODEL_PATHS", "not json"),
        ("MAX_BATCH_SIZE", "0"),
        ("MAX_DEADLINE_MS", "60001"),
        ("MAX_BATCH_SIZ", "8"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(name: str, value: str) -> None:
    with pytest.raises(StartupError, match=f"HAYLIFT_ENDPOINT_{name}"):
        load_settings({f"HAYLIFT_ENDPOINT_{name}": value})


def test_cuda_is_not_claimed_where_there_is_none() -> None:
    with pytest.raises(StartupError, match="CUDA"):
        choose_device("cuda")
    assert choose_device("auto") == "cpu"


@pytest.mark.parametrize(("quota", "cores"), [("50000 100000", 1), ("100000 100000", 1)])
def test_a_containers_quota_bounds_the_threads(tmp_path: Path, quota: str, cores: int) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota)

    assert usable_cores(file) == cores
    assert usable_cores(tmp_path / "absent") >= 1


def stale_files(text_by_name: Mapping[str, str]) -> list[str]:
    """Published files that differ from `text_by_name`."""
    return [
        name for name, text in text_by_name.items() if (PROJECT / name).read_text(encoding="utf-8") != text
    ]


def test_published_files_are_current() -> None:
    assert stale_files(published()) == [], "run: python -m haylift_endpoint.publish"


def test_a_changed_setting_makes_the_published_file_stale() -> None:
    changed = {
        name: text.replace("max_inputs", "most_inputs").replace("MAX_INPUTS", "MOST_INPUTS")
        for name, text in published().items()
    }

    assert stale_files(changed) == ["settings.schema.json"]


def undocumented(routes: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Routes that the OpenAPI document lacks, or has too many."""
    documented = {(path, method.upper()) for path, item in openapi()["paths"].items() for method in item}
    return routes ^ documented


def served() -> set[tuple[str, str]]:
    return {
        (route.path, method)  # type: ignore[attr-defined]
        for route in create_app(make_routes(Settings())).routes
        for method in route.methods - {"HEAD"}  # type: ignore[attr-defined]
    }


def test_every_route_is_documented_and_every_documented_route_exists() -> None:
    assert undocumented(served()) == set()
    assert undocumented(served() | {("/v1/other", "GET")}) == {("/v1/other", "GET")}
    assert undocumented(served() - {("/ping", "GET")}) == {("/ping", "GET")}
