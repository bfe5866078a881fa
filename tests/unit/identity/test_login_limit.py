"""Logins are counted by the address of the connection, and by nothing that a caller writes."""

from dataclasses import replace

import pytest
from haylift.domain.errors import StoreUnavailable
from haylift.ports import Allowance, Limit
from haylift.services.login_limit import AddressLimit
from haylift.telemetry import Metric

from functions.auth.app import create_app
from tests.fakes.gateway import Gateway, RecordedTelemetry
from tests.fakes.identity import CountingHasher, SoftwareKms
from tests.unit.identity.auth_world import login, services
from tests.unit.trace.lines import written

SPOOFS = ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"]


def limited(kms: SoftwareKms, telemetry: RecordedTelemetry | None = None, per_minute: int = 3) -> Gateway:
    return Gateway(create_app(services(kms, telemetry or RecordedTelemetry(), per_minute)))


def test_a_refused_login_stands_at_the_hop_of_its_limit(kms: SoftwareKms) -> None:
    gateway = limited(kms, per_minute=1)
    login(gateway)

    with written() as lines:
        login(gateway)

    assert lines.hops("hop", "outcome") == [
        ("rate_limit", "too_many_requests"),
        ("function", "too_many_requests"),
    ]


def no_header_buys_a_login(gateway: Gateway) -> None:
    """The check: with a limit of 3, whatever the headers say, 3 logins are tried."""
    statuses = []
    for attempt, name in enumerate(SPOOFS * 2):
        spoof = {name: f"198.51.100.{attempt}"}
        answer = gateway.request("POST", "/login", {"username": "ada", "password": "wrong"}, headers=spoof)
        statuses.append(answer.status)

    assert statuses == [401] * 3 + [429] * 9


def test_no_header_buys_a_login(kms: SoftwareKms) -> None:
    no_header_buys_a_login(limited(kms))


def test_a_limit_by_header_fails_the_same_check(kms: SoftwareKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "functions.auth.app.source_address", lambda request: request.headers.get("x-forwarded-for", "")
    )

    with pytest.raises(AssertionError):
        no_header_buys_a_login(limited(kms))


def test_a_limited_login_says_when_to_come_again(kms: SoftwareKms) -> None:
    telemetry = RecordedTelemetry()
    gateway = limited(kms, telemetry, per_minute=1)

    granted, refused = login(gateway), login(gateway)

    assert (granted.status, granted.headers["ratelimit-remaining"]) == (200, "0")
    assert (refused.status, refused.json()["code"]) == (429, "too_many_requests")
    assert refused.headers["retry-after"] == "30"
    assert refused.headers["ratelimit"] == '"login";r=0;t=30'
    assert telemetry.dimensions_of(Metric.LOGINS) == [{"outcome": "granted"}, {"outcome": "limited"}]
    assert telemetry.dimensions_of(Metric.RATE_LIMITED) == [{"limit": "login"}]


def test_the_alias_the_good_and_the_broken_logins_count_alike(kms: SoftwareKms) -> None:
    gateway = limited(kms, per_minute=3)

    answers = [
        gateway.request("POST", "/login", {"username": "ada", "password": "correct horse"}),
        gateway.request("POST", "/v1/auth/login", raw="{"),
        login(gateway, "ada", "wrong"),
        login(gateway),
    ]

    assert [answer.status for answer in answers] == [200, 400, 401, 429]


def test_a_limited_login_costs_no_password_hash(kms: SoftwareKms) -> None:
    parts = services(kms, RecordedTelemetry(), 1)
    gateway = Gateway(create_app(parts))

    for _ in range(5):
        login(gateway)

    hasher = parts.login.hasher
    assert isinstance(hasher, CountingHasher)
    assert hasher.verifications == 1


def test_other_addresses_and_other_routes_are_not_limited(kms: SoftwareKms) -> None:
    gateway = limited(kms, per_minute=1)
    first = login(gateway)
    gateway.request("POST", "/v1/auth/refresh", {"refresh_token": "unknown"})

    gateway.source_address = "198.51.100.7"

    assert (first.status, login(gateway).status) == (200, 200)


def test_one_network_of_ipv6_is_one_caller(kms: SoftwareKms) -> None:
    gateway = limited(kms, per_minute=1)

    statuses = []
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"):
        gateway.source_address = address
        statuses.append(login(gateway).status)

    assert statuses == [200, 429, 200]


def test_without_a_limit_nothing_is_counted(kms: SoftwareKms) -> None:
    gateway = limited(kms, per_minute=0)

    answers = [login(gateway) for _ in range(20)]

    assert {answer.status for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


class _NoTable:
    def take(self, name: str, limit: Limit, cost: int = 1) -> Allowance:
        raise StoreUnavailable("The tokens table does not answer.")


def test_a_login_that_cannot_be_counted_is_503(kms: SoftwareKms) -> None:
    parts = replace(
        services(kms, RecordedTelemetry()), limit=AddressLimit(limiter=_NoTable(), requests_per_minute=10)
    )

    answer = login(Gateway(create_app(parts)))

    assert (answer.status, answer.json()["code"]) == (503, "store_unavailable")


def no_address_refreshes_more_than_its_limit(gateway: Gateway, telemetry: RecordedTelemetry) -> None:
    """The check: with a limit of 3, of 5 refreshes 3 are tried, whatever token they carry."""
    token = login(gateway).json()["refresh_token"]
    bodies = [{"refresh_token": token}, {"refresh_token": "unknown"}, {}, {"refresh_token": token}, {}]

    answers = [gateway.request("POST", "/v1/auth/refresh", body) for body in bodies]

    assert [answer.status for answer in answers] == [200, 401, 400, 429, 429]
    assert answers[0].headers["ratelimit"] == '"refresh";r=2;t=60'
    assert (answers[3].headers["retry-after"], answers[3].json()["code"]) == ("30", "too_many_requests")
    assert telemetry.dimensions_of(Metric.RATE_LIMITED) == [{"limit": "refresh"}] * 2


def test_no_address_refreshes_more_than_its_limit(kms: SoftwareKms) -> None:
    telemetry = RecordedTelemetry()

    no_address_refreshes_more_than_its_limit(
        Gateway(create_app(services(kms, telemetry, refreshes_per_minute=3))), telemetry
    )


def test_uncounted_refreshes_fail_the_same_check(kms: SoftwareKms) -> None:
    telemetry = RecordedTelemetry()

    with pytest.raises((AssertionError, KeyError)):
        no_address_refreshes_more_than_its_limit(
            Gateway(create_app(services(kms, telemetry, refreshes_per_minute=0))), telemetry
        )
