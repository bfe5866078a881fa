"""`ops user` against DynamoDB, with real hashes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from haylift.adapters.dynamodb_users import DynamoDbUsers
from haylift.adapters.password_hashes import Argon2Hasher
from haylift.ports.identity import User

from ops.cli import main
from tests.fakes.ops import captured_world, remarked, shown

pytestmark = pytest.mark.usefixtures("aws", "audited_stage")


def _run(state_dir: Path, *arguments: str, stdin: str = "") -> tuple[int, Any]:
    world = captured_world(stdin=stdin)
    return main(["user", *arguments, "--state-dir", str(state_dir)], world), world


def _stored(name: str) -> User:
    user = DynamoDbUsers("users", boto3.client("dynamodb", region_name="eu-central-1")).get(name)
    assert user is not None
    return user


def test_a_new_user_gets_a_password_that_is_shown_once(state_dir: Path) -> None:
    code, world = _run(
        state_dir, "add", "mia", "--tenant", "globex", "--role", "editor", "--groups", "hr, it"
    )

    assert code == 0
    first, second = shown(world).splitlines()
    assert first == "added mia  globex  editor groups hr,it"
    password = second.removeprefix("password (shown only now): ")
    assert len(password) == 24
    assert Argon2Hasher().verify(password, _stored("mia").password_hash)
    assert _stored("mia").groups == frozenset({"hr", "it"})


def test_a_piped_password_is_never_shown(state_dir: Path) -> None:
    code, world = _run(
        state_dir, "add", "mia", "--role", "reader", "--password-stdin", "--json", stdin="a long password\n"
    )

    assert code == 0
    assert json.loads(shown(world)) == {
        "username": "mia",
        "tenant": "acme",
        "role": "reader",
        "groups": [],
        "disabled": False,
        "outcome": "added",
    }
    assert Argon2Hasher().verify("a long password", _stored("mia").password_hash)


def test_an_existing_user_is_changed_only_on_request(state_dir: Path) -> None:
    _run(state_dir, "add", "mia", "--role", "reader", "--password", "first password")
    _run(state_dir, "disable", "mia")

    refused, world = _run(state_dir, "add", "mia", "--role", "admin")
    assert (refused, remarked(world)) == (
        2,
        "user_exists: There is a user mia; change it with --update.\n",
    )

    updated, world = _run(state_dir, "add", "mia", "--role", "admin", "--update")
    assert (updated, shown(world)) == (0, "updated mia  acme  admin  (disabled)\n")
    assert Argon2Hasher().verify("first password", _stored("mia").password_hash)

    _run(state_dir, "add", "mia", "--role", "admin", "--update", "--password", "second password")
    assert Argon2Hasher().verify("second password", _stored("mia").password_hash)


def test_a_change_keeps_what_is_not_given(state_dir: Path) -> None:
    _run(state_dir, "add", "mia", "--tenant", "globex", "--role", "reader", "--groups", "hr,it")

    _, role = _run(state_dir, "add", "mia", "--role", "editor", "--update")
    _, groups = _run(state_dir, "add", "mia", "--groups", "", "--update")
    _, moved = _run(state_dir, "add", "mia", "--tenant", "acme", "--update")

    assert shown(role) == "updated mia  globex  editor groups hr,it\n"
    assert shown(groups) == "updated mia  globex  editor\n"
    assert shown(moved) == "updated mia  acme  editor\n"


def test_an_update_of_nobody_adds_a_user_and_a_new_user_needs_a_role(state_dir: Path) -> None:
    refused, refusal = _run(state_dir, "add", "mia", "--update")
    added, world = _run(state_dir, "add", "mia", "--role", "reader", "--update", "--password", "long enough")

    assert (refused, remarked(refusal)) == (
        2,
        "role_missing: A new user needs a role: give mia one with --role.\n",
    )
    assert (added, shown(world)) == (0, "added mia  acme  reader\n")


def test_a_password_is_changed_and_the_rest_stays(state_dir: Path) -> None:
    _run(state_dir, "add", "mia", "--tenant", "globex", "--role", "reader", "--groups", "hr")
    before = _stored("mia")

    code, world = _run(state_dir, "password", "mia", "--password-stdin", stdin="another password\n")

    assert (code, shown(world)) == (0, "changed the password of mia  globex  reader groups hr\n")
    assert Argon2Hasher().verify("another password", _stored("mia").password_hash)
    assert replace(_stored("mia"), stamp="", password_hash="") == replace(before, stamp="", password_hash="")
    assert _stored("mia").stamp != before.stamp


def test_a_generated_password_of_a_login_on_file_is_shown_and_the_file_named(state_dir: Path) -> None:
    _run(state_dir, "add", "rea@acme", "--role", "reader")

    code, world = _run(state_dir, "password", "rea@acme")

    assert code == 0
    password = shown(world).splitlines()[1].removeprefix("password (shown only now): ")
    assert Argon2Hasher().verify(password, _stored("rea@acme").password_hash)
    assert remarked(world).startswith("The file with the logins still holds the old one")


def test_disabling_and_enabling_change_the_row_and_its_stamp(state_dir: Path) -> None:
    _run(state_dir, "add", "mia", "--role", "reader")
    before = _stored("mia")

    code, world = _run(state_dir, "disable", "mia")
    assert (code, shown(world)) == (0, "disabled mia  acme  reader  (disabled)\n")
    assert _stored("mia").is_disabled
    assert _stored("mia").stamp != before.stamp

    code, _ = _run(state_dir, "enable", "mia")
    assert code == 0
    assert not _stored("mia").is_disabled


def test_users_are_listed_by_name_without_hashes(state_dir: Path) -> None:
    _run(state_dir, "add", "zoe", "--role", "reader")
    _run(state_dir, "add", "mia", "--tenant", "globex", "--role", "admin")

    _, world = _run(state_dir, "list", "--json")
    assert [user["username"] for user in json.loads(shown(world))] == ["mia", "zoe"]
    assert "argon2" not in shown(world)

    _, world = _run(state_dir, "list", "--tenant", "acme")
    assert shown(world) == "zoe  acme  reader\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("disable", "nobody"), "user_not_found"),
        (("password", "nobody"), "user_not_found"),
        (("add", "UPPER", "--role", "reader"), "invalid_username"),
        (("add", "mia", "--role", "reader", "--password", "short"), "invalid_password"),
        (("add", "mia", "--role", "reader", "--tenant", "No Tenant"), "invalid_tenant"),
        (("add", "mia", "--role", "reader", "--groups", "a b"), "invalid_group"),
    ],
)
def test_wrong_input_is_named(state_dir: Path, arguments: tuple[str, ...], code: str) -> None:
    exit_code, world = _run(state_dir, *arguments)

    assert exit_code == 1
    assert remarked(world).startswith(f"{code}: ")


def test_a_file_of_users_is_added_with_their_passwords_and_changed_on_request(state_dir: Path) -> None:
    users = [
        {"username": "mia", "tenant": "acme", "role": "reader", "password": "first password"},
        {
            "username": "noa",
            "tenant": "globex",
            "role": "admin",
            "groups": ["hr"],
            "password": "other password",
        },
    ]
    again = json.dumps([users[0] | {"role": "editor", "password": None}, users[1]])

    added, world = _run(state_dir, "import", "-", stdin=json.dumps(users))
    refused, refusal = _run(state_dir, "import", "-", stdin=again)
    updated, update = _run(state_dir, "import", "-", "--update", stdin=again)

    assert (added, shown(world)) == (0, "added mia  acme  reader\nadded noa  globex  admin groups hr\n")
    assert (refused, remarked(refusal)) == (
        2,
        "user_exists: There is a user mia; change it with --update.\n",
    )
    assert (updated, shown(update)) == (
        0,
        "updated mia  acme  editor\nupdated noa  globex  admin groups hr\n",
    )
    assert Argon2Hasher().verify("first password", _stored("mia").password_hash)
    assert Argon2Hasher().verify("other password", _stored("noa").password_hash)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{", "as a whole"),
        ('[{"username": "mia", "tenant": "acme", "role": "reader"}]', "[0].password: Field required"),
        (
            '[{"username": "mia", "tenant": "acme", "role": "reader", "password": 12345678}]',
            "[0].password: Input should be a valid string",
        ),
    ],
)
def test_a_damaged_file_of_users_adds_nobody_and_shows_no_password(
    state_dir: Path, tmp_path: Path, text: str, where: str
) -> None:
    file = tmp_path / "users.json"
    file.write_text(text)

    code, world = _run(state_dir, "import", str(file))

    assert code == 2
    assert remarked(world).startswith("users_damaged: ")
    assert where in remarked(world)
    assert "12345678" not in remarked(world)
    assert DynamoDbUsers("users", boto3.client("dynamodb", region_name="eu-central-1")).get("mia") is None
