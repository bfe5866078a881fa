"""Logging in: who gets tokens, and what strangers learn."""

from dataclasses import replace

import pytest
from haylift.domain.errors import NotAuthenticated, StoreUnavailable
from haylift.services.login import LoginService, TokenPair

from tests.fakes.identity import MemoryUsers, user
from tests.unit.identity.login_world import World


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
