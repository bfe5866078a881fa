"""A session that was ended stays ended, and nobody ends another's."""

from collections.abc import Callable

import pytest
from haylift.domain.errors import NotAuthenticated, StoreUnavailable
from haylift.domain.identity import Session
from haylift.services.login import TokenPair
from haylift.services.logout import LogoutService

from tests.fakes.identity import MemoryRefreshTokens, MemoryRevocations, MemoryUsers, user
from tests.unit.identity.login_world import World

type Logout = Callable[..., None]


@pytest.fixture
def world() -> World:
    return World(users=MemoryUsers({"ada": user("ada"), "bob": user("bob", tenant="globex")}))


def lives[T](use: Callable[[T], object], token: T) -> bool:
    """Says whether a token is still worth something."""
    try:
        use(token)
    except NotAuthenticated:
        return False
    return True


def is_over(world: World, pair: TokenPair) -> bool:
    """Neither the access token nor the refresh token of the pair is worth anything."""
    return not lives(world.session, pair) and not lives(world.service.refresh, pair.refresh_token)


def test_an_access_token_is_worthless_after_logout(world: World) -> None:
    pair = world.login()

    world.logout.logout(world.session(pair))

    with pytest.raises(NotAuthenticated) as refusal:
        world.session(pair)
    assert refusal.value.code == "token_revoked"


def test_a_revocation_is_kept_longer_than_its_token_is_believed(world: World) -> None:
    pair = world.login()
    session = world.session(pair)

    world.logout.logout(session)

    assert world.revocations.until_by_token_id == {session.token_id: session.expires_at + 60.0}


def test_a_refresh_token_ends_with_its_whole_family(world: World) -> None:
    first = world.login()
    second = world.service.refresh(first.refresh_token)

    world.logout.logout(world.session(second), first.refresh_token)

    assert is_over(world, second)
    with pytest.raises(NotAuthenticated):
        world.service.refresh(first.refresh_token)


def test_other_sessions_go_on(world: World) -> None:
    here, there = world.login(), world.login()

    world.logout.logout(world.session(here), here.refresh_token)

    assert world.session(there).principal.subject == "ada"
    assert world.service.refresh(there.refresh_token).username == "ada"


def test_everywhere_ends_the_users_sessions_and_no_others(world: World) -> None:
    here, there, bobs = world.login(), world.login(), world.login("bob")

    world.logout.logout(world.session(here), everywhere=True)

    assert is_over(world, here)
    assert is_over(world, there)
    assert world.session(bobs).principal.tenant == "globex"


def test_a_repeated_everywhere_ends_no_session_begun_since(world: World) -> None:
    session = world.session(world.login())
    world.logout.logout(session, everywhere=True)
    later = world.login()

    world.logout.logout(session, everywhere=True)

    assert world.session(later).principal.subject == "ada"


def test_a_repeated_logout_is_as_good_as_one(world: World) -> None:
    pair = world.login()
    session = world.session(pair)
    world.logout.logout(session, pair.refresh_token)

    world.logout.logout(session, pair.refresh_token)

    assert is_over(world, pair)


def nobody_ends_anothers_session(world: World, logout: Logout) -> None:
    """The check: with a refresh token of somebody else only the caller's own access token ends."""
    mine, bobs = world.login(), world.login("bob")

    with pytest.raises(NotAuthenticated) as refusal:
        logout(world.session(mine), bobs.refresh_token)

    assert refusal.value.code == "invalid_refresh_token"
    assert lives(world.session, mine) is False
    assert lives(world.session, bobs)
    assert lives(world.service.refresh, mine.refresh_token)
    assert lives(world.service.refresh, bobs.refresh_token)


def test_nobody_ends_anothers_session(world: World) -> None:
    nobody_ends_anothers_session(world, world.logout.logout)


def test_a_foreign_and_an_unknown_refresh_token_get_the_same_answer(world: World) -> None:
    answers = []
    for refresh_token in (world.login("bob").refresh_token, "unknown", "", "family#1"):
        with pytest.raises(NotAuthenticated) as refusal:
            world.logout.logout(world.session(world.login()), refresh_token)
        answers.append((refusal.value.code, refusal.value.detail))

    assert len(set(answers)) == 1


class _BelievesTheToken(LogoutService):
    """Ends whatever family it is given the token of."""

    def _end_family(self, username: str, refresh_token: str) -> bool:
        super()._end_family("bob", refresh_token)
        return False


class _ForgetsTheAccessToken(LogoutService):
    """Refuses a foreign refresh token before it has revoked anything."""

    def logout(self, session: Session, refresh_token: str | None = None, *, everywhere: bool = False) -> None:
        if refresh_token is not None and not self._end_family(session.principal.subject, refresh_token):
            raise NotAuthenticated("", code="invalid_refresh_token")


@pytest.mark.parametrize("broken", [_BelievesTheToken, _ForgetsTheAccessToken])
def test_a_careless_logout_fails_the_same_check(world: World, broken: type[LogoutService]) -> None:
    careless = broken(
        users=world.users,
        refresh_tokens=world.tokens,
        revocations=world.revocations,
        clock=world.clock,
    )

    with pytest.raises(AssertionError):
        nobody_ends_anothers_session(world, careless.logout)


class _Dies(Exception):
    """The process ends here."""


class _DyingTokens(MemoryRefreshTokens):
    def revoke_family(self, family: str) -> None:
        super().revoke_family(family)
        raise _Dies


class _DyingUsers(MemoryUsers):
    def replace_stamp(self, username: str, old_stamp: str, new_stamp: str) -> None:
        raise _Dies


class _DyingRevocations(MemoryRevocations):
    def revoke(self, token_id: str, until: float) -> None:
        raise StoreUnavailable("The tokens table does not answer.")


@pytest.mark.parametrize("dying", ["tokens", "users", "revocations"])
def test_a_broken_off_logout_can_be_repeated(world: World, dying: str) -> None:
    pair = world.login()
    session = world.session(pair)
    dead = LogoutService(
        users=_DyingUsers(world.users.by_name) if dying == "users" else world.users,
        refresh_tokens=_DyingTokens(world.tokens.by_hash, world.tokens.revoked)
        if dying == "tokens"
        else world.tokens,
        revocations=_DyingRevocations() if dying == "revocations" else world.revocations,
        clock=world.clock,
    )
    with pytest.raises((_Dies, StoreUnavailable)):
        dead.logout(session, pair.refresh_token, everywhere=dying == "users")

    world.logout.logout(world.session(pair), pair.refresh_token, everywhere=dying == "users")

    assert is_over(world, pair)
