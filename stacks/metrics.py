"""Series of the catalogue as metrics of CloudWatch; the one place of the stacks that names them."""

import re

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from haylift.telemetry import NAMESPACE, Dimension, Metric

from stacks.alarms.parts import MINUTE_S, Part, Series, Watch
from stacks.environment import Environment

PHYSICAL = {Part.API, Part.QUEUE, Part.FUNCTION, Part.DOMAIN}
"""Dimensions of AWS's whose values are names of the stage; other values stand as they are."""


class StageMetrics:
    """Makes the metrics of one stage."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def of_series(
        self, series: Series, *, period_s: int = MINUTE_S, label: str | None = None
    ) -> cloudwatch.Metric:
        """One series, in periods of `period_s` seconds."""
        ours = isinstance(series.metric, Metric)
        namespace, name = (NAMESPACE, series.metric.value) if ours else series.metric.value
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            dimensions_map={key.value: self._value(key, text) for key, text in series.dimensions.items()},
            statistic=series.statistic,
            period=cdk.Duration.seconds(period_s),
            label=label,
        )

    def of_watch(self, watch: Watch, *, label: str | None = None, id_suffix: str = "") -> cloudwatch.IMetric:
        """What a watch compares with its threshold.

        Args:
            id_suffix: added to each id: in one graph ids must differ.
        """
        if not watch.expression:
            (series,) = watch.series.values()
            return self.of_series(series, period_s=watch.period_s, label=label)
        return cloudwatch.MathExpression(
            # Ids begin with a small letter, functions are written in capitals.
            expression=re.sub(r"\b([a-z]\w*)", rf"\g<1>{id_suffix}", watch.expression),
            using_metrics={
                f"{name}{id_suffix}": self.of_series(series, period_s=watch.period_s)
                for name, series in watch.series.items()
            },
            period=cdk.Duration.seconds(watch.period_s),
            label=label,
        )

    def _value(self, dimension: Dimension | Part, text: str) -> str:
        if dimension is Part.ACCOUNT:
            return cdk.Aws.ACCOUNT_ID
        return self._environment.name_of(text) if dimension in PHYSICAL else text
