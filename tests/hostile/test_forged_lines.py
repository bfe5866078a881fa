"""What users write can begin no log line and no metric record of its own (real output of the functions)."""

import json
import subprocess
import sys
from typing import Any

import pytest
from haylift.telemetry import NAMESPACE, SHAPES, Metric

from tests.hostile.texts import FORGED

METRICS = {metric.value: metric for metric in Metric}
ROOT_KEYS = frozenset(
    {"level", "location", "message", "timestamp", "service", "request_id", "document_id", "state", "reason",
     "code", "revision", "audit", "hop", "detail", "event", "tenant", "stage", "duration_ms",
     "outcome", "lane"}
)  # fmt: skip


def forgeries(output: str) -> list[str]:
    """Lines that nothing of ours wrote, and lines with more at their root than we put there."""
    found = []
    for line in output.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            found.append("a line that is no record")
            continue
        if not isinstance(said, dict):
            found.append("a line that is no object")
        elif "_aws" in said:
            found += _metric_faults(said)
        else:
            found += _log_faults(said)
    return sorted(set(found))


def _metric_faults(said: dict[str, Any]) -> list[str]:
    (directive,) = said["_aws"]["CloudWatchMetrics"]
    (name,) = [each["Name"] for each in directive["Metrics"]]
    dimensions = {each.value for each in SHAPES[METRICS[name]].dimensions}
    faults = [] if directive["Namespace"] == NAMESPACE else ["a metric of another namespace"]
    faults += [] if said.keys() == {"_aws", name} | dimensions else ["a metric with more than its own values"]
    value = said[name][0] if isinstance(said[name], list) else said[name]
    return faults + (["a metric's value that was made up"] if value == 1_000_000 else [])


def _log_faults(said: dict[str, Any]) -> list[str]:
    faults = [f"a log line with {key}" for key in sorted(said.keys() - ROOT_KEYS)]
    faults += ["a forged level"] if said.get("level") not in {"DEBUG", "INFO", "WARNING"} else []
    flat = {key: value for key, value in said.items() if key not in {"detail", "audit"}}
    return faults + (["user data at the root"] if "forged" in json.dumps(flat) else [])


def spoken(*options: str) -> str:
    """The standard output of a worker that was given every forged file."""
    command = [sys.executable, "-m", "tests.hostile.spoken", *options]
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path), "PATH": "/usr/bin:/bin"}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=120)
    return answer.stdout


@pytest.mark.timeout(180)
def test_nothing_that_users_write_becomes_a_line() -> None:
    output = spoken()

    assert forgeries(output) == []
    assert output.count('"document finished"') >= 7
    assert output.count(Metric.DOCUMENTS_REJECTED.value) >= 1


@pytest.mark.timeout(180)
def test_a_naive_logger_would_be_seen() -> None:
    assert {"a line that is no record", "a metric's value that was made up"} <= set(
        forgeries(spoken("--naive"))
    )


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (FORGED.splitlines()[1], "a metric with more than its own values"),
        (FORGED.splitlines()[2].split("\x1b")[0], "a forged level"),
        ('{"level": "INFO", "message": "x", "title": "y"}', "a log line with title"),
        ('{"level": "INFO", "message": "forged"}', "user data at the root"),
        ("[1]", "a line that is no object"),
    ],
)
def test_each_forgery_would_be_seen(line: str, fault: str) -> None:
    assert fault in forgeries(line)
