"""What a failed call means: the tables are complete and each row gives its stated error."""

import inspect
from collections.abc import Mapping

import botocore.exceptions
import botocore.session
import pytest
from botocore.exceptions import ConnectionError, HTTPClientError, ReadTimeoutError
from haylift.adapters.model_faults import (
    KIND_BY_CODE,
    FaultKind,
    from_client_error,
    from_transport_error,
)
from haylift.domain.errors import DeadlineExceeded, HayliftError, InvalidInput, ModelUnavailable

from tests.fakes.runtime import model_error, service_error
from tests.fakes.search import FakeTime

PLENTY = FakeTime().deadline(60.0)


@pytest.mark.parametrize(
    ("status", "code", "kind", "error_code"),
    [
        (400, "input_too_long", InvalidInput, "text_too_long"),
        (400, "invalid_request", InvalidInput, "model_refused_input"),
        (404, "model_not_found", ModelUnavailable, "model_unavailable"),
        (408, "", ModelUnavailable, "model_unavailable"),
        (413, "body_too_large", InvalidInput, "model_refused_input"),
        (429, "overloaded", ModelUnavailable, "model_unavailable"),
        (500, "model_failed", InvalidInput, "model_refused_input"),
        (500, "internal_error", ModelUnavailable, "model_unavailable"),
        (502, "", ModelUnavailable, "model_unavailable"),
        (503, "unavailable", ModelUnavailable, "model_unavailable"),
        (504, "deadline_exceeded", ModelUnavailable, "model_unavailable"),
        (0, "", ModelUnavailable, "model_unavailable"),
        (418, "", ModelUnavailable, "model_unavailable"),
    ],
)
def test_each_status_of_the_container_has_its_error(
    status: int, code: str, kind: type[HayliftError], error_code: str
) -> None:
    error = from_client_error(model_error(status, code), PLENTY).error

    assert type(error) is kind
    assert error.code == error_code


def test_the_container_says_when_to_come_back() -> None:
    error = from_client_error(model_error(429, "overloaded", retry_after_s=1.5), PLENTY).error

    assert isinstance(error, ModelUnavailable)
    assert error.retry_after_s == 1.5


def test_a_refused_text_is_named_by_its_position() -> None:
    error = from_client_error(model_error(400, "input_too_long", param="input[3]"), PLENTY).error

    assert isinstance(error, InvalidInput)
    assert error.where == "3"


def test_a_time_out_after_the_deadline_is_the_deadline() -> None:
    time = FakeTime()
    deadline = time.deadline(1.0)
    time.sleep(1.0)

    error = from_client_error(model_error(504), deadline).error

    assert type(error) is DeadlineExceeded


@pytest.mark.parametrize("message", [None, "", "<html>", "[]", '{"error": "text"}', '{"error": null}'])
def test_a_message_that_is_not_ours_is_no_crash(message: str | None) -> None:
    fault = model_error(503)
    fault.response["OriginalMessage"] = message  # type: ignore[typeddict-unknown-key]  # ModelError's member

    assert type(from_client_error(fault, PLENTY).error) is ModelUnavailable


def test_a_sleeping_model_says_so() -> None:
    error = from_client_error(service_error("ModelNotReadyException", 429), PLENTY).error

    assert error.code == "model_sleeping"


def undeclared_errors(kind_by_code: Mapping[str, FaultKind]) -> set[str]:
    """The errors of `InvokeEndpoint` in AWS's own service model that a table leaves out."""
    service = botocore.session.get_session().get_service_model("sagemaker-runtime")
    shapes = service.operation_model("InvokeEndpoint").error_shapes
    return {shape.name for shape in shapes} - {"ModelError"} - kind_by_code.keys()


def test_every_error_of_the_service_is_in_the_table() -> None:
    assert undeclared_errors(KIND_BY_CODE) == set()


def test_a_table_that_lacks_an_error_is_noticed() -> None:
    shorter = {code: kind for code, kind in KIND_BY_CODE.items() if code != "InternalFailure"}

    assert undeclared_errors(shorter) == {"InternalFailure"}


TRANSPORT = [
    kind
    for _, kind in inspect.getmembers(botocore.exceptions, inspect.isclass)
    if issubclass(kind, ConnectionError | HTTPClientError)
]


@pytest.mark.parametrize("kind", TRANSPORT)
def test_every_fault_of_the_connection_is_an_outage(kind: type[Exception]) -> None:
    fault = from_transport_error(kind.__new__(kind), PLENTY)

    assert type(fault.error) is ModelUnavailable
    assert fault.kind.is_outage
    assert fault.kind.is_retried
    assert fault.kind.outcome == ("timeout" if issubclass(kind, ReadTimeoutError) else "unavailable")
