"""Watches that several symptoms use."""

from haylift.telemetry import Dimension, Metric

from stacks.alarms.parts import Part, Rings, Series, Watch


def ours(metric: Metric, statistic: str, **dimensions: str) -> Series:
    """A series of our own metric; dimensions by their names in the registry."""
    named: dict[Dimension | Part, str] = {Dimension(key): value for key, value in dimensions.items()}
    return Series(metric=metric, statistic=statistic, dimensions=named)


def guarded(value: str, volume: str, minimum: int) -> str:
    """The expression of a value that is 0 while the volume is too small to judge."""
    return f"IF({volume} >= {minimum}, {value}, 0)"


def failures(variant: str, metric: Metric, *, threshold: float, minimum: int, **dimensions: str) -> Watch:
    """The share of failed attempts, from a metric that is 1 for a failure and 0 else; in 1 of 2 minutes."""
    return Watch(
        variant=variant,
        series={
            "ratio": ours(metric, "Average", **dimensions),
            "n": ours(metric, "SampleCount", **dimensions),
        },
        expression=guarded("ratio", "n", minimum),
        threshold=threshold,
        minimum_volume=minimum,
        periods=2,
        breaching=1,
    )


def probe(dependency: str, variant: str = "") -> Watch:
    """The heartbeat's own question once a minute: tells of a fault also when nobody searches."""
    return Watch(
        variant=variant,
        series={"healthy": ours(Metric.DEPENDENCY_HEALTHY, "Minimum", dependency=dependency)},
        threshold=1,
        rings=Rings.BELOW,
        periods=3,
        breaching=2,
    )
