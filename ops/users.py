"""`ops user add|import|disable|enable|list`: who may log in."""

import secrets
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haylift.adapters.dynamodb_users import DynamoDbUsers
from haylift.adapters.password_hashes import Argon2Hasher
from haylift.domain.errors import InvalidInput
from haylift.domain.identity import Role
from haylift.ports.identity import User
from haylift.services.users import UserDirectory
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ops.faults import EXIT_OK, UsageFault
from ops.questions import add_password_arguments
from ops.session import Session, World

GENERATED_PASSWORD_BYTES = 18
"""144 random bits, 24 characters."""


class WantedUser(BaseModel):
    """A user as `ops user import` reads it; `UserDirectory` says which names, roles and passwords it takes.

    A password of None is generated for a new user, and stays as it is for an existing one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    username: str
    tenant: str
    role: str
    groups: tuple[str, ...] = ()
    password: str | None


@dataclass(frozen=True)
class WorldClock:
    """The directory's clock (`ports.Clock`)."""

    world: World

    def now(self) -> float:
        """Epoch seconds, UTC."""
        return self.world.now()


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `ops user add`."""
    parser.add_argument("name", metavar="NAME", help="1-64 of a-z, 0-9 and . _ @ -")
    parser.add_argument("--tenant", help="whose documents the user sees (local default: the first tenant)")
    parser.add_argument(
        "--role",
        choices=[role.value for role in Role],
        required=True,
        help="reader: read; editor: and write; admin: and see operational details",
    )
    parser.add_argument("--groups", default="", metavar="A,B", help="access groups inside the tenant")
    parser.add_argument(
        "--update",
        action="store_true",
        help="change the user if there is one; the password stays when none is given",
    )
    add_password_arguments(parser)


def add_import_arguments(parser: ArgumentParser) -> None:
    """The options of `ops user import`."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help='JSON, `-` for stdin: [{"username": ..., "tenant": ..., "role": ..., '
        '"password": ...}], each with "groups": [...] if it has any; a password of null is generated',
    )
    parser.add_argument("--update", action="store_true", help="change those who are there already")


def add_name_argument(parser: ArgumentParser) -> None:
    """The option of `ops user disable` and `ops user enable`."""
    parser.add_argument("name", metavar="NAME")


def add_list_arguments(parser: ArgumentParser) -> None:
    """The options of `ops user list`."""
    parser.add_argument("--tenant", help="only this tenant's users")


def run_add(session: Session) -> int:
    """Adds or changes a user; a generated password is shown this once."""
    options = session.options
    tenant = session.deployment().tenant(options.tenant)
    groups = tuple(group.strip() for group in options.groups.split(",") if group.strip())
    wanted = WantedUser(
        username=options.name, tenant=tenant, role=options.role, groups=groups, password=session.password()
    )
    put = _put(_directory(session), wanted, is_update=options.update)
    session.terminal.result(_result(*put), _lines(*put))
    return EXIT_OK


def run_import(session: Session) -> int:
    """Adds or changes the users of a file, in its order; the file is checked as a whole first."""
    file = session.options.file
    text = session.world.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    wanted = _wanted_users(text)
    directory = _directory(session)
    done = [_put(directory, user, is_update=session.options.update) for user in wanted]
    session.terminal.result([_result(*put) for put in done], [line for put in done for line in _lines(*put)])
    return EXIT_OK


def _wanted_users(text: str) -> list[WantedUser]:
    try:
        return TypeAdapter(list[WantedUser]).validate_json(text)
    except ValidationError as fault:
        first = fault.errors(include_input=False, include_url=False)[0]
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        detail = f"The file is no list of users ({where or 'as a whole'}: {first['msg']}); see --help."
        raise UsageFault("users_damaged", detail) from fault


def _put(directory: UserDirectory, wanted: WantedUser, *, is_update: bool) -> tuple[User, str, str | None]:
    """The user as stored, what was done, and the password where one was generated."""
    rights: dict[str, Any] = {"tenant": wanted.tenant, "role": wanted.role, "groups": wanted.groups}
    given = wanted.password
    generated = None if given is not None else secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)
    try:
        password = given if given is not None else generated or ""
        return directory.add(wanted.username, **rights, password=password), "added", generated
    except InvalidInput as fault:
        if fault.code != "user_exists":
            raise
        if not is_update:
            detail = f"There is a user {wanted.username}; change it with --update."
            raise UsageFault("user_exists", detail) from fault
        return directory.update(wanted.username, **rights, password=given), "updated", None


def run_disable(session: Session) -> int:
    """Puts a user out, within 5 seconds."""
    return _show(session, _directory(session).disable(session.options.name), "disabled")


def run_enable(session: Session) -> int:
    """Lets a user in again."""
    return _show(session, _directory(session).enable(session.options.name), "enabled")


def run_list(session: Session) -> int:
    """Shows the users, by name; never a hash."""
    users = _directory(session).list(session.options.tenant)
    session.terminal.result(
        [_document(user) for user in users], [_line(user) for user in users] or ["There are no users."]
    )
    return EXIT_OK


def _directory(session: Session) -> UserDirectory:
    deployment = session.deployment()
    table = DynamoDbUsers(deployment.output("UsersTableName"), deployment.client("dynamodb"))
    return UserDirectory(table, Argon2Hasher(), WorldClock(session.world))


def _result(user: User, verb: str, generated: str | None) -> dict[str, Any]:
    return _document(user) | {"outcome": verb} | ({"password": generated} if generated else {})


def _lines(user: User, verb: str, generated: str | None) -> list[str]:
    password = [] if generated is None else [f"password (shown only now): {generated}"]
    return [f"{verb} {_line(user)}", *password]


def _show(session: Session, user: User, verb: str) -> int:
    session.terminal.result(_document(user) | {"outcome": verb}, [f"{verb} {_line(user)}"])
    return EXIT_OK


def _document(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "tenant": user.tenant,
        "role": user.role.value,
        "groups": sorted(user.groups),
        "disabled": user.is_disabled,
    }


def _line(user: User) -> str:
    groups = f" groups {','.join(sorted(user.groups))}" if user.groups else ""
    return f"{user.username}  {user.tenant}  {user.role}{groups}{'  (disabled)' if user.is_disabled else ''}"
