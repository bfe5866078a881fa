"""What a failed call of the model endpoint means: one table for the container, one for SageMaker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, ReadTimeoutError

from haylift.adapters.aws import error_code
from haylift.domain.errors import (
    MODEL_SLEEPING,
    DeadlineExceeded,
    HayliftError,
    InvalidInput,
    ModelBusy,
    ModelUnavailable,
)
from haylift.resilience import Deadline

type Outcome = Literal["ok", "refused", "failed", "busy", "unavailable", "timeout", "sleeping", "open"]
"""How a call ended, as its metric says; `open`: the circuit breaker did not let it happen."""

WAKING_S = 30.0
"""Ask again after so long; a sleeping component takes 5-10 minutes, a serverless one some seconds."""


@dataclass(frozen=True)
class FaultKind:
    """What a fault means: for the metric, for a retry, and for the breaker."""

    outcome: Outcome
    is_retried: bool
    is_outage: bool


REFUSED = FaultKind("refused", is_retried=False, is_outage=False)
FAILED = FaultKind("failed", is_retried=False, is_outage=False)
BUSY = FaultKind("busy", is_retried=True, is_outage=False)
UNAVAILABLE = FaultKind("unavailable", is_retried=True, is_outage=True)
SLEEPING = FaultKind("sleeping", is_retried=False, is_outage=False)
MISCONFIGURED = FaultKind("unavailable", is_retried=False, is_outage=True)
TIMEOUT = FaultKind("timeout", is_retried=True, is_outage=True)
OPEN = FaultKind("open", is_retried=False, is_outage=True)

BACK_PRESSURE = frozenset({BUSY, TIMEOUT})
"""For a document these say that the endpoint has much to do: whoever embeds one waits and sends less."""

KIND_BY_STATUS: Mapping[int, FaultKind] = {
    0: TIMEOUT,  # SageMaker's status when the container gave no answer in time
    400: REFUSED,
    404: MISCONFIGURED,
    405: MISCONFIGURED,
    408: TIMEOUT,
    413: REFUSED,
    429: BUSY,
    500: UNAVAILABLE,
    502: UNAVAILABLE,
    503: UNAVAILABLE,
    504: TIMEOUT,
}
"""The container's own statuses, as `OriginalStatusCode` of a ModelError; others count as unavailable."""

MODEL_FAILED = "model_failed"
"""The container's code, with status 500, for an input that the model refuses however often it is sent."""

KIND_BY_CODE: Mapping[str, FaultKind] = {
    "ModelNotReadyException": SLEEPING,
    "ServiceUnavailable": UNAVAILABLE,
    "InternalFailure": UNAVAILABLE,
    "InternalDependencyException": UNAVAILABLE,
    "ThrottlingException": BUSY,
    "ValidationError": MISCONFIGURED,
    "AccessDeniedException": MISCONFIGURED,
}
"""SageMaker's own errors; others count as misconfigured: reported, not repeated."""


class ModelFault(Exception):
    """A call that failed: what it means, and the error that the caller gets in the end."""

    def __init__(self, kind: FaultKind, error: HayliftError) -> None:
        super().__init__(error.detail)
        self.kind = kind
        self.error = error


def back_pressure(fault: ModelFault) -> ModelBusy:
    """What a fault of `BACK_PRESSURE` says to whoever embeds a document."""
    wait_s = fault.error.retry_after_s if isinstance(fault.error, ModelUnavailable) else 1.0
    return ModelBusy("The model endpoint has too much to do.", retry_after_s=wait_s)


def from_client_error(error: ClientError, deadline: Deadline) -> ModelFault:
    """What an error answer of SageMaker, or of the container behind it, means."""
    if error_code(error) == "ModelError":
        return _from_container(error.response, deadline)
    return _given_up(KIND_BY_CODE.get(error_code(error), MISCONFIGURED), deadline)


def from_transport_error(error: Exception, deadline: Deadline) -> ModelFault:
    """What a failed connection, a time-out or an unreadable answer means."""
    if isinstance(error, ReadTimeoutError):
        return _given_up(TIMEOUT, deadline)
    if isinstance(error, ConnectionError | HTTPClientError):
        return _given_up(UNAVAILABLE, deadline)
    return _given_up(MISCONFIGURED, deadline)


def _from_container(response: Mapping[str, Any], deadline: Deadline) -> ModelFault:
    status = int(response.get("OriginalStatusCode") or 0)
    detail = _error_object(response.get("OriginalMessage"))
    kind = KIND_BY_STATUS.get(status, UNAVAILABLE)
    if status == 500 and detail.get("code") == MODEL_FAILED:
        kind = FAILED
    if kind in {REFUSED, FAILED}:
        return ModelFault(kind, _refusal(detail))
    return _given_up(kind, deadline, retry_after_s=detail.get("retry_after_s"))


def _given_up(kind: FaultKind, deadline: Deadline, *, retry_after_s: object = None) -> ModelFault:
    if kind is TIMEOUT and deadline.is_over:
        return ModelFault(kind, DeadlineExceeded("The model endpoint did not answer in time."))
    if kind is SLEEPING:
        waking = "The model endpoint is waking up."
        return ModelFault(kind, ModelUnavailable(waking, retry_after_s=WAKING_S, code=MODEL_SLEEPING))
    wait_s = float(retry_after_s) if isinstance(retry_after_s, int | float) else 5.0
    return ModelFault(kind, ModelUnavailable("The model endpoint does not answer.", retry_after_s=wait_s))


def _refusal(detail: Mapping[str, Any]) -> HayliftError:
    position = "".join(letter for letter in str(detail.get("param") or "") if letter.isdigit())
    if detail.get("code") == "input_too_long":
        return InvalidInput("A text is longer than the model reads.", code="text_too_long", where=position)
    return InvalidInput("The model endpoint refused the input.", code="model_refused_input", where=position)


def _error_object(message: object) -> Mapping[str, Any]:
    """The container's error object; empty when the message is not ours."""
    try:
        body = orjson.loads(message) if isinstance(message, str) else {}
    except orjson.JSONDecodeError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}
