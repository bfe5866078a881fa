"""A bearer token in, a verified caller out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from haylift.domain.errors import NotAuthenticated
from haylift.domain.identity import Permission, Principal, Role, Session, is_tenant_name
from haylift.ports.identity import Callers, TokenSigner, User
from haylift.services.login import ACCESS_TOKEN_TYPE
from haylift.services.users import is_username
from haylift.tracing import Hop, hop

_TOKEN_ID = re.compile(r"[!-~]{1,64}")
_BEARER = re.compile(r"bearer +([!-~]+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class AuthorizeService:
    """Verifies callers: first their token, then that their row still says the same."""

    signer: TokenSigner
    callers: Callers

    def session(self, authorization: str) -> Session:
        """The caller behind an `Authorization` header.

        Role, tenant and groups are those of the user's row, read strongly consistent; a token from
        before the row's last change, or logged out, is refused.

        Raises:
            NotAuthenticated: for every header that is not a valid access token of an enabled user.
            StoreUnavailable: keys or users cannot be read; a retry helps.
        """
        match = _BEARER.fullmatch(authorization)
        if match is None:
            raise _refusal("no bearer token", code="no_token")
        with hop(Hop.KEYS):
            claims = self.signer.verify(match.group(1))
        claimed = claimed_user(claims)
        with hop(Hop.TABLES, table="users"):
            rows = self.callers.read(claimed.username, claimed.token_id)
        if rows.is_revoked:
            raise _refusal("logged out", code="token_revoked")
        user = rows.user
        if user is None or user.is_disabled or not claimed.is_still(user):
            raise _refusal("user changed", code="user_changed")
        principal = Principal(
            subject=user.username,
            tenant=user.tenant,
            role=user.role,
            permissions=claimed.permissions,
            groups=user.groups,
        )
        return Session(
            principal=principal,
            token_id=claimed.token_id,
            expires_at=claimed.expires_at,
            stamp=claimed.stamp,
        )


@dataclass(frozen=True, kw_only=True)
class ClaimedUser:
    """What a token with a valid signature says, with every claim checked."""

    username: str
    tenant: str
    role: Role
    permissions: frozenset[Permission]
    groups: frozenset[str]
    stamp: str
    token_id: str
    expires_at: int

    def is_still(self, user: User) -> bool:
        """True when the user's row has not changed since the token was signed."""
        return (self.stamp, self.tenant, self.role, self.groups) == (
            user.stamp,
            user.tenant,
            user.role,
            user.groups,
        )


def claimed_user(claims: Mapping[str, object]) -> ClaimedUser:
    """Checks the claims that are Haylift's own.

    Raises:
        NotAuthenticated: when one is missing, of a wrong type, unknown, or more than its role gives.
    """
    if claims.get("typ") != ACCESS_TOKEN_TYPE:
        raise _refusal("not an access token")
    username, tenant, stamp, token_id = (_text(claims, name) for name in ("sub", "tenant", "stamp", "jti"))
    try:
        role = Role(_text(claims, "role"))
        permissions = frozenset(Permission(name) for name in _texts(claims, "permissions"))
    except ValueError:
        raise _refusal("unknown role or permission") from None
    if not is_username(username) or not is_tenant_name(tenant) or not permissions <= role.permissions:
        raise _refusal("claim out of range")
    expires_at = claims.get("exp")
    if type(expires_at) is not int or _TOKEN_ID.fullmatch(token_id) is None:
        raise _refusal("claim out of range")
    return ClaimedUser(
        username=username,
        tenant=tenant,
        role=role,
        permissions=permissions,
        groups=frozenset(_texts(claims, "groups")),
        stamp=stamp,
        token_id=token_id,
        expires_at=expires_at,
    )


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise _refusal(f"claim {name} is not a text")
    return value


def _texts(claims: Mapping[str, object], name: str) -> list[str]:
    value = claims.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _refusal(f"claim {name} is not a list of texts")
    return value


def _refusal(reason: str, *, code: str = "token_invalid") -> NotAuthenticated:
    return NotAuthenticated(f"The token is not valid ({reason}): log in again.", code=code)
