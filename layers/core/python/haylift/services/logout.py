"""The end of a session."""

from dataclasses import dataclass

from haylift.domain.errors import NotAuthenticated
from haylift.domain.identity import Session
from haylift.ports.identity import Clock, RefreshTokens, Revocations, Users
from haylift.services.login import hashed_refresh_token
from haylift.services.users import new_stamp
from haylift.tracing import Hop, hop

KEPT_AFTER_EXPIRY_S = 60.0
"""A revocation outlives its token: by the 10 s of leeway of the check, and clocks that differ."""


@dataclass(frozen=True, kw_only=True)
class LogoutService:
    """Ends sessions. The access token is revoked last: until then a broken-off call can be repeated."""

    users: Users
    refresh_tokens: RefreshTokens
    revocations: Revocations
    clock: Clock

    def logout(self, session: Session, refresh_token: str | None = None, *, everywhere: bool = False) -> None:
        """Ends the session of the caller's access token, for new requests within 5 s.

        Args:
            refresh_token: ends with its whole family, when it is the caller's own.
            everywhere: ends all sessions of the user, those of other devices too.

        Raises:
            NotAuthenticated: `invalid_refresh_token` for one that is unknown or somebody else's; the access
                token is revoked all the same.
            StoreUnavailable: a retry helps, and does nothing twice.
        """
        with hop(Hop.TABLES, table="tokens"):
            is_own = refresh_token is None or self._end_family(session.principal.subject, refresh_token)
            if everywhere:
                # Bound to the token's own stamp, so that a repeated call ends no session begun in between.
                self.users.replace_stamp(
                    session.principal.subject, session.stamp, new_stamp(self.clock.now())
                )
            self.revocations.revoke(session.token_id, session.expires_at + KEPT_AFTER_EXPIRY_S)
        if not is_own:
            raise NotAuthenticated(
                "The access token is logged out; the refresh token is not one of yours.",
                code="invalid_refresh_token",
            )

    def _end_family(self, username: str, refresh_token: str) -> bool:
        token = self.refresh_tokens.find(hashed_refresh_token(refresh_token))
        if token is None or token.username != username:
            return False
        self.refresh_tokens.revoke_family(token.family)
        return True
