"""Lambda entry of the request authorizer."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_callers import DynamoDbCallers
from haylift.adapters.kms_tokens import KmsTokens
from haylift.adapters.lambda_telemetry import configure_logging
from haylift.services.authorize import AuthorizeService
from haylift.settings import read_settings
from haylift.telemetry import request_id

from functions.authorizer.app import consume
from functions.authorizer.contract import Settings


def build(settings: Settings) -> AuthorizeService:
    """The service, wired to DynamoDB and KMS."""
    configure_logging("authorizer", settings.log_level)
    signer = KmsTokens(
        settings.signing_key_ids, make_client("kms"), issuer=settings.issuer, audience=settings.audience
    )
    callers = DynamoDbCallers(settings.users_table, settings.tokens_table, make_client("dynamodb"))
    return AuthorizeService(signer=signer, callers=callers)


@cache
def _service() -> AuthorizeService:
    return build(read_settings(Settings, os.environ))


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, object]:
    """Answers one question of API Gateway."""
    request_id.set(event.get("requestContext", {}).get("requestId", ""))
    return consume(event, _service())
