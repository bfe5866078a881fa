"""The dashboard of a stage: rows from what users feel down to the parts, graphs from the catalogue of alarms.

Every alarm is drawn with its threshold, so that a look tells how far it is from ringing; around it stands
what explains it.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import batched

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.alarms.parts import MINUTE_S, AlarmSpec, Series
from stacks.environment import Environment
from stacks.graphs import Row, rows
from stacks.metrics import StageMetrics

COLUMNS = 24
GRAPHS_PER_LINE = 3
GRAPH_HEIGHT = 5
HEADER_HEIGHT = 2
SHOWN_HOURS = 3


class OperatorsDashboard(Construct):
    """`haylift-<stage>`: one page for whoever is called."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        specs: Sequence[AlarmSpec],
        functions: Sequence[str],
        alarms: Sequence[cloudwatch.AlarmBase],
    ) -> None:
        super().__init__(scope, "Dashboard")
        self._metrics = StageMetrics(environment)
        self._specs_by_name = {spec.name: spec for spec in specs}
        dashboard = cloudwatch.Dashboard(
            self,
            "Page",
            dashboard_name=environment.name_of("operators"),
            default_interval=cdk.Duration.hours(SHOWN_HOURS),
            period_override=cloudwatch.PeriodOverride.INHERIT,
        )
        for row in rows(functions):
            self._add(dashboard, row)
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(
                title="Alarms", alarms=list(alarms), width=COLUMNS, height=GRAPH_HEIGHT + 1
            )
        )
        cdk.CfnOutput(cdk.Stack.of(self), "DashboardName", value=dashboard.dashboard_name)

    def _add(self, dashboard: cloudwatch.Dashboard, row: Row) -> None:
        runbooks = ", ".join(f"`docs/runbooks/{name}.md`" for name in row.alarms)
        text = f"## {row.title}\n{row.question} Runbooks: {runbooks}"
        dashboard.add_widgets(cloudwatch.TextWidget(markdown=text, width=COLUMNS, height=HEADER_HEIGHT))
        graphs = [
            *(self._of_alarm(self._specs_by_name[name]) for name in row.alarms),
            *(
                self._graph(graph.title, self._lines(graph.lines), stacked=graph.is_stacked)
                for graph in row.graphs
            ),
        ]
        for line in batched(graphs, GRAPHS_PER_LINE, strict=False):
            dashboard.add_widgets(*line)

    def _of_alarm(self, spec: AlarmSpec) -> cloudwatch.IWidget:
        """What the alarm compares, one line for each watch, and its thresholds."""
        lines = [
            self._metrics.of_watch(watch, label=watch.variant or spec.name, id_suffix=f"_{number}")
            for number, watch in enumerate(spec.watches)
        ]
        thresholds = sorted({watch.threshold for watch in spec.watches})
        return self._graph(f"Alarm {spec.name}", lines, thresholds=thresholds)

    def _lines(self, lines: Mapping[str, Series]) -> list[cloudwatch.IMetric]:
        return [self._metrics.of_series(series, label=label) for label, series in lines.items()]

    @staticmethod
    def _graph(
        title: str,
        lines: Sequence[cloudwatch.IMetric],
        *,
        thresholds: Iterable[float] = (),
        stacked: bool = False,
    ) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title=title,
            left=list(lines),
            left_annotations=[
                cloudwatch.HorizontalAnnotation(value=value, label="threshold", color=cloudwatch.Color.RED)
                for value in thresholds
            ],
            left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
            stacked=stacked,
            period=cdk.Duration.seconds(MINUTE_S),
            width=COLUMNS // GRAPHS_PER_LINE,
            height=GRAPH_HEIGHT,
        )
