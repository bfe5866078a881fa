"""A session ends when its user says so, and the audit tells who tried what."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.e2e.system import System, eventually, word

pytestmark = pytest.mark.e2e

EFFECTIVE_WITHIN_S = 6.0
"""5 s of the authorizer's cache, and the requests that ask."""

AUDITED_WITHIN_S = 30.0
PASSWORD = "correct horse battery"


@pytest.fixture
def name(system: System) -> str:
    """A user of their own, so that no other test's session ends."""
    name = f"leaver-{word()}"
    added = system.ops("user", "add", name, "--tenant", "acme", "--role", "reader", "--password", PASSWORD)
    assert added.returncode == 0, added.stderr
    return name


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def seconds_until_refused(ask: Callable[[], httpx.Response]) -> float:
    began = time.monotonic()

    def refused() -> float | None:
        return time.monotonic() - began if ask().status_code == 401 else None

    return eventually(refused, EFFECTIVE_WITHIN_S + 1, "the ended session is refused")


def test_a_logout_ends_its_session_and_no_other(system: System, name: str) -> None:
    here, there = system.login(name, PASSWORD).json(), system.login(name, PASSWORD).json()
    assert system.http.get("/v1/documents", headers=bearer(here)).status_code == 200

    ended = system.http.post(
        "/v1/auth/logout", headers=bearer(here), json={"refresh_token": here["refresh_token"]}
    )

    assert ended.status_code == 204
    assert (
        seconds_until_refused(lambda: system.http.get("/v1/documents", headers=bearer(here)))
        <= EFFECTIVE_WITHIN_S
    )
    again = system.http.post("/v1/auth/refresh", json={"refresh_token": here["refresh_token"]})
    assert (again.status_code, again.json()["code"]) == (401, "invalid_refresh_token")
    assert system.http.get("/v1/documents", headers=bearer(there)).status_code == 200


def test_a_logout_everywhere_ends_all_sessions_of_the_user(system: System, name: str) -> None:
    here, there = system.login(name, PASSWORD).json(), system.login(name, PASSWORD).json()
    assert system.http.get("/v1/documents", headers=bearer(there)).status_code == 200

    ended = system.http.post("/v1/auth/logout", headers=bearer(here), json={"everywhere": True})

    assert ended.status_code == 204
    assert (
        seconds_until_refused(lambda: system.http.get("/v1/documents", headers=bearer(there)))
        <= EFFECTIVE_WITHIN_S
    )
    again = system.http.post("/v1/auth/refresh", json={"refresh_token": there["refresh_token"]})
    assert again.status_code == 401


def records(system: System, *options: str) -> list[dict[str, Any]]:
    """What `ops audit` shows of the last ten minutes."""
    shown = system.ops("audit", "--minutes", "10", "--json", *options)
    assert shown.returncode == 0, shown.stderr
    found: list[dict[str, Any]] = json.loads(shown.stdout)
    return found


def test_each_request_has_one_record_wherever_it_ended(system: System, name: str) -> None:
    tokens = system.login(name, PASSWORD).json()
    answers = {
        "": system.http.get("/v1/documents", headers=bearer(tokens)),
        "permission_missing": system.http.delete("/v1/documents/abc", headers=bearer(tokens)),
        "unauthorized": system.http.get("/v1/documents"),
        "token_invalid": system.http.get("/v1/documents", headers={"Authorization": "Bearer x.y.z"}),
        "route_not_found": system.http.get(f"/v1/{word()}"),
        "invalid_credentials": system.login(name, "not the password"),
        "document_not_found": system.http.get(f"/v1/documents/{'a' * 32}", headers=bearer(tokens)),
    }
    request_ids = {answer.headers["x-amzn-requestid"]: code for code, answer in answers.items()}

    def all_there() -> list[dict[str, Any]] | None:
        found = [record for record in records(system) if record["request_id"] in request_ids]
        return found if len(found) >= len(answers) else None

    found = eventually(all_there, AUDITED_WITHIN_S, "the audit has every request")
    assert sorted(record["code"] for record in found) == sorted(answers)
    assert [request_ids[record["request_id"]] for record in found] == [record["code"] for record in found]
    by_code = {record["code"]: record for record in found}
    assert (by_code["permission_missing"]["actor"], by_code["permission_missing"]["tenant"]) == (name, "acme")
    assert by_code["invalid_credentials"]["actor"] == name
    assert PASSWORD not in json.dumps(found)


def test_what_an_operator_did_is_recorded_and_the_archive_says_the_same(system: System, name: str) -> None:
    (record,) = [record for record in records(system, "--action", "user.add") if record["resource"] == name]

    assert record["actor"].startswith("local:")
    verified = system.ops("audit", "--minutes", "10", "--verify", "--json")
    assert verified.returncode == 0, verified.stdout
    assert json.loads(verified.stdout)["changed"] == []
