"""`ops user add|import|password|disable|enable|list`: who may log in."""

import secrets
from argparse import ArgumentParser
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haylift.adapters.dynamodb_users import DynamoDbUsers
from haylift.adapters.password_hashes import Argon2Hasher
from haylift.domain.errors import InvalidInput, NotFound
from haylift.domain.identity import Role
from haylift.ports.identity import User
from haylift.services.users import UserDirectory
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ops.changes import audited
from ops.faults import EXIT_OK, UsageFault
from ops.questions import add_password_arguments
from ops.session import Session, World

GENERATED_PASSWORD_BYTES = 18
"""144 random bits, 24 characters."""

NEW_PASSWORD = "changed the password of"  # noqa: S105  # what was done, not a secret
ACTION_BY_VERB = {
    "added": "user.add",
    "updated": "user.update",
    NEW_PASSWORD: "user.password",
    "disabled": "user.disable",
    "enabled": "user.enable",
}


class WantedUser(BaseModel):
    """A user as `ops user import` reads it; `UserDirectory` says which names, roles and passwords it takes.

    What is None stays as it is for an existing user. For a new one the password is generated, the tenant
    is the local system's first one, there are no groups, and the role has to be given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    username: str
    tenant: str | None
    role: str | None
    groups: tuple[str, ...] | None = None
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
    parser.add_argument(
        "--tenant", help="whose documents the user sees (local default for a new user: the first tenant)"
    )
    parser.add_argument(
        "--role",
        choices=[role.value for role in Role],
        help="reader: read; editor: and write; admin: and see operational details; a new user needs one",
    )
    parser.add_argument(
        "--groups", metavar="A,B", help="access groups inside the tenant; an empty text takes them away"
    )
    parser.add_argument(
        "--update",
        action="store_true",
        help="change the user if there is one: what is not given stays, tenant and password too",
    )
    add_password_arguments(parser)


def add_import_arguments(parser: ArgumentParser) -> None:
    """The options of `ops user import`."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help='JSON, `-` for stdin: [{"username": ..., "tenant": ..., "role": ..., '
        '"password": ...}], each with "groups": [...] if it has any; a null stays as it is, or is generated',
    )
    parser.add_argument("--update", action="store_true", help="change those who are there already")


def add_name_argument(parser: ArgumentParser) -> None:
    """The option of `ops user disable` and `ops user enable`."""
    parser.add_argument("name", metavar="NAME")


def add_new_password_arguments(parser: ArgumentParser) -> None:
    """The options of `ops user password`; without one of the two a password is generated."""
    add_name_argument(parser)
    add_password_arguments(parser)


def add_list_arguments(parser: ArgumentParser) -> None:
    """The options of `ops user list`."""
    parser.add_argument("--tenant", help="only this tenant's users")


def run_add(session: Session) -> int:
    """Adds or changes a user; a generated password is shown this once."""
    options = session.options
    wanted = WantedUser(
        username=options.name,
        tenant=options.tenant,
        role=options.role,
        groups=_groups(options.groups),
        password=session.password(),
    )
    put = _put(session, _directory(session), wanted=wanted)
    session.terminal.result(_result(*put), _lines(*put))
    _audit(session, *put)
    return EXIT_OK


def _groups(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(group.strip() for group in text.split(",") if group.strip())


def run_import(session: Session) -> int:
    """Adds or changes the users of a file, in its order; the file is checked as a whole first."""
    file = session.options.file
    text = session.world.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    wanted = _wanted_users(text)
    directory = _directory(session)
    done = [_put(session, directory, wanted=user) for user in wanted]
    session.terminal.result([_result(*put) for put in done], [line for put in done for line in _lines(*put)])
    for put in done:
        _audit(session, *put)
    return EXIT_OK


def _wanted_users(text: str) -> list[WantedUser]:
    try:
        return TypeAdapter(list[WantedUser]).validate_json(text)
    except ValidationError as fault:
        first = fault.errors(include_input=False, include_url=False)[0]
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        detail = f"The file is no list of users ({where or 'as a whole'}: {first['msg']}); see --help."
        raise UsageFault("users_damaged", detail) from fault


def _put(session: Session, directory: UserDirectory, *, wanted: WantedUser) -> tuple[User, str, str | None]:
    """The user as stored, what was done, and the password where one was generated."""
    if session.options.update:
        with suppress(NotFound):
            changed = directory.update(
                wanted.username,
                tenant=wanted.tenant,
                role=wanted.role,
                groups=wanted.groups,
                password=wanted.password,
            )
            return changed, "updated", None
    if wanted.role is None:
        raise UsageFault("role_missing", f"A new user needs a role: give {wanted.username} one with --role.")
    tenant = wanted.tenant if wanted.tenant is not None else session.deployment().tenant(None)
    generated, password = _new_password(wanted.password)
    try:
        added = directory.add(
            wanted.username, tenant=tenant, role=wanted.role, groups=wanted.groups or (), password=password
        )
    except InvalidInput as fault:
        if fault.code != "user_exists":
            raise
        detail = f"There is a user {wanted.username}; change it with --update."
        raise UsageFault("user_exists", detail) from fault
    return added, "added", generated


def _new_password(given: str | None) -> tuple[str | None, str]:
    """The generated password, None where one was given, and the one to take."""
    if given is not None:
        return None, given
    generated = secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)
    return generated, generated


def run_password(session: Session) -> int:
    """Gives a user another password; a generated one is shown this once."""
    name = session.options.name
    generated, password = _new_password(session.password())
    changed = _directory(session).set_password(name, password)
    put = (changed, NEW_PASSWORD, generated)
    session.terminal.result(_result(*put), _lines(*put))
    _audit(session, *put)
    if any(login.username == name for login in session.deployment().users):
        session.terminal.remark("The file with the logins still holds the old one: give --password with it.")
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


def _result(user: User, verb: str, generated: str | None) -> dict[str, Any]:
    return _document(user) | {"outcome": verb} | ({"password": generated} if generated else {})


def _lines(user: User, verb: str, generated: str | None) -> list[str]:
    password = [] if generated is None else [f"password (shown only now): {generated}"]
    return [f"{verb} {_line(user)}", *password]


def _audit(session: Session, user: User, verb: str, _generated: str | None) -> None:
    """Keeps the record of a change that was shown: a generated password must not be lost to a fault here."""
    audited(
        session.deployment(),
        ACTION_BY_VERB[verb],
        user.username,
        done=f"{verb} {user.username}",
        tenant=user.tenant,
    )


def _show(session: Session, user: User, verb: str) -> int:
    session.terminal.result(_document(user) | {"outcome": verb}, [f"{verb} {_line(user)}"])
    _audit(session, user, verb, None)
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
