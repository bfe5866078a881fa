"""Who asks, and what the answer may contain."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

TENANT_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
"""A tenant's name: 1-40 lower-case letters, digits and inner hyphens, safe in keys, paths and index names."""


class Permission(StrEnum):
    """What a token may do; the names are those of Haystack's production guides."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Role(StrEnum):
    """A user's role; it decides the permissions."""

    READER = "reader"
    EDITOR = "editor"
    ADMIN = "admin"

    @property
    def permissions(self) -> frozenset[Permission]:
        """The permissions that come with the role."""
        return _PERMISSIONS_BY_ROLE[self]


_PERMISSIONS_BY_ROLE = {
    Role.READER: frozenset({Permission.READ}),
    Role.EDITOR: frozenset({Permission.READ, Permission.WRITE}),
    Role.ADMIN: frozenset({Permission.READ, Permission.WRITE, Permission.ADMIN}),
}


def is_tenant_name(text: str) -> bool:
    """Says whether `text` may name a tenant.

    >>> is_tenant_name("acme"), is_tenant_name("*"), is_tenant_name("t1#t2"), is_tenant_name("")
    (True, False, False, False)
    """
    return TENANT_PATTERN.fullmatch(text) is not None


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a search may see: one tenant, and within it what the groups may read.

    Made only from a verified token (`Principal.scope`); a mandatory argument of the index port and
    never part of a user's filter.
    """

    tenant: str
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A verified caller, as the authorizer passes it on."""

    subject: str
    tenant: str
    role: Role
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    groups: frozenset[str] = field(default_factory=frozenset)

    @property
    def scope(self) -> Scope:
        """The scope of every search made for this caller."""
        return Scope(tenant=self.tenant, groups=self.groups)

    def may(self, permission: Permission) -> bool:
        """Says whether the caller has `permission`."""
        return permission in self.permissions


@dataclass(frozen=True, kw_only=True)
class Session:
    """A caller and the access token that speaks for them.

    Args:
        token_id: the token's `jti`.
        expires_at: its `exp`, epoch seconds.
        stamp: of the user's row when the token was signed.
    """

    principal: Principal
    token_id: str
    expires_at: int
    stamp: str
