"""What the endpoint counts, in Prometheus' text format. No label holds what a caller can choose freely."""

from collections.abc import Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from haylift_endpoint.batching.items import OutcomeKind
from haylift_endpoint.batching.selection import padded_tokens
from haylift_endpoint.ports import Prepared, RequestClass
from haylift_endpoint.service import EmbeddingService

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
_CLASSES: tuple[RequestClass, ...] = ("query", "document")


class Metrics:
    """The counters of one process; see `Observer`."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client has no types here
        self._registry = CollectorRegistry()
        self._requests = self._counter(
            "requests", "Requests by outcome: ok or the error's code", "task", "outcome"
        )
        self._items = self._counter("items", "Texts and passages by outcome", "model", "outcome")
        self._tokens = self._counter("tokens", "Tokens that went through a model, without padding", "model")
        self._padding = self._counter("padding_tokens", "Padding that went through a model", "model")
        self._model_s = self._counter("model_seconds", "Time in successful model runs", "model")
        self._duration = self._histogram("request_seconds", "Time of a request", _SECONDS, "task")
        self._batch = self._histogram("batch_size", "Inputs in a model run", _SIZES, "model")
        self._queued_tokens = self._gauge("queued_tokens", "Tokens that wait", "model")
        self._queued = self._gauge("queued_items", "Inputs that wait", "model", "class")
        self._oldest = self._gauge(
            "oldest_wait_seconds", "Wait of the first in line, 0 without", "model", "class"
        )

    def ran(self, model: str, batch: Sequence[Prepared], *, model_s: float) -> None:
        """Counts a model run."""
        tokens = sum(item.tokens for item in batch)
        self._tokens.labels(model).inc(tokens)
        self._padding.labels(model).inc(padded_tokens(batch) - tokens)
        self._model_s.labels(model).inc(model_s)
        self._batch.labels(model).observe(len(batch))

    def left(self, model: str, kind: OutcomeKind) -> None:
        """Counts an item's outcome."""
        self._items.labels(model, kind).inc()

    def answered(self, task: str, outcome: str, *, took_s: float) -> None:
        """Counts a request; `outcome` is `ok` or an error's code."""
        self._requests.labels(task, outcome).inc()
        self._duration.labels(task).observe(took_s)

    def render(self, service: EmbeddingService) -> bytes:
        """The text of `/metrics`, with the lines in front of the models as they are now."""
        for model in service.models:
            line = model.engine.line
            self._queued_tokens.labels(model.name).set(line.queued_tokens)
            for name in _CLASSES:
                self._queued.labels(model.name, name).set(line.waiting(name))
                self._oldest.labels(model.name, name).set(line.oldest_wait_s(name) or 0.0)
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"haylift_endpoint_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"haylift_endpoint_{name}", text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(
            f"haylift_endpoint_{name}", text, labels, registry=self._registry, buckets=tuple(buckets)
        )
