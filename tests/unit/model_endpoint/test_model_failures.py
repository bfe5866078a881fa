"""Each request to the model is a failure or none: back-pressure and refusals are answers."""

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from haylift.adapters import model_invocation
from haylift.adapters.model_invocation import RequestClass
from haylift.domain.errors import InvalidInput, ModelUnavailable
from haylift.telemetry import Metric

from tests.fakes.runtime import Answer, model_error, service_error
from tests.unit.model_endpoint.test_model_invocation import Setup, setup

GONE = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
SLOW = ReadTimeoutError(endpoint_url="http://127.0.0.1:1")


def failures(made: Setup) -> list[float]:
    return [value for name, value, _ in made.telemetry.records if name is Metric.MODEL_FAILURES]


def a_request_without_an_answer_is_one_failure(made: Setup, request_class: RequestClass, failed: int) -> None:
    try:
        made.invoke(request_class=request_class)
    except (ModelUnavailable, InvalidInput):
        assert made.runtime.calls

    assert failures(made) == [failed]


ENDS: list[tuple[list[Answer], RequestClass, int]] = [
    ([{"data": []}], "query", 0),
    ([GONE, {"data": []}], "query", 0),
    ([GONE], "query", 1),
    ([SLOW], "query", 1),
    ([GONE], "document", 1),
    ([SLOW], "document", 0),
    ([model_error(429, retry_after_s=1.5)], "document", 0),
    ([model_error(429, retry_after_s=1.5)], "query", 0),
    ([model_error(400, "input_too_long", param="input[0]")], "query", 0),
    ([service_error("ModelNotReadyException", 429)], "query", 0),
]


@pytest.mark.parametrize(("answers", "request_class", "failed"), ENDS)
def test_a_request_without_an_answer_is_one_failure(
    answers: list[Answer], request_class: RequestClass, failed: int
) -> None:
    a_request_without_an_answer_is_one_failure(setup(*answers), request_class, failed)


def test_back_pressure_that_counts_as_failure_fails_the_same_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_invocation, "_is_back_pressure", lambda *_: False)

    with pytest.raises(AssertionError):
        a_request_without_an_answer_is_one_failure(setup(SLOW), "document", 0)


def test_a_request_that_the_breaker_kept_back_is_a_failure() -> None:
    made = setup(GONE)
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            made.invoke()

    assert made.outcomes[-1] == "open"
    assert failures(made) == [1, 1]
