"""GET /metrics: the last full minute of the whole deployment, as Prometheus reads it."""

import math
from collections.abc import Iterable

import pytest
from fastapi import FastAPI
from haylift.domain.identity import Role
from haylift.services.exposition import ExpositionService, Family, Kind, Sample, last_full_minute
from haylift.services.metric_meanings import MEANINGS
from haylift.telemetry import Metric
from prometheus_client.parser import text_string_to_metric_families

from functions.metrics.app import create_app
from functions.metrics.text import prometheus_text
from tests.fakes.gateway import Answer, Gateway, RecordedTelemetry, principal
from tests.fakes.identity import ManualClock
from tests.fakes.metrics import MemoryMetrics

MINUTE = 1_750_000_020 // 60 * 60
NOW = MINUTE + 60 + 20.0
"""20 s after the minute ended: it is full."""

type Read = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Page:
    """The function over metrics in memory."""

    def __init__(self) -> None:
        self.metrics = MemoryMetrics()
        self.clock = ManualClock(NOW)
        service = ExpositionService(self.metrics, self.clock)
        self.app: FastAPI = create_app(service, RecordedTelemetry())

    def get(self, role: Role | None = Role.READER) -> Answer:
        return Gateway(self.app, principal(role) if role else None).request("GET", "/metrics")

    def read(self) -> Read:
        return samples_of(self.get().text)


