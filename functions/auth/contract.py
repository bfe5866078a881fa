"""Log in, refresh, and the public keys."""

from dataclasses import dataclass

from haylift.routes import AUTH_ROUTES
from haylift.settings import HttpSettings

ROUTES = AUTH_ROUTES


@dataclass(frozen=True, kw_only=True)
class Settings(HttpSettings):
    """Settings of the auth function.

    Args:
        users_table, tokens_table: DynamoDB tables of users and refresh tokens.
        signing_key_ids: KMS keys; the first one signs, all are published.
        issuer, audience: `iss` and `aud` of the tokens.
        access_token_ttl_s, refresh_token_ttl_s: lifetimes.
        logins_per_minute, refreshes_per_minute: by source address; 0: no limit.
    """

    users_table: str
    tokens_table: str
    signing_key_ids: tuple[str, ...]
    issuer: str
    audience: str
    access_token_ttl_s: int = 900
    refresh_token_ttl_s: int = 1_209_600
    logins_per_minute: int = 10
    refreshes_per_minute: int = 60
