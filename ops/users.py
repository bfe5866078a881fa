"""`ops user add|disable|enable|list`: who may log in."""

import secrets
from argparse import ArgumentParser
from dataclasses import dataclass
from typing import Any

from haylift.adapters.dynamodb_users import DynamoDbUsers
from haylift.adapters.password_hashes import Argon2Hasher
from haylift.domain.errors import InvalidInput
from haylift.domain.identity import Role
from haylift.ports.identity import User
from haylift.services.users import UserDirectory

from ops.faults import EXIT_OK, UsageFault
from ops.questions import add_password_arguments
from ops.session import Session, World

GENERATED_PASSWORD_BYTES = 18
"""144 random bits, 24 characters."""


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


def add_name_argument(parser: ArgumentParser) -> None:
    """The option of `ops user disable` and `ops user enable`."""
    parser.add_argument("name", metavar="NAME")


def add_list_arguments(parser: ArgumentParser) -> None:
    """The options of `ops user list`."""
    parser.add_argument("--tenant", help="only this tenant's users")


def run_add(session: Session) -> int:
    """Adds or changes a user; a generated password is shown this once."""
    options = session.options
    directory = _directory(session)
    given = session.password()
    tenant = session.deployment().tenant(options.tenant)
    groups = tuple(group.strip() for group in options.groups.split(",") if group.strip())
    rights = {"tenant": tenant, "role": options.role, "groups": groups}
    generated = None if given is not None else secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)
    try:
        user = directory.add(options.name, **rights, password=given if given is not None else generated or "")
        verb = "added"
    except InvalidInput as fault:
        if fault.code != "user_exists":
            raise
        if not options.update:
            detail = f"There is a user {options.name}; change it with --update."
            raise UsageFault("user_exists", detail) from fault
        user, verb, generated = directory.update(options.name, **rights, password=given), "updated", None
    lines = [f"{verb} {_line(user)}"]
    if generated is not None:
        lines.append(f"password (shown only now): {generated}")
    document = _document(user) | {"outcome": verb} | ({"password": generated} if generated else {})
    session.terminal.result(document, lines)
    return EXIT_OK


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
