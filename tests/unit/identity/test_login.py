"""Logging in, staying logged in, and being put out."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from haylift.domain.errors import NotAuthenticated, StoreUnavailable
from haylift.domain.identity import Role
from haylift.ports import User
from haylift.services.login import LoginService, TokenPair
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.identity import (
    CountingHasher,
    ManualClock,
    MemoryRefreshTokens,
    MemorySigner,
    MemoryUsers,
    user,
)


@dataclass
class World:
    """A login service and everything around it."""

    clock: ManualClock = field(default_factory=ManualClock)
    users: MemoryUsers = field(default_factory=lambda: MemoryUsers({"ada": user("ada")}))
    tokens: MemoryRefreshTokens = field(default_factory=MemoryRefreshTokens)
    hasher: CountingHasher = field(default_factory=CountingHasher)
    kind: type[LoginService] = LoginService

    def __post_init__(self) -> None:
        self.signer = MemorySigner("https://haylift.test", "haylift", self.clock)
        self.service = self.kind(
            users=self.users,
            hasher=self.hasher,
            refresh_tokens=self.tokens,
            signer=self.signer,
            clock=self.clock,
            access_token_ttl_s=900,
            refresh_token_ttl_s=3_600,
        )

    def login(self) -> TokenPair:
        return self.service.login("ada", "correct horse")


@pytest.fixture
def world() -> World:
    return World()


def test_a_login_gives_an_access_token_with_the_users_rights(world: World) -> None:
    pair = world.login()

    claims = world.signer.verify(pair.access_token)
    assert len(str(claims.pop("jti"))) == 32
    assert claims == {
        "iss": "https://haylift.test",
        "aud": "haylift",
        "sub": "ada",
        "tenant": "acme",
        "role": "editor",
        "permissions": ["read", "write"],
        "groups": ["staff"],
        "stamp": "stamp-1",
        "typ": "access",
        "iat": 1_800_000_000,
        "exp": 1_800_000_900,
    }
    assert (pair.expires_in_s, pair.refresh_expires_in_s) == (900, 3_600)


def test_no_two_tokens_are_the_same(world: World) -> None:
    first, second = world.login(), world.login()

    assert first.access_token != second.access_token
    assert first.refresh_token != second.refresh_token


def test_only_the_hash_of_a_refresh_token_is_stored(world: World) -> None:
    pair = world.login()

    assert len(pair.refresh_token) == 43
    assert pair.refresh_token not in repr(world.tokens)


STRANGERS = {
    "an unknown user": ("nobody", "correct horse", {}),
    "a wrong password": ("ada", "wrong", {}),
    "an empty password": ("ada", "", {}),
    "a disabled user": ("ada", "correct horse", {"is_disabled": True}),
    "no name": ("", "correct horse", {}),
    "a name that cannot be": ("ada' OR 1=1 --", "correct horse", {}),
    "a name in capitals": ("ADA", "correct horse", {}),
    "a lone surrogate": ("\ud800", "\ud800", {}),
    "a row without a usable hash": ("ada", "correct horse", {"password_hash": ""}),
}


def tells_strangers_nothing(kind: type[LoginService], name: str) -> None:
    """The check: one password check each and one and the same answer."""
    username, password, changes = STRANGERS[name]
    world = World(users=MemoryUsers({"ada": replace(user("ada"), **changes)}), kind=kind)

    with pytest.raises(NotAuthenticated) as refusal:
        world.service.login(username, password)

    assert (refusal.value.code, refusal.value.detail) == (
        "invalid_credentials",
        "User name or password is wrong.",
    )
    assert world.hasher.verifications == 1


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_learns_nothing(name: str) -> None:
    tells_strangers_nothing(LoginService, name)


class _SavesTheWork(LoginService):
    """Answers at once when there is no such user: faster, and so a list of all users."""

    def login(self, username: str, password: str) -> TokenPair:
        if self.users.get(username) is None:
            raise NotAuthenticated("User name or password is wrong.", code="invalid_credentials")
        return super().login(username, password)


class _SaysWhy(LoginService):
    def login(self, username: str, password: str) -> TokenPair:
        row = self.users.get(username)
        if row is not None and row.is_disabled:
            self.hasher.verify(password, row.password_hash)
            raise NotAuthenticated("This user is disabled.", code="user_disabled")
        return super().login(username, password)


@pytest.mark.parametrize(
    ("broken", "name"), [(_SavesTheWork, "an unknown user"), (_SaysWhy, "a disabled user")]
)
def test_a_talkative_login_fails_the_same_check(broken: type[LoginService], name: str) -> None:
    with pytest.raises(AssertionError):
        tells_strangers_nothing(broken, name)


def test_an_old_hash_is_renewed_at_login(world: World) -> None:
    world.users.put(user("ada", password_hash="legacy:correct horse"))

    world.login()

    assert world.users.by_name["ada"] == user("ada", password_hash="new:correct horse")


def test_an_old_hash_is_kept_when_the_password_is_wrong(world: World) -> None:
    world.users.put(user("ada", password_hash="legacy:correct horse"))

    with pytest.raises(NotAuthenticated):
        world.service.login("ada", "wrong")

    assert world.users.by_name["ada"].password_hash == "legacy:correct horse"


class _CannotRenew(MemoryUsers):
    def set_password_hash(self, username: str, old_hash: str, new_hash: str) -> None:
        raise StoreUnavailable("The users table does not answer.")


def test_a_login_does_not_fail_because_the_hash_could_not_be_renewed() -> None:
    world = World(users=_CannotRenew({"ada": user("ada", password_hash="legacy:correct horse")}))

    assert world.login().access_token


def rotates(world: World) -> None:
    first = world.login()
    world.clock.advance(60)
    second = world.service.refresh(first.refresh_token)
    world.clock.advance(60)
    third = world.service.refresh(second.refresh_token)

    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert world.signer.verify(third.access_token)["sub"] == "ada"


def a_stolen_token_ends_the_family(world: World) -> None:
    stolen = world.login().refresh_token
    newest = world.service.refresh(stolen).refresh_token
    world.clock.advance(31)

    for token in (stolen, newest):
        with pytest.raises(NotAuthenticated) as refusal:
            world.service.refresh(token)
        assert refusal.value.code == "invalid_refresh_token"


def a_lost_answer_logs_nobody_out(world: World) -> None:
    first = world.login().refresh_token
    lost = world.service.refresh(first).refresh_token
    world.clock.advance(30)

    again = world.service.refresh(first).refresh_token

    assert world.service.refresh(again).refresh_token not in {first, lost, again}


def one_login_does_not_end_with_another(world: World) -> None:
    other = world.login().refresh_token
    a_stolen_token_ends_the_family(world)

    assert world.service.refresh(other).access_token


def a_token_ends_with_its_time(world: World) -> None:
    token = world.login().refresh_token
    world.clock.advance(3_600)

    with pytest.raises(NotAuthenticated):
        world.service.refresh(token)


REFRESH_CHECKS: list[Callable[[World], None]] = [
    rotates,
    a_stolen_token_ends_the_family,
    a_lost_answer_logs_nobody_out,
    one_login_does_not_end_with_another,
    a_token_ends_with_its_time,
]


@pytest.mark.parametrize("check", REFRESH_CHECKS)
def test_refresh(check: Callable[[World], None], world: World) -> None:
    check(world)


class _ForgetsUse(MemoryRefreshTokens):
    def mark_used(self, token_hash: str, at: float) -> bool:
        return True


class _RevokesNothing(MemoryRefreshTokens):
    def revoke_family(self, family: str) -> None:
        pass


class _NoGrace(LoginService):
    def refresh(self, refresh_token: str) -> TokenPair:
        self.clock.advance(31)  # type: ignore[attr-defined]
        return super().refresh(refresh_token)


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (World(tokens=_ForgetsUse()), a_stolen_token_ends_the_family),
        (World(tokens=_RevokesNothing()), a_stolen_token_ends_the_family),
        (World(kind=_NoGrace), a_lost_answer_logs_nobody_out),
    ],
)
def test_a_broken_refresh_fails(broken: World, check: Callable[[World], None]) -> None:
    with pytest.raises((AssertionError, NotAuthenticated, pytest.fail.Exception)):
        check(broken)


@pytest.mark.parametrize("text", ["", "x", "\ud800", "é", "a" * 1_024, "family#" + "0" * 32])
def test_an_unknown_refresh_token_is_refused(world: World, text: str) -> None:
    with pytest.raises(NotAuthenticated):
        world.service.refresh(text)


@pytest.mark.parametrize(
    "changed",
    [
        user("ada", is_disabled=True),
        user("ada", stamp="stamp-2"),
        user("ada", stamp="stamp-2", role=Role.READER),
        user("ada", stamp="stamp-2", tenant="globex"),
    ],
)
def test_a_user_who_changed_must_log_in_again(world: World, changed: User) -> None:
    token = world.login().refresh_token
    world.users.put(changed)

    with pytest.raises(NotAuthenticated):
        world.service.refresh(token)
    world.users.put(user("ada"))
    with pytest.raises(NotAuthenticated):
        world.service.refresh(token)


def test_a_user_who_is_gone_is_refused(world: World) -> None:
    token = world.login().refresh_token
    world.users.by_name.clear()

    with pytest.raises(NotAuthenticated):
        world.service.refresh(token)


class _UsedMeanwhile(MemoryRefreshTokens):
    """Another request uses the token between our read and our mark."""

    def mark_used(self, token_hash: str, at: float) -> bool:
        super().mark_used(token_hash, at)
        return False


def test_two_refreshes_at_once_both_succeed() -> None:
    world = World(tokens=_UsedMeanwhile())

    assert world.service.refresh(world.login().refresh_token).refresh_token


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0, 1, 29, 30, 31, 100]), st.integers(0, 20)), max_size=12))
def test_no_order_of_refreshes_lets_a_used_token_in_after_its_grace(steps: list[tuple[int, int]]) -> None:
    world = World()
    issued = [world.login().refresh_token]
    used_at: dict[str, float] = {}
    is_dead = False

    for pause, choice in steps:
        world.clock.advance(pause)
        token = issued[choice % len(issued)]
        is_stale = world.clock.now() - used_at.get(token, world.clock.now()) > 30
        is_dead = is_dead or is_stale
        if is_dead:
            with pytest.raises(NotAuthenticated):
                world.service.refresh(token)
        else:
            issued.append(world.service.refresh(token).refresh_token)
            used_at.setdefault(token, world.clock.now())
