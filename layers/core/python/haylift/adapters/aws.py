"""Clients of AWS services with explicit time-outs, and their faults as Haylift's errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, ReadTimeoutError

from haylift.domain.errors import StoreUnavailable

CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 5.0
SDK_ATTEMPTS = 3
"""The SDK is the one layer that retries these requests; its own retry quota applies."""

TRANSIENT_CODES = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "KMSInternalException",
        "KeyUnavailableException",
        "DependencyTimeoutException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)


def make_client(
    service: str,
    *,
    connect_timeout_s: float = CONNECT_TIMEOUT_S,
    read_timeout_s: float = READ_TIMEOUT_S,
    attempts: int = SDK_ATTEMPTS,
) -> Any:
    """A boto3 client that never waits without limit.

    Args:
        service: for example `dynamodb`.
        attempts: tries in all, the first one included; 1 switches the SDK's retries off.
    """
    config = Config(
        connect_timeout=connect_timeout_s,
        read_timeout=read_timeout_s,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        tcp_keepalive=True,
        signature_version="s3v4" if service == "s3" else None,
    )
    return boto3.client(service, config=config)  # type: ignore[call-overload]  # the stubs list each name


@contextmanager
def translated(dependency: str) -> Iterator[None]:
    """Turns faults of the connection and of the service into `StoreUnavailable`; others pass.

    Args:
        dependency: what the error names, for example `ledger table`.
    """
    try:
        yield
    except (ConnectionError, HTTPClientError, ReadTimeoutError) as fault:
        raise StoreUnavailable(f"The {dependency} does not answer.") from fault
    except ClientError as fault:
        if not is_transient(fault):
            raise
        raise StoreUnavailable(f"The {dependency} does not answer.") from fault


def is_transient(fault: ClientError) -> bool:
    """True when the service itself failed or throttled, so that a later try may succeed."""
    status = fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return error_code(fault) in TRANSIENT_CODES or status >= 500


def error_code(fault: ClientError) -> str:
    """The service's own name of the error, for example `ConditionalCheckFailedException`."""
    return str(fault.response.get("Error", {}).get("Code", ""))
