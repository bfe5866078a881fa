"""Passwords and refresh tokens in, access tokens out."""

import hashlib
import logging
import secrets
from dataclasses import dataclass

from haylift.domain.errors import NotAuthenticated, StoreUnavailable
from haylift.ports.identity import (
    Clock,
    PasswordHasher,
    RefreshToken,
    RefreshTokens,
    TokenSigner,
    User,
    Users,
)
from haylift.services.users import is_username
from haylift.tracing import Hop, hop

ACCESS_TOKEN_TYPE = "access"  # noqa: S105  # the claim `typ`, not a secret
REFRESH_TOKEN_BYTES = 32
REUSE_GRACE_S = 30.0
"""A client whose answer was lost asks again within seconds; later reuse means a stolen token (RFC 9700)."""

MAX_REUSES = 3
"""Answers that one client may lose in a row; more askers within the grace are not one client."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TokenPair:
    """What a login gives, and to whom. Only the hash of `refresh_token` is stored; lifetimes in seconds."""

    username: str
    tenant: str
    access_token: str
    expires_in_s: int
    refresh_token: str
    refresh_expires_in_s: int


@dataclass(frozen=True, kw_only=True)
class LoginService:
    """Logs users in and keeps them logged in.

    Args:
        access_token_ttl_s, refresh_token_ttl_s: lifetimes; a refresh token's starts anew at each use.
    """

    users: Users
    hasher: PasswordHasher
    refresh_tokens: RefreshTokens
    signer: TokenSigner
    clock: Clock
    access_token_ttl_s: int
    refresh_token_ttl_s: int

    def login(self, username: str, password: str) -> TokenPair:
        """A first pair of tokens for a right password; an old password hash is renewed on the way.

        Raises:
            NotAuthenticated: `invalid_credentials`, the same for an unknown user, a wrong password and
                a disabled user, after exactly one password check each.
            StoreUnavailable: a retry helps.
        """
        user = self._user(username) if is_username(username) else None
        is_right = self.hasher.verify(password, user.password_hash if user else "")
        if user is None or not is_right or user.is_disabled:
            raise NotAuthenticated("User name or password is wrong.", code="invalid_credentials")
        self._renew_hash(user, password)
        return self._new_pair(user, family=secrets.token_hex(16))

    def refresh(self, refresh_token: str) -> TokenPair:
        """The next pair of tokens; the old refresh token is used up.

        Using it again within 30 s gives another pair (the answer may have been lost), up to 3 times;
        more often or later it ends the whole family, because one of the two users is a thief.

        Raises:
            NotAuthenticated: `invalid_refresh_token`; log in again.
            StoreUnavailable: a retry helps.
        """
        token_hash = hashed_refresh_token(refresh_token)
        with hop(Hop.TABLES, table="tokens"):
            token = self.refresh_tokens.get(token_hash)
        if token is None or token.expires_at <= self.clock.now():
            raise _refusal()
        user = self._user(token.username)
        if user is None or user.is_disabled or user.stamp != token.user_stamp:
            self.refresh_tokens.revoke_family(token.family)
            raise _refusal()
        self._use_up(token)
        return self._new_pair(user, family=token.family)

    def jwks(self) -> dict[str, object]:
        """The public keys that verify access tokens (RFC 7517)."""
        return self.signer.jwks()

    def _user(self, username: str) -> User | None:
        with hop(Hop.TABLES, table="users"):
            return self.users.get(username)

    def _use_up(self, token: RefreshToken) -> None:
        now = self.clock.now()
        if not token.used_at and self.refresh_tokens.mark_used(token.token_hash, now):
            return
        # Another request may have used it between our read and our mark: its time counts.
        current = token if token.used_at else self.refresh_tokens.get(token.token_hash)
        if current is None:
            raise _refusal()
        is_late = now - current.used_at > REUSE_GRACE_S
        if is_late or not 1 <= self.refresh_tokens.count_reuse(token.token_hash) <= MAX_REUSES:
            logger.warning("refresh token reused, family revoked", extra={"family": token.family})
            self.refresh_tokens.revoke_family(token.family)
            raise _refusal()

    def _renew_hash(self, user: User, password: str) -> None:
        if not self.hasher.needs_rehash(user.password_hash):
            return
        try:
            self.users.set_password_hash(user.username, user.password_hash, self.hasher.hash(password))
        except StoreUnavailable:
            logger.warning("password hash kept as it was, the table does not answer")

    def _new_pair(self, user: User, *, family: str) -> TokenPair:
        with hop(Hop.KEYS):
            access_token = self.signer.sign(self._claims(user))
        refresh_token = secrets.token_urlsafe(REFRESH_TOKEN_BYTES)
        self.refresh_tokens.put(
            RefreshToken(
                token_hash=hashed_refresh_token(refresh_token),
                family=family,
                username=user.username,
                user_stamp=user.stamp,
                expires_at=self.clock.now() + self.refresh_token_ttl_s,
            )
        )
        return TokenPair(
            username=user.username,
            tenant=user.tenant,
            access_token=access_token,
            expires_in_s=self.access_token_ttl_s,
            refresh_token=refresh_token,
            refresh_expires_in_s=self.refresh_token_ttl_s,
        )

    def _claims(self, user: User) -> dict[str, object]:
        issued_at = int(self.clock.now())
        return {
            "sub": user.username,
            "tenant": user.tenant,
            "role": user.role.value,
            "permissions": sorted(user.role.permissions),
            "groups": sorted(user.groups),
            "stamp": user.stamp,
            "typ": ACCESS_TOKEN_TYPE,
            "iat": issued_at,
            "exp": issued_at + self.access_token_ttl_s,
            "jti": secrets.token_hex(16),
        }


def hashed_refresh_token(refresh_token: str) -> str:
    """SHA-256, without salt or stretching: the token itself is 256 random bits."""
    return hashlib.sha256(refresh_token.encode("utf-8", "surrogatepass")).hexdigest()


def _refusal() -> NotAuthenticated:
    return NotAuthenticated(
        "The refresh token is not valid or has expired: log in again.", code="invalid_refresh_token"
    )
