"""Families in the text format of Prometheus, version 0.0.4."""

from collections.abc import Iterable, Iterator

from haylift.services.exposition import Family
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric as TextFamily
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def prometheus_text(families: Iterable[Family]) -> str:
    """The page; names, labels and texts are escaped as the format asks."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Page(families))
    return generate_latest(registry).decode()


class _Page(Collector):
    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[TextFamily]:
        for family in self._families:
            text = TextFamily(family.name, family.meaning, family.kind.value)
            for sample in family.samples:
                text.add_sample(family.name + sample.suffix, dict(sample.labels), sample.value)
            yield text
