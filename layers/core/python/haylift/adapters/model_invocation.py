"""One call of the model endpoint: time-outs, retries, the circuit breaker, and faults as Haylift's errors.

This is the only layer that retries model calls; the SDK's own retries are off.
"""

import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from haylift.adapters.aws import make_client
from haylift.adapters.model_faults import (
    BACK_PRESSURE,
    BUSY,
    MISCONFIGURED,
    OPEN,
    TIMEOUT,
    FaultKind,
    ModelFault,
    Outcome,
    back_pressure,
    from_client_error,
    from_transport_error,
)
from haylift.domain.errors import ModelUnavailable
from haylift.resilience import CircuitBreaker, Deadline, RetryBudget, full_jitter_s
from haylift.telemetry import Metric, Telemetry, request_id
from haylift.tracing import annotate, tally

WAITS_S = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 11.0, 15.0, 20.0, 25.0, 40.0, 55.0)
"""A boto3 client's read time-out is fixed when it is made: one client for each of these, made when first
needed, and a call takes the longest wait that its deadline allows. SageMaker ends an invocation at 60 s."""

GRACE_S = 0.05
"""A wait may end so much after the deadline, so that 2 s of patience are not cut to 1.5 s by the time that
passed on the way here."""

CONTAINER_SHARE = 0.95
"""The container gets so much of our wait, so that its own answer comes before our time-out."""

CONNECT_TIMEOUT_S = 1.0
LEAST_TELLING_WAIT_S = 1.0
"""A time-out of a query after a shorter wait says nothing about the endpoint: the breaker does not count it.
After this wait or a longer one it is a hang, and the second hang in a row opens the breaker."""

EMBED = "embed"
"""The task of making vectors."""

type RequestClass = Literal["query", "document"]
logger = logging.getLogger("haylift.model_endpoint")


@dataclass(frozen=True, kw_only=True)
class CallPolicy:
    """How calls are repeated and when they are not made at all.

    Args:
        tries: at most this many calls for one request, the first included.
        embed_wait_s: the longest wait for a question's vector, which takes about 50 ms: whoever has more
            time tries again.
        doubtful_wait_s: the longest wait of a query while the endpoint's last call hung, so that the
            second hang is told soon; for reranking also while the breaker is open.
        probe_wait_s: the longest wait of a probe for a question's vector while the breaker is open: it
            delays a search that would go on by keywords. At least `LEAST_TELLING_WAIT_S`.
        sleep, draw: waiting, and a random number from 0 to 1.
    """

    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    budget: RetryBudget = field(default_factory=RetryBudget)
    tries: int = 3
    embed_wait_s: float = 2.0
    doubtful_wait_s: float = 2.0
    probe_wait_s: float = LEAST_TELLING_WAIT_S
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random


