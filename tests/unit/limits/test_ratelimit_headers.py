"""What the headers of a limit say, and that they say it once."""

import pytest
from fastapi import FastAPI, Request
from haylift.http import create_app
from haylift.http.ratelimit import RateLimitHeaders, admitting_route, limit_headers, require_allowance
from haylift.ports.limits import Allowance, Limit

from tests.fakes.gateway import Gateway, RecordedTelemetry

REFUSED = Allowance(
    limit=Limit(requests=10), is_allowed=False, remaining=0, reset_after_s=0.01, retry_after_s=0.01
)


def limited_app(allowance: Allowance) -> FastAPI:
    app = create_app("test", RecordedTelemetry())
    app.add_middleware(RateLimitHeaders)

    async def admit(request: Request) -> None:
        require_allowance(request, "login", allowance)

    async def answer(number: int) -> dict[str, int]:
        return {"number": number}

    route = admitting_route(admit)
    app.router.add_api_route("/limited/{number}", answer, methods=["POST"], route_class_override=route)
    return app


def test_times_are_rounded_up_so_that_a_client_never_comes_too_early() -> None:
    headers = limit_headers("login", REFUSED)

    assert headers == {
        "RateLimit-Policy": '"login";q=10;w=60',
        "RateLimit": '"login";r=0;t=1',
        "RateLimit-Limit": "10",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "1",
        "Retry-After": "1",
    }


def test_a_refusal_says_when_to_come_back_and_says_it_once() -> None:
    answer = Gateway(limited_app(REFUSED)).request("POST", "/limited/7")

    assert (answer.status, answer.json()["code"]) == (429, "too_many_requests")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["ratelimit"] == '"login";r=0;t=1'


@pytest.mark.parametrize(("path", "status"), [("/limited/7", 200), ("/limited/x", 400)])
def test_good_and_bad_requests_are_told_what_is_left(path: str, status: int) -> None:
    left = Allowance(limit=Limit(requests=10), is_allowed=True, remaining=9, reset_after_s=60.0)

    answer = Gateway(limited_app(left)).request("POST", path)

    assert (answer.status, answer.headers["ratelimit-remaining"]) == (status, "9")
    assert "retry-after" not in answer.headers


def test_a_route_without_limit_says_nothing_of_one() -> None:
    answer = Gateway(limited_app(REFUSED)).request("POST", "/other")

    assert answer.status == 404
    assert not [name for name in answer.headers if name.startswith("ratelimit")]
