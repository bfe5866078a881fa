"""Staying logged in, and being put out."""

from collections import Counter
from collections.abc import Callable

import pytest
from haylift.domain.errors import NotAuthenticated
from haylift.domain.identity import Role
from haylift.ports import User
from haylift.services.login import LoginService, TokenPair
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.identity import MemoryRefreshTokens, user
from tests.unit.identity.login_world import World


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


def a_token_is_no_source_of_tokens(world: World) -> None:
    first = world.login().refresh_token
    pairs = [world.service.refresh(first) for _ in range(4)]

    for token in (first, pairs[0].refresh_token, pairs[3].refresh_token):
        with pytest.raises(NotAuthenticated) as refusal:
            world.service.refresh(token)
        assert refusal.value.code == "invalid_refresh_token"


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
    a_token_is_no_source_of_tokens,
    one_login_does_not_end_with_another,
    a_token_ends_with_its_time,
]


@pytest.mark.parametrize("check", REFRESH_CHECKS)
def test_refresh(check: Callable[[World], None], world: World) -> None:
    check(world)


class _ForgetsUse(MemoryRefreshTokens):
    def mark_used(self, token_hash: str, at: float) -> bool:
        return True


class _CountsNoReuse(MemoryRefreshTokens):
    def count_reuse(self, token_hash: str) -> int:
        return 1


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
        (World(tokens=_CountsNoReuse()), a_token_is_no_source_of_tokens),
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
    uses: Counter[str] = Counter()
    is_dead = False

    for pause, choice in steps:
        world.clock.advance(pause)
        token = issued[choice % len(issued)]
        is_stale = world.clock.now() - used_at.get(token, world.clock.now()) > 30
        uses[token] += 1
        is_dead = is_dead or is_stale or uses[token] > 4
        if is_dead:
            with pytest.raises(NotAuthenticated):
                world.service.refresh(token)
        else:
            issued.append(world.service.refresh(token).refresh_token)
            used_at.setdefault(token, world.clock.now())