class ModelInvoker:
    """Sends JSON to a SageMaker endpoint and gives its JSON answer.

    Args:
        endpoint: name of the endpoint.
        make: makes a `sagemaker-runtime` client with the given read time-out (s).
    """

    def __init__(
        self,
        endpoint: str,
        telemetry: Telemetry,
        *,
        make: Callable[[float], Any] | None = None,
        policy: CallPolicy | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._telemetry = telemetry
        self._make = make or runtime_client
        self._policy = policy or CallPolicy()
        self._clients_by_wait: dict[float, Any] = {}

    def warm_up(self, wait_s: float) -> None:
        """Makes the client of that wait, so that the first call need not (about 300 ms in a new process)."""
        self._client(wait_s)

    def invoke(
        self, body: Mapping[str, object], deadline: Deadline, request_class: RequestClass
    ) -> dict[str, Any]:
        """The endpoint's answer; `body["task"]` names the task.

        Of a busy endpoint a `query` is sent again, within the budget; a `document` is the caller's to
        send again, smaller. A late document tells the breaker nothing: it may wait behind many others.

        Side effects: one `model_failures` for each request that was sent, or that an open breaker kept back:
        1 when it ended without an answer. A refusal, back-pressure and a sleeping model are answers.
        The hop under way gets the number of calls, how the last one ended, and the endpoint's own times.

        Raises:
            ModelBusy: a `document` found no room, or the endpoint did not come to it in time.
            ModelUnavailable: no answer, busy, or the circuit breaker is open; a later retry helps.
            DeadlineExceeded: the deadline is over.
            InvalidInput: `text_too_long` (`where` is the text's position) or `model_refused_input`.
        """
        task = str(body["task"])
        self._policy.budget.add_call()
        try:
            answer = self._tried(task, body, deadline, request_class)
        except ModelFault as fault:
            is_pressure = _is_back_pressure(fault.kind, request_class)
            has_failed = fault.kind.is_outage and not is_pressure
            self._telemetry.record(Metric.MODEL_FAILURES, int(has_failed), task=task)
            raise (back_pressure(fault) if is_pressure else fault.error) from fault.__cause__
        self._telemetry.record(Metric.MODEL_FAILURES, 0, task=task)
        _tally_times(answer)
        return answer

    def _tried(
        self, task: str, body: Mapping[str, object], deadline: Deadline, request_class: RequestClass
    ) -> dict[str, Any]:
        for retry in range(self._policy.tries):
            self._require_closed(task)
            try:
                return self._measured(task, orjson.dumps(body), deadline, request_class)
            except ModelFault as fault:
                wait_s = self._retry_wait_s(retry, fault)
                is_last = retry + 1 >= self._policy.tries or not fault.kind.is_retried
                if is_last or _is_back_pressure(fault.kind, request_class):
                    raise
                if wait_s + WAITS_S[0] >= deadline.remaining_s or not self._policy.budget.take():
                    raise
                self._policy.sleep(wait_s)
        raise AssertionError("the last try returns or raises")

    def _require_closed(self, task: str) -> None:
        if self._policy.breaker.admits():
            return
        self._telemetry.record(Metric.MODEL_CALLS, 1, task=task, outcome=OPEN.outcome)
        annotate(call=OPEN.outcome)
        detail = "The model endpoint does not answer at the moment."
        raise ModelFault(OPEN, ModelUnavailable(detail, retry_after_s=1.0))

    def _retry_wait_s(self, retry: int, fault: ModelFault) -> float:
        asked_s = fault.error.retry_after_s if isinstance(fault.error, ModelUnavailable) else 0.0
        jitter_s = full_jitter_s(retry, draw=self._policy.draw())
        return jitter_s + (asked_s if fault.kind is BUSY else 0.0)

    def _measured(
        self, task: str, payload: bytes, deadline: Deadline, request_class: RequestClass
    ) -> dict[str, Any]:
        wait_s = min(longest_wait_s(deadline), self._most_wait_s(task, request_class))
        started = time.perf_counter()
        outcome: Outcome = "ok"
        try:
            answer = self._send(payload, wait_s, deadline, request_class)
            self._policy.breaker.record_success()
            return answer
        except ModelFault as fault:
            outcome = fault.kind.outcome
            self._inform_breaker(fault.kind, wait_s, request_class)
            cause = type(fault.__cause__ or fault).__name__
            logger.warning("model call failed", extra={"task": task, "outcome": outcome, "cause": cause})
            raise
        finally:
            tally(calls=1)
            annotate(call=outcome)
            self._telemetry.record(Metric.MODEL_CALLS, 1, task=task, outcome=outcome)
            self._telemetry.record(Metric.MODEL_DURATION, time.perf_counter() - started, task=task)

    def _most_wait_s(self, task: str, request_class: RequestClass) -> float:
        """What a caller may wait at most, as far as the endpoint is known; a document waits its turn."""
        policy = self._policy
        if request_class == "document":
            return WAITS_S[-1]
        if task == EMBED:
            return policy.probe_wait_s if policy.breaker.is_open else policy.embed_wait_s
        return policy.doubtful_wait_s if policy.breaker.is_in_doubt else WAITS_S[-1]

    def _inform_breaker(self, kind: FaultKind, wait_s: float, request_class: RequestClass) -> None:
        is_telling = request_class == "query" and wait_s >= LEAST_TELLING_WAIT_S
        if not kind.is_outage:
            self._policy.breaker.record_success()
        elif kind is not TIMEOUT or is_telling:
            self._policy.breaker.record_failure(hung=kind is TIMEOUT)

    def _send(
        self, payload: bytes, wait_s: float, deadline: Deadline, request_class: RequestClass
    ) -> dict[str, Any]:
        give_up_at = deadline.now() + CONTAINER_SHARE * wait_s
        try:
            response = self._client(wait_s).invoke_endpoint(
                EndpointName=self._endpoint,
                Body=payload,
                ContentType="application/json",
                Accept="application/json",
                CustomAttributes=custom_attributes(give_up_at, request_class, request_id.get()),
            )
            answer = orjson.loads(response["Body"].read())
        except ClientError as error:
            raise from_client_error(error, deadline) from error
        except (BotoCoreError, orjson.JSONDecodeError) as error:
            raise from_transport_error(error, deadline) from error
        if not isinstance(answer, dict):
            raise ModelFault(MISCONFIGURED, ModelUnavailable("The model endpoint's answer is not an object."))
        return answer

    def _client(self, wait_s: float) -> Any:
        if wait_s not in self._clients_by_wait:
            self._clients_by_wait[wait_s] = self._make(wait_s)
        return self._clients_by_wait[wait_s]


def _tally_times(answer: Mapping[str, Any]) -> None:
    """How long the request stood in line and how long the model ran, where the endpoint says so."""
    timing = answer.get("timing")
    for name in ("queued_ms", "model_ms"):
        took_ms = timing.get(name) if isinstance(timing, dict) else None
        if isinstance(took_ms, int | float):
            tally(**{name: took_ms})


def _is_back_pressure(kind: FaultKind, request_class: RequestClass) -> bool:
    return request_class == "document" and kind in BACK_PRESSURE


def runtime_client(read_timeout_s: float) -> Any:
    """A `sagemaker-runtime` client that waits so long for an answer and never retries."""
    connect_timeout_s = min(CONNECT_TIMEOUT_S, read_timeout_s)
    return make_client(
        "sagemaker-runtime", connect_timeout_s=connect_timeout_s, read_timeout_s=read_timeout_s, attempts=1
    )


def longest_wait_s(deadline: Deadline) -> float:
    """The longest of `WAITS_S` that ends before the deadline, or `GRACE_S` after it.

    Raises:
        DeadlineExceeded: when not even the shortest does.
    """
    deadline.require(WAITS_S[0])
    return max(wait_s for wait_s in WAITS_S if wait_s <= deadline.remaining_s + GRACE_S)


def custom_attributes(give_up_at: float, request_class: RequestClass, called_for: str) -> str:
    """Deadline, class and request id in the one header that SageMaker hands on (at most 1,024 characters).

    Args:
        give_up_at: epoch seconds at which the container may stop working for us.
        called_for: the request's id; characters that could be misread are dropped.

    >>> custom_attributes(1_790_000_000.5, "query", "a1,b2")
    'deadline_ms=1790000000500,class=query,request_id=a1b2'
    """
    safe_id = re.sub(r"[^A-Za-z0-9_-]", "", called_for)[:128]
    text = f"deadline_ms={int(give_up_at * 1_000)},class={request_class}"
    return f"{text},request_id={safe_id}" if safe_id else text
