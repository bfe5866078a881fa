"""One layer makes the calls: within the deadline, with few retries, behind a breaker."""

from dataclasses import dataclass, field

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from haylift.adapters.model_invocation import (
    CallPolicy,
    ModelInvoker,
    RequestClass,
    custom_attributes,
    longest_wait_s,
)
from haylift.domain.errors import DeadlineExceeded, InvalidInput, ModelBusy, ModelUnavailable
from haylift.resilience import CircuitBreaker, RetryBudget
from haylift.telemetry import Metric, request_id
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.runtime import Answer, FakeRuntime, model_error, service_error
from tests.fakes.search import FakeTime

BODY = {"task": "embed", "input": ["a"]}
GONE = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
SLOW = ReadTimeoutError(endpoint_url="http://127.0.0.1:1")


@dataclass
class Setup:
    """An invoker on a fake runtime and a fake clock; `waits` are the read time-outs of its clients."""

    runtime: FakeRuntime
    retries: float = 10.0
    time: FakeTime = field(default_factory=FakeTime)
    telemetry: RecordedTelemetry = field(default_factory=RecordedTelemetry)
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.breaker = CircuitBreaker(now=self.time.now)
        policy = CallPolicy(
            breaker=self.breaker,
            budget=RetryBudget(ratio=0.0, saved=self.retries),
            sleep=self.time.sleep,
            draw=lambda: 0.5,
        )
        self.invoker = ModelInvoker("embed", self.telemetry, make=self._client, policy=policy)

    def _client(self, read_timeout_s: float) -> FakeRuntime:
        self.waits.append(read_timeout_s)
        return self.runtime

    def invoke(self, seconds: float = 30.0, request_class: RequestClass = "query") -> dict[str, object]:
        return self.invoker.invoke(BODY, self.time.deadline(seconds), request_class)

    @property
    def outcomes(self) -> list[str]:
        return [one["outcome"] for one in self.telemetry.dimensions_of(Metric.MODEL_CALLS)]


def setup(*answers: Answer, retries: float = 10.0) -> Setup:
    return Setup(FakeRuntime(list(answers)), retries)


def test_the_call_names_endpoint_deadline_class_and_request() -> None:
    made = setup({"data": []})
    token = request_id.set("request-1")

    answer = made.invoke(2.0)

    request_id.reset(token)
    call = made.runtime.calls[0]
    assert answer == {"data": []}
    assert call["EndpointName"] == "embed"
    assert call["ContentType"] == "application/json"
    assert call["CustomAttributes"] == "deadline_ms=1790000001900,class=query,request_id=request-1"
    assert made.outcomes == ["ok"]


@given(st.text())
def test_attributes_are_short_and_cannot_be_forged(called_for: str) -> None:
    attributes = custom_attributes(1_790_000_000.0, "document", called_for)

    assert len(attributes) <= 1_024
    assert attributes.isascii()
    assert attributes.count("=") <= 3
    assert attributes.count(",") == attributes.count("=") - 1


@given(st.floats(0.26, 1_000))
def test_a_wait_ends_with_the_deadline(seconds: float) -> None:
    deadline = FakeTime(seconds=0.0).deadline(seconds)

    assert 0.2 < longest_wait_s(deadline) <= seconds + 0.05


def test_without_time_nothing_is_sent() -> None:
    made = setup({"data": []})

    with pytest.raises(DeadlineExceeded):
        made.invoke(0.1)

    assert made.runtime.calls == []


def test_an_outage_is_tried_again_after_jitter() -> None:
    made = setup(GONE, {"data": []})

    answer = made.invoke()

    assert answer == {"data": []}
    assert made.time.slept == [0.05]
    assert made.outcomes == ["unavailable", "ok"]


def test_three_tries_are_made_at_most() -> None:
    made = setup(model_error(503))

    with pytest.raises(ModelUnavailable):
        made.invoke()

    assert len(made.runtime.calls) == 3


def test_without_budget_nothing_is_repeated() -> None:
    made = setup(model_error(503), retries=0.0)

    with pytest.raises(ModelUnavailable):
        made.invoke()

    assert len(made.runtime.calls) == 1


def test_a_busy_endpoint_is_left_alone_for_as_long_as_it_asks() -> None:
    made = setup(model_error(429, retry_after_s=1.5), {"data": []})

    made.invoke()

    assert made.time.slept == [1.55]
    assert not made.breaker.is_open


