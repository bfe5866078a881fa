"""The directory of users as an operator changes it."""

from collections.abc import Callable
from typing import Any

import pytest
from haylift.domain.errors import InvalidInput, NotFound
from haylift.domain.identity import Role
from haylift.ports import User
from haylift.services.users import UserDirectory

from tests.fakes.identity import CountingHasher, ManualClock, MemoryUsers

ADA: dict[str, Any] = {"tenant": "acme", "role": "editor", "password": "correct horse"}


@pytest.fixture
def users() -> MemoryUsers:
    return MemoryUsers()


@pytest.fixture
def directory(users: MemoryUsers) -> UserDirectory:
    return UserDirectory(users, CountingHasher(), ManualClock())


def test_an_added_user_is_stored_with_a_hash(directory: UserDirectory, users: MemoryUsers) -> None:
    added = directory.add("ada", **ADA, groups=["staff"])

    assert users.by_name == {"ada": added}
    assert (added.tenant, added.role, added.groups) == ("acme", Role.EDITOR, {"staff"})
    assert added.password_hash == "new:correct horse"
    assert added.is_disabled is False


def test_a_user_is_added_once(directory: UserDirectory) -> None:
    directory.add("ada", **ADA)

    with pytest.raises(InvalidInput) as refusal:
        directory.add("ada", **ADA)

    assert refusal.value.code == "user_exists"


@pytest.mark.parametrize(
    ("username", "changes", "code"),
    [
        ("", {}, "invalid_username"),
        ("Ada", {}, "invalid_username"),
        ("ada lovelace", {}, "invalid_username"),
        ("ada\n", {}, "invalid_username"),
        ("ädä", {}, "invalid_username"),
        ("a" * 65, {}, "invalid_username"),
        ("ada", {"tenant": ""}, "invalid_tenant"),
        ("ada", {"tenant": "*"}, "invalid_tenant"),
        ("ada", {"tenant": "acme/../globex"}, "invalid_tenant"),
        ("ada", {"tenant": "-acme"}, "invalid_tenant"),
        ("ada", {"tenant": "a" * 41}, "invalid_tenant"),
        ("ada", {"role": "root"}, "invalid_role"),
        ("ada", {"role": ""}, "invalid_role"),
        ("ada", {"password": "seven77"}, "invalid_password"),
        ("ada", {"password": "x" * 1_025}, "invalid_password"),
        ("ada", {"groups": ["a,b"]}, "invalid_group"),
        ("ada", {"groups": [""]}, "invalid_group"),
        ("ada", {"groups": [f"group-{number}" for number in range(51)]}, "invalid_group"),
    ],
)
def test_a_wrong_user_is_refused(
    directory: UserDirectory, users: MemoryUsers, username: str, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        directory.add(username, **(ADA | changes))

    assert refusal.value.code == code
    assert users.by_name == {}


@pytest.mark.parametrize("username", ["a", "ada@acme", "a.b_c-d@e", "0", "a" * 64])
def test_a_right_name_is_taken(directory: UserDirectory, username: str) -> None:
    assert directory.add(username, **ADA).username == username


CHANGES: dict[str, Callable[[UserDirectory], User]] = {
    "disable": lambda directory: directory.disable("ada"),
    "enable": lambda directory: directory.enable("ada"),
    "set_password": lambda directory: directory.set_password("ada", "battery staple"),
    "update": lambda directory: directory.update("ada", tenant="acme", role="reader"),
    "update of nothing": lambda directory: directory.update("ada"),
}


def every_change_ends_older_tokens(directory: UserDirectory, change: str) -> None:
    before = directory.add("ada", **ADA)

    after = CHANGES[change](directory)

    assert after.stamp != before.stamp


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_gives_a_new_stamp(directory: UserDirectory, change: str) -> None:
    every_change_ends_older_tokens(directory, change)


class _KeepsTheStamp(UserDirectory):
    def _change(self, user: User) -> User:
        self._users.put(user)
        return user


def test_a_directory_that_keeps_stamps_fails_the_same_check(users: MemoryUsers) -> None:
    with pytest.raises(AssertionError):
        every_change_ends_older_tokens(_KeepsTheStamp(users, CountingHasher(), ManualClock()), "disable")


@pytest.mark.parametrize("change", CHANGES)
def test_an_unknown_user_cannot_be_changed(directory: UserDirectory, change: str) -> None:
    with pytest.raises(NotFound) as refusal:
        CHANGES[change](directory)

    assert refusal.value.code == "user_not_found"


def test_a_disabled_user_can_be_enabled(directory: UserDirectory, users: MemoryUsers) -> None:
    directory.add("ada", **ADA)

    directory.disable("ada")
    was_disabled = users.by_name["ada"].is_disabled
    directory.enable("ada")

    assert was_disabled is True
    assert users.by_name["ada"].is_disabled is False


def test_users_are_listed_by_tenant(directory: UserDirectory) -> None:
    directory.add("zoe", **ADA)
    directory.add("ada", **ADA)
    directory.add("bob", **(ADA | {"tenant": "globex"}))

    assert [user.username for user in directory.list("acme")] == ["ada", "zoe"]
    assert [user.username for user in directory.list()] == ["ada", "bob", "zoe"]
