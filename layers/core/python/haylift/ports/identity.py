"""What logging in needs from the world."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from haylift.domain.identity import Role


class Clock(Protocol):
    """The time of day."""

    def now(self) -> float:
        """Epoch seconds, UTC."""


@dataclass(frozen=True, kw_only=True)
class User:
    """A user's row. `stamp` changes with role, tenant, groups, password and disabling."""

    username: str
    tenant: str
    role: Role
    password_hash: str
    groups: frozenset[str] = frozenset()
    is_disabled: bool = False
    stamp: str = ""


class Users(Protocol):
    """The directory of users. All methods raise `StoreUnavailable`."""

    def get(self, username: str) -> User | None:
        """The user, strongly consistent."""

    def put(self, user: User, *, must_be_new: bool = False) -> None:
        """Writes the user. Raises InvalidInput `user_exists` when it must be new and is not."""

    def set_password_hash(self, username: str, old_hash: str, new_hash: str) -> None:
        """Replaces the hash if it still is `old_hash`; otherwise does nothing."""

    def replace_stamp(self, username: str, old_stamp: str, new_stamp: str) -> None:
        """Replaces the stamp if it still is `old_stamp`; otherwise does nothing."""

    def list(self, tenant: str | None = None) -> tuple[User, ...]:
        """All users, or a tenant's, by name."""

    def check(self) -> None:
        """Asks the table whether it answers."""


@dataclass(frozen=True, kw_only=True)
class RefreshToken:
    """A stored refresh token: only the hash of its secret; one family per login."""

    token_hash: str
    family: str
    username: str
    user_stamp: str
    expires_at: float
    used_at: float = 0.0


class RefreshTokens(Protocol):
    """Stored refresh tokens. All methods raise `StoreUnavailable`."""

    def put(self, token: RefreshToken) -> None:
        """Stores a token."""

    def get(self, token_hash: str) -> RefreshToken | None:
        """The token; None when unknown or revoked."""

    def find(self, token_hash: str) -> RefreshToken | None:
        """The token, revoked or not; None when unknown. For ending what may be ended already."""

    def mark_used(self, token_hash: str, at: float) -> bool:
        """Marks the token as used; False when it already was."""

    def count_reuse(self, token_hash: str) -> int:
        """Counts one more use of a used token: 1 for the first, never the same number twice; 0 when gone."""

    def revoke_family(self, family: str) -> None:
        """Makes every token of the family unknown."""


class Revocations(Protocol):
    """Access tokens that were logged out. All methods raise `StoreUnavailable`."""

    def revoke(self, token_id: str, until: float) -> None:
        """Makes the access token with the `jti` `token_id` worthless; kept until `until`, epoch seconds."""


@dataclass(frozen=True, kw_only=True)
class CallerRows:
    """What the tables say about a token: its user's row, and whether it was logged out."""

    user: User | None
    is_revoked: bool


class Callers(Protocol):
    """The rows that decide about a token, read together."""

    def read(self, username: str, token_id: str) -> CallerRows:
        """Both rows in one request, strongly consistent. Raises `StoreUnavailable`."""


class PasswordHasher(Protocol):
    """One-way hashes of passwords."""

    def hash(self, password: str) -> str:
        """A new argon2id hash."""

    def verify(self, password: str, password_hash: str) -> bool:
        """Says whether the password fits; old bcrypt hashes too. Takes as long for an unusable hash."""

    def needs_rehash(self, password_hash: str) -> bool:
        """True for bcrypt and outdated parameters."""


class TokenSigner(Protocol):
    """Signs and verifies access tokens (JWT, ES256)."""

    def sign(self, claims: Mapping[str, object]) -> str:
        """A signed token. Raises `StoreUnavailable`."""

    def verify(self, token: str) -> dict[str, object]:
        """The claims of a token with valid signature, issuer, audience and time; else `NotAuthenticated`."""

    def jwks(self) -> dict[str, object]:
        """The public keys (RFC 7517)."""