def samples_of(text: str) -> Read:
    """What Prometheus reads from a page."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def labels(**given: str) -> frozenset[tuple[str, str]]:
    return frozenset(given.items())


@pytest.fixture
def page() -> Page:
    return Page()


def test_requests_are_counted_by_method_endpoint_and_status(page: Page) -> None:
    for _ in range(3):
        page.metrics.record(
            Metric.REQUESTS, 1, MINUTE + 5, method="POST", endpoint="/v1/search", status="200"
        )
    page.metrics.record(Metric.REQUESTS, 1, MINUTE + 59, method="GET", endpoint="/health", status="503")

    read = page.read()

    name = "haystack_requests_total"
    assert read[name, labels(method="POST", endpoint="/v1/search", status="200")] == 3
    assert read[name, labels(method="GET", endpoint="/health", status="503")] == 1


def test_only_the_last_full_minute_counts(page: Page) -> None:
    for at in (MINUTE - 1, MINUTE, MINUTE + 60, MINUTE + 70):
        page.metrics.record(Metric.LOAD_SHED, 1, at)

    assert page.read()["shed_requests", labels()] == 1


def test_durations_are_a_histogram_with_the_bounds_of_the_guides(page: Page) -> None:
    for duration_s in (0.05, 0.1, 0.4, 3.0, 45.0):
        page.metrics.record(Metric.REQUEST_DURATION, duration_s, MINUTE, endpoint="/v1/search")

    read = page.read()

    name = "haystack_request_duration_seconds"
    bounds = ["0.1", "0.5", "1.0", "2.0", "5.0", "10.0", "30.0", "+Inf"]
    counts = [read[f"{name}_bucket", labels(endpoint="/v1/search", le=bound)] for bound in bounds]
    assert counts == [2, 3, 3, 3, 4, 4, 4, 5]
    assert read[f"{name}_count", labels(endpoint="/v1/search")] == 5
    assert math.isclose(read[f"{name}_sum", labels(endpoint="/v1/search")], 48.55)


def test_indexing_has_bounds_of_its_own(page: Page) -> None:
    page.metrics.record(Metric.INDEXING_DURATION, 7.0, MINUTE, lane="interactive")

    read = page.read()

    name = "haystack_indexing_duration_seconds_bucket"
    bounds = ["1.0", "5.0", "10.0", "30.0", "60.0", "300.0", "+Inf"]
    assert [read[name, labels(lane="interactive", le=bound)] for bound in bounds] == [0, 0, 1, 1, 1, 1, 1]


def test_a_ratio_is_the_mean_of_the_minute_and_missing_without_lookups(page: Page) -> None:
    for hit in (1, 1, 0, 0, 0):
        page.metrics.record(Metric.CACHE_HIT_RATIO, hit, MINUTE)

    assert page.read()["haystack_cache_hit_ratio", labels()] == 0.4

    page.clock.advance(120)

    assert ("haystack_cache_hit_ratio", labels()) not in page.read()


def test_stored_documents_are_the_last_known_number(page: Page) -> None:
    page.metrics.record(Metric.DOCUMENTS_STORED, 7, MINUTE - 100)
    page.metrics.record(Metric.DOCUMENTS_STORED, 9, MINUTE - 50)

    assert page.read()["haystack_documents_total", labels()] == 9

    page.clock.advance(600)

    assert ("haystack_documents_total", labels()) not in page.read()


def test_a_quiet_minute_counts_zero(page: Page) -> None:
    page.metrics.record(Metric.LOGINS, 1, MINUTE - 120, outcome="granted")

    assert page.read()["logins", labels(outcome="granted")] == 0


def test_series_with_foreign_dimensions_are_left_out(page: Page) -> None:
    page.metrics.record(Metric.LOAD_SHED, 1, MINUTE)
    (series,) = page.metrics.values
    page.metrics.values[type(series)(metric=series.metric, dimensions=(("service", "x"),))] = [(MINUTE, 1.0)]

    assert [key for key in page.read() if key[0] == "shed_requests"] == [("shed_requests", labels())]


def test_the_page_is_made_once_a_minute(page: Page) -> None:
    page.metrics.record(Metric.LOAD_SHED, 1, MINUTE)

    page.get()
    page.clock.advance(59)
    page.get()
    assert page.metrics.reads == 1

    page.clock.advance(1)
    page.get()
    assert page.metrics.reads == 2


def test_without_cloudwatch_the_page_is_503_and_says_when_to_come_back(page: Page) -> None:
    page.metrics.record(Metric.LOAD_SHED, 1, MINUTE)
    page.get()
    page.clock.advance(60)
    page.metrics.is_down = True

    answer = page.get()

    assert (answer.status, answer.json()["code"]) == (503, "store_unavailable")
    assert answer.headers["retry-after"] == "5"


def test_it_takes_a_token_and_is_called_what_prometheus_calls_it(page: Page) -> None:
    assert page.get(role=None).status == 401
    assert page.get().headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def missing(text: str, metrics: Iterable[Metric]) -> set[str]:
    """Metrics without a help line that names the minute, or without a type."""
    lines = text.splitlines()
    helped = {line.split()[2] for line in lines if line.startswith("# HELP")}
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    return {metric.value for metric in metrics} - (helped & typed)


def test_every_metric_of_the_registry_is_named_and_explained(page: Page) -> None:
    assert missing(page.get().text, Metric) == set()
    assert "# TYPE haystack_request_duration_seconds histogram" in page.get().text
    assert "# HELP haystack_requests_total HTTP requests in the last full minute" in page.get().text
    assert MEANINGS.keys() == set(Metric)


def test_a_metric_that_the_page_forgets_would_be_seen(page: Page) -> None:
    text = "\n".join(line for line in page.get().text.splitlines() if "shed_requests" not in line)

    assert missing(text, Metric) == {"shed_requests"}


def test_labels_that_hold_quotes_and_lines_are_read_back() -> None:
    odd = 'a"b\\c\nd'
    family = Family(
        name="x", kind=Kind.GAUGE, meaning="y", samples=[Sample(labels={"endpoint": odd}, value=1.5)]
    )

    assert samples_of(prometheus_text([family])) == {("x", labels(endpoint=odd)): 1.5}


@pytest.mark.parametrize(("now", "minute"), [(120.0, 0), (134.9, 0), (135.0, 60), (180.0, 60)])
def test_a_minute_is_full_when_its_values_had_time_to_arrive(now: float, minute: int) -> None:
    assert last_full_minute(now) == minute
