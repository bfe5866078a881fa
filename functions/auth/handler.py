"""Lambda entry of the auth function."""

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_callers import DynamoDbRevocations
from haylift.adapters.dynamodb_limits import DynamoDbRateLimiter
from haylift.adapters.dynamodb_tokens import DynamoDbRefreshTokens
from haylift.adapters.dynamodb_users import DynamoDbUsers
from haylift.adapters.kms_tokens import KmsTokens
from haylift.adapters.lambda_telemetry import EmfTelemetry, configure_logging
from haylift.adapters.password_hashes import Argon2Hasher
from haylift.adapters.system_clock import SystemClock
from haylift.http import lambda_entry
from haylift.services.login import LoginService
from haylift.services.login_limit import AddressLimit
from haylift.services.logout import LogoutService
from haylift.settings import read_settings

from functions.auth.app import Services, create_app
from functions.auth.contract import Settings


def build(settings: Settings) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The function, wired to DynamoDB and KMS."""
    configure_logging("auth", settings.log_level)
    dynamodb, clock = make_client("dynamodb"), SystemClock()
    users = DynamoDbUsers(settings.users_table, dynamodb)
    refresh_tokens = DynamoDbRefreshTokens(settings.tokens_table, dynamodb)
    login = LoginService(
        users=users,
        hasher=Argon2Hasher(),
        refresh_tokens=refresh_tokens,
        signer=KmsTokens(
            settings.signing_key_ids,
            make_client("kms"),
            issuer=settings.issuer,
            audience=settings.audience,
        ),
        clock=clock,
        access_token_ttl_s=settings.access_token_ttl_s,
        refresh_token_ttl_s=settings.refresh_token_ttl_s,
    )
    logout = LogoutService(
        users=users,
        refresh_tokens=refresh_tokens,
        revocations=DynamoDbRevocations(settings.tokens_table, dynamodb),
        clock=clock,
    )
    limit = AddressLimit(
        limiter=DynamoDbRateLimiter(settings.tokens_table, dynamodb, clock),
        requests_per_minute=settings.logins_per_minute,
    )
    refresh_limit = AddressLimit(
        limiter=DynamoDbRateLimiter(settings.tokens_table, dynamodb, clock, kind="refresh"),
        requests_per_minute=settings.refreshes_per_minute,
    )
    telemetry = EmfTelemetry()
    services = Services(
        login=login, limit=limit, refresh_limit=refresh_limit, logout=logout, telemetry=telemetry
    )
    return lambda_entry(create_app(services, settings))


@cache
def _entry() -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    return build(read_settings(Settings, os.environ))


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answers one request of API Gateway."""
    return _entry()(event, context)
