"""What an environment refuses before anything is synthesised."""

import dataclasses
from pathlib import Path

import pytest

from stacks.environment import ContextFault, Environment, RateLimits, SqliteIndex
from stacks.environments import read_environment


@pytest.fixture(scope="module")
def prod() -> Environment:
    return read_environment({"stage": "prod"}.get)


def test_sqlite_is_refused_outside_local(prod: Environment) -> None:
    with pytest.raises(ContextFault, match="functions on AWS share no disk"):
        dataclasses.replace(prod, index=SqliteIndex(Path("/index")))


def test_sqlite_is_taken_for_local(prod: Environment) -> None:
    local = dataclasses.replace(prod, stage="local", index=SqliteIndex(Path("/index")))

    assert local.index == SqliteIndex(Path("/index"))


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({}, "give the stage: -c stage=local|dev|prod"),
        ({"stage": "local"}, "stage local needs -c cache_endpoint=..., for example -c cache_endpoint="),
        ({"stage": "local", "cache_endpoint": "127.0.0.1:6379"}, "stage local needs -c index_dir=..."),
        ({"stage": "local", "cache_endpoint": "6379", "index_dir": "/i"}, "-c cache_endpoint is host:port"),
        (
            {"stage": "local", "cache_endpoint": "127.0.0.1:6379", "index_dir": "index"},
            "-c index_dir is an absolute path",
        ),
        ({"stage": "dev", "rate_limits": "10"}, "-c rate_limits is off or LOGINS/SEARCHES a minute"),
        (
            {"stage": "local", "cache_endpoint": "h:1", "index_dir": "/i", "ocr_packages": "here"},
            "-c ocr_packages is an absolute path",
        ),
        ({"stage": "dev", "page_mail": "a@x.org,b"}, "'b' is none of them"),
        ({"stage": "dev", "page_https": "http://x.org"}, "-c page_https is a list like https://"),
        ({"stage": "dev", "allowed_origins": "https://x.org/"}, "-c allowed_origins is a list like"),
    ],
)
def test_a_wrong_context_is_answered_with_the_right_one(context: dict[str, str], message: str) -> None:
    with pytest.raises(ContextFault) as fault:
        read_environment(context.get)

    assert message in str(fault.value)


UNLIMITED = RateLimits(
    logins_per_minute=0, searches_per_minute=0, refreshes_per_minute=0, ratings_per_minute=0
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, RateLimits(logins_per_minute=10, searches_per_minute=60)),
        ("off", UNLIMITED),
        ("5/600", RateLimits(logins_per_minute=5, searches_per_minute=600)),
    ],
)
def test_rate_limits_come_from_the_context(text: str | None, expected: RateLimits) -> None:
    assert read_environment({"stage": "dev", "rate_limits": text}.get).rate_limits == expected


def test_no_difference_between_stages_has_a_default() -> None:
    fields = dataclasses.fields(Environment)

    assert [field.name for field in fields if field.default is not dataclasses.MISSING] == []
    assert [field.name for field in fields if field.default_factory is not dataclasses.MISSING] == []


def test_no_stack_asks_for_the_stage_by_name() -> None:
    stacks = Path(__file__).resolve().parents[2] / "stacks"

    offenders = [
        path.name
        for path in stacks.rglob("*.py")
        if path.name not in {"environment.py", "environments.py"}
        and any(f'"{stage}"' in path.read_text() for stage in ("local", "dev", "prod"))
    ]

    assert offenders == []


def test_physical_names_carry_the_stage(prod: Environment) -> None:
    assert prod.name_of("search") == "haylift-prod-search"
