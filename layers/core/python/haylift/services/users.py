"""The directory of users as an operator changes it."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import replace

from haylift.domain.errors import InvalidInput, NotFound
from haylift.domain.identity import Role, is_tenant_name
from haylift.ports.identity import Clock, PasswordHasher, User, Users

USERNAME_PATTERN = re.compile(r"[a-z0-9._@-]{1,64}")
GROUP_PATTERN = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""No comma: groups travel to the functions as one comma-separated text."""

MAX_GROUPS = 50
MIN_PASSWORD_CHARS = 8
MAX_PASSWORD_CHARS = 1_024
"""Bounds the work of one hash; far above the 64 characters that NIST SP 800-63B asks to accept."""


class UserDirectory:
    """Adds users, lets them in and puts them out.

    Every change but adding takes effect for new requests within 5 s (the authorizer's cache) and ends
    the user's refresh tokens, because it changes the user's `stamp`. All methods raise
    `StoreUnavailable`, after which a retry is safe.
    """

    def __init__(self, users: Users, hasher: PasswordHasher, clock: Clock) -> None:
        self._users = users
        self._hasher = hasher
        self._clock = clock

    def add(
        self, username: str, *, tenant: str, role: Role | str, password: str, groups: Iterable[str] = ()
    ) -> User:
        """Adds a user.

        Raises:
            InvalidInput: `invalid_username`, `invalid_tenant`, `invalid_role`, `invalid_password`,
                `invalid_group`, or `user_exists`.
        """
        user = User(
            username=_checked_username(username),
            tenant=_checked_tenant(tenant),
            role=_checked_role(role),
            groups=_checked_groups(groups),
            password_hash=self._hasher.hash(_checked_password(password)),
            stamp=new_stamp(self._clock.now()),
        )
        self._users.put(user, must_be_new=True)
        return user

    def disable(self, username: str) -> User:
        """Puts a user out. Raises `NotFound` (`user_not_found`)."""
        return self._change(replace(self._existing(username), is_disabled=True))

    def enable(self, username: str) -> User:
        """Lets a disabled user in again. Raises `NotFound` (`user_not_found`)."""
        return self._change(replace(self._existing(username), is_disabled=False))

    def set_password(self, username: str, password: str) -> User:
        """Gives a user another password.

        Raises:
            NotFound: `user_not_found`.
            InvalidInput: `invalid_password`.
        """
        user = self._existing(username)
        return self._change(replace(user, password_hash=self._hasher.hash(_checked_password(password))))

    def update(
        self,
        username: str,
        *,
        tenant: str | None = None,
        role: Role | str | None = None,
        groups: Iterable[str] | None = None,
        password: str | None = None,
    ) -> User:
        """Changes what is given and keeps the rest; None keeps, no groups are `()`.

        A disabled user stays disabled.

        Raises:
            NotFound: `user_not_found`.
            InvalidInput: as `add`; nothing is changed then.
        """
        user = self._existing(username)
        if tenant is not None:
            user = replace(user, tenant=_checked_tenant(tenant))
        if role is not None:
            user = replace(user, role=_checked_role(role))
        if groups is not None:
            user = replace(user, groups=_checked_groups(groups))
        if password is not None:
            user = replace(user, password_hash=self._hasher.hash(_checked_password(password)))
        return self._change(user)

    def list(self, tenant: str | None = None) -> tuple[User, ...]:
        """All users, or a tenant's, by name."""
        return self._users.list(tenant)

    def _existing(self, username: str) -> User:
        user = self._users.get(username) if is_username(username) else None
        if user is None:
            raise NotFound("There is no user of that name; see the list of users.", code="user_not_found")
        return user

    def _change(self, user: User) -> User:
        changed = replace(user, stamp=new_stamp(self._clock.now()))
        self._users.put(changed)
        return changed


def new_stamp(now: float) -> str:
    """Never the same twice; begins with the time, so that a row says when it was changed last."""
    return f"{int(now * 1000):x}-{secrets.token_hex(6)}"


def is_username(text: str) -> bool:
    """Says whether `text` may name a user.

    >>> is_username("ada@acme"), is_username("Ada"), is_username("")
    (True, False, False)
    """
    return USERNAME_PATTERN.fullmatch(text) is not None


def _checked_username(username: str) -> str:
    if not is_username(username):
        raise _invalid("username", "A user name has 1-64 characters of a-z, 0-9 and . _ @ -")
    return username


def _checked_tenant(tenant: str) -> str:
    if not is_tenant_name(tenant):
        raise _invalid("tenant", "A tenant's name has 1-40 characters of a-z, 0-9 and inner hyphens.")
    return tenant


def _checked_role(role: Role | str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise _invalid("role", f"A role is one of {', '.join(Role)}.") from None


def _checked_password(password: str) -> str:
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise _invalid(
            "password", f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS:,} characters."
        )
    return password


def _checked_groups(groups: Iterable[str]) -> frozenset[str]:
    checked = frozenset(groups)
    if len(checked) > MAX_GROUPS or not all(GROUP_PATTERN.fullmatch(group) for group in checked):
        raise _invalid(
            "group", f"A user has at most {MAX_GROUPS} groups, each 1-64 of A-Z, a-z, 0-9 and . _ -"
        )
    return checked


def _invalid(field: str, detail: str) -> InvalidInput:
    return InvalidInput(detail, code=f"invalid_{field}", where=field)