def test_a_retry_that_cannot_end_in_time_is_not_begun() -> None:
    made = setup(model_error(429, retry_after_s=1.5))

    with pytest.raises(ModelUnavailable) as caught:
        made.invoke(1.0)

    assert caught.value.retry_after_s == 1.5
    assert made.time.slept == []


def test_a_refusal_is_not_repeated_and_no_outage() -> None:
    made = setup(model_error(400, "input_too_long", param="input[0]"))

    for _ in range(5):
        with pytest.raises(InvalidInput):
            made.invoke()

    assert made.outcomes == ["refused"] * 5
    assert not made.breaker.is_open


def test_an_open_breaker_answers_at_once() -> None:
    made = setup(GONE)
    with pytest.raises(ModelUnavailable):
        made.invoke()

    with pytest.raises(ModelUnavailable) as caught:
        made.invoke()

    assert caught.value.retry_after_s == 1.0
    assert made.outcomes == ["unavailable"] * 3 + ["open"]


def test_the_breaker_closes_when_the_endpoint_is_back() -> None:
    made = setup(GONE, GONE, GONE, {"data": []})
    with pytest.raises(ModelUnavailable):
        made.invoke()

    made.time.sleep(1.0)
    answer = made.invoke()

    assert answer == {"data": []}
    assert not made.breaker.is_open


def test_impatient_time_outs_do_not_open_the_breaker() -> None:
    made = setup(SLOW, retries=0.0)

    for _ in range(5):
        with pytest.raises(ModelUnavailable):
            made.invoke(0.9)

    assert made.waits == [0.5]
    assert not made.breaker.is_open


def test_patient_time_outs_open_it() -> None:
    made = setup(SLOW, retries=0.0)

    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            made.invoke(3.0)

    assert made.waits == [2.0]
    assert made.outcomes == ["timeout", "timeout"]
    assert made.breaker.is_open


THROTTLED = service_error("ThrottlingException", 429)


@pytest.mark.parametrize(
    ("fault", "retry_after_s"),
    [(model_error(429, retry_after_s=1.5), 1.5), (model_error(504), 5.0), (SLOW, 5.0), (THROTTLED, 5.0)],
)
def test_a_document_that_finds_no_room_is_the_callers_to_send_again(
    fault: Exception, retry_after_s: float
) -> None:
    made = setup(fault, retries=1.0)

    for _ in range(5):
        with pytest.raises(ModelBusy) as caught:
            made.invoke(request_class="document")

    assert caught.value.retry_after_s == retry_after_s
    assert len(made.runtime.calls) == 5
    assert made.time.slept == []


def queries_go_on_beside_late_documents(made: Setup) -> None:
    """Documents of the same process find the endpoint late, again and again."""
    for _ in range(5):
        with pytest.raises(ModelUnavailable):
            made.invoke(request_class="document")
    made.runtime.answers = [SLOW, {"data": []}]

    # The one retry of the budget is still there, and the breaker is closed.
    assert made.invoke() == {"data": []}


@pytest.mark.parametrize("fault", [SLOW, model_error(429, retry_after_s=1.5), model_error(504)])
def test_queries_go_on_beside_late_documents(fault: Exception) -> None:
    queries_go_on_beside_late_documents(setup(fault, retries=1.0))


def test_documents_that_are_treated_as_queries_fail_the_same_check() -> None:
    made = setup(SLOW, retries=1.0)
    invoke = made.invoke

    def as_query(seconds: float = 30.0, request_class: RequestClass = "document") -> dict[str, object]:
        return invoke(seconds, "query")

    made.invoke = as_query  # type: ignore[method-assign]  # the fault

    with pytest.raises(ModelUnavailable):
        queries_go_on_beside_late_documents(made)


def test_documents_open_the_breaker_when_the_endpoint_is_gone() -> None:
    made = setup(GONE, retries=0.0)

    for _ in range(3):
        with pytest.raises(ModelUnavailable) as caught:
            made.invoke(request_class="document")

    assert not isinstance(caught.value, ModelBusy)
    assert made.breaker.is_open


def test_a_document_waits_as_long_as_sagemaker_does() -> None:
    made = setup({"data": []})

    made.invoke(110.0, "document")

    assert made.waits == [55.0]
    assert "deadline_ms=1790000052250" in made.runtime.calls[0]["CustomAttributes"]


def test_an_answer_that_is_no_object_is_a_fault() -> None:
    made = setup([1, 2])  # type: ignore[arg-type]  # what a wrong container might send

    with pytest.raises(ModelUnavailable):
        made.invoke()
