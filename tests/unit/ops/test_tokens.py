"""Logins that are kept between commands, and answers of an API that has had too many requests."""

import io
import json
import stat
from dataclasses import replace
from pathlib import Path

import httpx

from ops.cli import main
from ops.session import World
from ops.tokens import FILE, TokenStore
from tests.fakes.ops import HandClock, captured_world, remarked, shown

SEARCH = {"results": [], "from_cache": False, "degraded": False, "degraded_reason": None, "took_ms": 1.0}


class Api:
    """An API that counts logins; `accepted` are the tokens it takes, `busy` answers 429 so often."""

    def __init__(self, *, busy: int = 0) -> None:
        self.logins = 0
        self.revoked: set[str] = set()
        self._busy = busy

    def transport(self) -> httpx.MockTransport:
        """The network."""
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self._busy:
            self._busy -= 1
            body = {"code": "too_many_requests", "detail": "Too many logins from this address."}
            return httpx.Response(429, json=body, headers={"Retry-After": "7"})
        if request.url.path.endswith("/login"):
            self.logins += 1
            return httpx.Response(200, json={"access_token": f"token-{self.logins}", "expires_in": 900})
        token = request.headers["authorization"].removeprefix("Bearer ")
        if token in self.revoked:
            return httpx.Response(401, json={"code": "unauthorized", "detail": "No."})
        return httpx.Response(200, json=SEARCH)


class Screen(io.StringIO):
    """A stream that a person watches."""

    def isatty(self) -> bool:
        """True."""
        return True


def _search(state_dir: Path, world: World, *more: str) -> int:
    return main(["search", "x", *more, "--state-dir", str(state_dir)], world)


def test_two_commands_log_in_once(state_dir: Path) -> None:
    api = Api()

    codes = [_search(state_dir, captured_world(transport=api.transport())) for _ in range(2)]

    assert codes == [0, 0]
    assert api.logins == 1


def test_the_file_is_for_its_owner_only(state_dir: Path) -> None:
    _search(state_dir, captured_world(transport=Api().transport()))

    assert stat.S_IMODE((state_dir / FILE).stat().st_mode) == 0o600


def test_a_token_is_renewed_shortly_before_it_expires(state_dir: Path) -> None:
    api, clock = Api(), HandClock()
    world = captured_world(transport=api.transport(), clock=clock)
    _search(state_dir, world)
    clock.time_s += 869
    _search(state_dir, world)
    before = api.logins
    clock.time_s += 2
    _search(state_dir, world)

    assert (before, api.logins) == (1, 2)


def test_a_token_that_is_not_taken_any_more_leads_to_one_new_login(state_dir: Path) -> None:
    api = Api()
    _search(state_dir, captured_world(transport=api.transport()))
    api.revoked.add("token-1")

    code = _search(state_dir, captured_world(transport=api.transport()))

    assert (code, api.logins) == (0, 2)


def test_a_refused_new_token_is_a_failure_and_no_loop(state_dir: Path) -> None:
    api = Api()
    api.revoked |= {"token-1", "token-2"}
    _search(state_dir, captured_world(transport=api.transport()))
    world = captured_world(transport=api.transport())

    assert _search(state_dir, world) == 1
    assert remarked(world).startswith("unauthorized: ")


def test_a_password_that_is_given_is_tried(state_dir: Path) -> None:
    api = Api()
    for _ in range(2):
        _search(state_dir, captured_world(transport=api.transport()), "--user", "rea@acme", "--password", "x")

    assert api.logins == 2


def test_another_api_at_the_same_place_gets_no_old_token(tmp_path: Path) -> None:
    store = TokenStore(tmp_path)
    store.put("http://one", "rea", "secret", 2_000.0)

    assert store.get("http://one", "rea", 1_000.0) == "secret"
    assert store.get("http://two", "rea", 1_000.0) is None
    assert store.get("http://one", "ada", 1_000.0) is None


def test_a_damaged_file_counts_as_empty(tmp_path: Path) -> None:
    for text in ("", "[]", '{"rea http://one": 7}', '{"rea http://one": {"expires_at": "x"}}', "\x00"):
        (tmp_path / FILE).write_text(text, encoding="utf-8")

        assert TokenStore(tmp_path).get("http://one", "rea", 0.0) is None


def test_too_many_requests_say_when_to_try_again(state_dir: Path) -> None:
    world = captured_world(transport=Api(busy=1).transport())

    assert _search(state_dir, world) == 1
    assert remarked(world) == ("too_many_requests: Too many logins from this address. Try again in 7 s.\n")


def test_before_a_person_the_command_waits_and_goes_on(state_dir: Path) -> None:
    api, clock = Api(busy=1), HandClock()
    world = replace(captured_world(transport=api.transport(), clock=clock), err=Screen())

    code = _search(state_dir, world)

    assert (code, clock.now()) == (0, 1_007.0)
    assert "trying again in 7 s" in remarked(world)


def test_json_never_waits(state_dir: Path) -> None:
    world = replace(captured_world(transport=Api(busy=1).transport()), err=Screen())

    assert _search(state_dir, world, "--json") == 1
    assert json.loads(shown(world))["error"]["code"] == "too_many_requests"
