"""The request authorizer: who is calling, and which routes the role may use."""

from dataclasses import dataclass

from haylift.settings import CommonSettings


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """Settings of the authorizer.

    Args:
        users_table, tokens_table: DynamoDB tables of users, and of tokens that were logged out.
        signing_key_ids: KMS keys whose signatures are accepted; the first one signs.
        issuer, audience: what a token's `iss` and `aud` must be.
    """

    users_table: str
    tokens_table: str
    signing_key_ids: tuple[str, ...]
    issuer: str
    audience: str
