"""Lock 3: every metric comes from the registry, in code, in alarms and in runbooks."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from haylift.adapters.lambda_telemetry import EmfTelemetry
from haylift.telemetry import NAMESPACE, SHAPES, Dimension, Metric

from stacks.alarms.parts import AwsMetric
from tests.contract.drift.contracts import ROOT
from tests.infra.assembly import STAGES, Resource, resources, templates

REGISTRY = ROOT / "layers" / "core" / "python" / "haylift" / "telemetry.py"
# The one place each that turns an entry of the registry into a metric of AWS.
WRITERS = {
    ROOT / "layers" / "core" / "python" / "haylift" / "adapters" / "lambda_telemetry.py",
    ROOT / "stacks" / "metrics.py",
}
METRIC_MAKERS = {"single_metric", "add_metric", "put_metric_data", "Metrics", "MathExpression"}
NAMES = {metric.value for metric in Metric}
SHAPE_BY_NAME = {metric.value: shape for metric, shape in SHAPES.items()}


def source_files(root: Path) -> list[Path]:
    """Code that runs in functions or makes stacks, without the registry."""
    folders = (root / "layers/core/python/haylift", root / "functions", root / "stacks")
    return [path for folder in folders for path in folder.rglob("*.py") if path != REGISTRY]


def stray_metrics(path: Path) -> list[str]:
    """Metrics of a file that are made or named past the registry."""
    return [
        f"{path.name}:{node.lineno} {what}"
        for node in ast.walk(ast.parse(path.read_text()))
        for what in _strays(node, path)
    ]


def _strays(node: ast.AST, path: Path) -> Iterator[str]:
    if isinstance(node, ast.Constant) and node.value in NAMES:
        yield f"names {node.value}"
    if isinstance(node, ast.Call) and path not in WRITERS:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        is_telemetry = name == "record" and "telemetry" in ast.unparse(node.func)
        if is_telemetry and not ast.unparse(node.args[0]).startswith("Metric."):
            yield f"records {ast.unparse(node.args[0])}"
        if name in METRIC_MAKERS:
            yield f"calls {name}"


AWS_DIMENSIONS = {
    "AWS/ApiGateway": {"ApiName", "Stage"},
    "AWS/SQS": {"QueueName"},
    "AWS/Lambda": {"FunctionName"},
    "AWS/ES": {"DomainName", "ClientId"},
}
CLOUDWATCH_LIMIT = 10
"""Metrics in the expression of one alarm."""


def alarm_metric_faults(alarms: Mapping[str, Resource]) -> list[str]:
    """Alarms on a metric, or on dimensions, that nobody writes; expressions that CloudWatch refuses."""
    faults = []
    for logical_id, alarm in alarms.items():
        watched = [query["MetricStat"]["Metric"] for query in _queries(alarm) if "MetricStat" in query]
        faults += [f"{logical_id}: {fault}" for metric in watched or [alarm] for fault in _faults(metric)]
        faults += [f"{logical_id}: {fault}" for fault in _expression_faults(_queries(alarm))]
    return faults


def _queries(alarm: Resource) -> list[Resource]:
    return list(alarm.get("Metrics", []))


def _expression_faults(queries: list[Resource]) -> Iterator[str]:
    texts = [query["Expression"] for query in queries if "Expression" in query]
    ids = {query["Id"] for query in queries}
    if len(queries) - len(texts) > CLOUDWATCH_LIMIT:
        yield f"{len(queries) - len(texts)} metrics in one expression"
    for text in texts:
        if "SEARCH" in text:
            yield "an alarm cannot search"
        unknown = set(re.findall(r"\b[a-z]\w*", text)) - ids
        if unknown:
            yield f"unknown ids {sorted(unknown)}"
    periods = {query["MetricStat"]["Period"] for query in queries if "MetricStat" in query}
    if len(periods) > 1:
        yield f"several periods {sorted(periods)}"


def _faults(metric: Resource) -> Iterator[str]:
    namespace, name = metric.get("Namespace", ""), metric.get("MetricName", "")
    dimensions = {dimension["Name"] for dimension in metric.get("Dimensions", [])}
    if namespace != NAMESPACE:
        if (namespace, name) not in {metric.value for metric in AwsMetric}:
            yield f"{namespace} {name} is not in the catalogue"
        elif dimensions != AWS_DIMENSIONS[namespace]:
            yield f"{name} does not have the dimensions {sorted(dimensions)}"
    elif name not in SHAPE_BY_NAME:
        yield f"{name} is not in the registry"
    elif dimensions != {dimension.value for dimension in SHAPE_BY_NAME[name].dimensions}:
        yield f"{name} does not have the dimensions {sorted(dimensions)}"


def runbook_metric_faults(text: str) -> list[str]:
    """Metrics of ours that a runbook asks for and nobody writes."""
    asked = re.findall(rf"--namespace {NAMESPACE} --metric-name (\S+)", text)
    quoted = re.findall(r"`(haystack_[a-z_]+)`", text)
    return [name for name in [*asked, *quoted] if name not in NAMES]


def _alarms(stage: str) -> dict[str, Resource]:
    found = resources(templates(stage), "AWS::CloudWatch::Alarm")
    return {logical_id: alarm for _, logical_id, alarm in found}


def _stat(name: str, *dimensions: str, period: int = 60) -> Resource:
    """A query of a metric of ours, as templates have it."""
    metric = {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": [{"Name": d} for d in dimensions]}
    return {"Id": "m", "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}}


def dashboard_faults(body: str) -> list[str]:
    """Lines of a dashboard on metrics or dimensions that nobody writes."""
    rows = [row for widget in json.loads(body)["widgets"] for row in widget["properties"].get("metrics", [])]
    named = [[part for part in row if isinstance(part, str)] for row in rows]
    metrics = [
        {"Namespace": row[0], "MetricName": row[1], "Dimensions": [{"Name": name} for name in row[2::2]]}
        for row in named
        if row
    ]
    return [fault for metric in metrics for fault in _faults(metric)]


def dashboard_body(stage: str) -> str:
    """The dashboard of a stage; what CloudFormation fills in is text."""
    ((_, _, dashboard),) = resources(templates(stage), "AWS::CloudWatch::Dashboard")
    body = dashboard["DashboardBody"]
    parts = body["Fn::Join"][1] if isinstance(body, dict) else [body]
    return "".join(part if isinstance(part, str) else "filled-in" for part in parts)


@pytest.mark.infra
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stage", STAGES)
def test_the_dashboard_shows_what_is_written(stage: str) -> None:
    assert dashboard_faults(dashboard_body(stage)) == []


def test_a_line_on_nothing_would_be_seen() -> None:
    body = json.dumps(
        {"widgets": [{"properties": {"metrics": [[NAMESPACE, "model_calls", "task", "embed"]]}}]}
    )

    assert dashboard_faults(body) == ["model_calls does not have the dimensions ['task']"]


def test_no_code_makes_or_names_a_metric_past_the_registry() -> None:
    assert [stray for path in source_files(ROOT) for stray in stray_metrics(path)] == []


@pytest.mark.parametrize(
    "line",
    [
        'telemetry.record("searches", 1)',
        'self._telemetry.record(name, 1, task="embed")',
        'metrics.add_metric(name="searches", unit="Count", value=1)',
        'NAME = "haystack_requests_total"',
    ],
)
def test_a_stray_metric_would_be_seen(line: str, tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(f"{line}\n")

    assert len(stray_metrics(module)) == 1


def test_every_metric_has_a_shape() -> None:
    assert set(SHAPES) == set(Metric)


@pytest.mark.parametrize("metric", Metric)
def test_a_metric_is_written_with_the_dimensions_of_its_shape(
    metric: Metric, capsys: pytest.CaptureFixture[str]
) -> None:
    dimensions = {dimension.value: "x" for dimension in SHAPES[metric].dimensions}

    EmfTelemetry().record(metric, 1, **dimensions)

    (directive,) = json.loads(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"]
    assert [sorted(names) for names in directive["Dimensions"]] == [sorted(dimensions)]


@pytest.mark.infra
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stage", STAGES)
def test_alarms_watch_what_is_written(stage: str) -> None:
    assert alarm_metric_faults(_alarms(stage)) == []


@pytest.mark.parametrize(
    "alarm",
    [
        {"Namespace": NAMESPACE, "MetricName": "searches", "Dimensions": []},
        {"Namespace": NAMESPACE, "MetricName": "model_calls", "Dimensions": [{"Name": "task"}]},
        {"Namespace": "AWS/Lambda", "MetricName": "Durations", "Dimensions": []},
        {"Namespace": "AWS/Lambda", "MetricName": "Throttles", "Dimensions": [{"Name": "Resource"}]},
        {"Metrics": [_stat("model_calls", "task")]},
        {"Metrics": [_stat("shed_requests"), {"Id": "e", "Expression": "lost / 2"}]},
        {"Metrics": [_stat("shed_requests"), {"Id": "e", "Expression": "SUM(SEARCH(m))"}]},
        {"Metrics": [_stat("shed_requests", period=60), _stat("shed_requests", period=300)]},
        {"Metrics": [_stat("shed_requests")] * 11},
    ],
)
def test_an_alarm_on_nothing_would_be_seen(alarm: Resource) -> None:
    assert len(alarm_metric_faults({"alarm": alarm})) == 1


def test_runbooks_ask_for_metrics_that_exist() -> None:
    texts = [path.read_text() for path in (ROOT / "docs" / "runbooks").glob("*.md")]

    assert [name for text in texts for name in runbook_metric_faults(text)] == []


def test_a_runbook_with_an_unknown_metric_would_be_seen() -> None:
    text = "aws cloudwatch --namespace Haylift --metric-name gone_seconds --period 60; see `haystack_gone`"

    assert runbook_metric_faults(text) == ["gone_seconds", "haystack_gone"]


def test_no_dimension_counts_tenants_or_users() -> None:
    names = {dimension.value for dimension in Dimension}

    assert {"tenant", "user", "username", "document_id"} & names == set()
