"""Patch `lambda-metrics`: AWS/Lambda metrics whatever invoked the function.

ministack records them for direct invocations only, so an alarm on the errors of a function behind a queue
or an API could never ring. Names and dimensions as in the Lambda developer guide. `IteratorAge` is in the
minutes of the alarms' clock, as the age of a queue's messages is.
"""

from ministack.services import cloudwatch, lambda_svc

from local.emulator import lambda_worker
from local.emulator.configuration import CONFIGURATION
from local.emulator.lambda_worker import Invocation
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.lambda_svc", ("_emit_lambda_metrics", "executions_in_flight", "_inflight_key"))
]


def record_invocation(invocation: Invocation) -> None:
    """Store Invocations, Errors, Duration, ConcurrentExecutions and no throttle of one invocation."""
    by_function = {"FunctionName": str(invocation.config["FunctionName"])}
    running = lambda_svc.executions_in_flight()[1].get(lambda_svc._inflight_key(invocation.config), 1)
    cloudwatch.record_metric("AWS/Lambda", "ConcurrentExecutions", running, "Count", by_function)
    cloudwatch.record_metric("AWS/Lambda", "Throttles", 0, "Count", by_function)
    for dimensions in _dimension_sets(invocation):
        cloudwatch.record_metric("AWS/Lambda", "Invocations", 1, "Count", dimensions)
        cloudwatch.record_metric("AWS/Lambda", "Errors", int(invocation.is_error), "Count", dimensions)
        cloudwatch.record_metric("AWS/Lambda", "Duration", invocation.duration_ms, "Milliseconds", dimensions)
        if invocation.iterator_age_ms is not None:
            age_ms = invocation.iterator_age_ms * CONFIGURATION.pace
            cloudwatch.record_metric("AWS/Lambda", "IteratorAge", age_ms, "Milliseconds", dimensions)


def _dimension_sets(invocation: Invocation) -> list[dict[str, str]]:
    """By function, and for an invocation of a version or alias by that and by the version executed."""
    name = str(invocation.config["FunctionName"])
    by_function = {"FunctionName": name}
    qualifier = invocation.invoked_arn.partition(f":function:{name}:")[2]
    if not qualifier:
        return [by_function]
    by_resource = {**by_function, "Resource": f"{name}:{qualifier}"}
    by_version = {**by_resource, "ExecutedVersion": str(invocation.config.get("Version", "$LATEST"))}
    return [by_function, by_resource, by_version]


def record_throttle(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:  # noqa: ARG001
    """Store a throttle; invocations are recorded where they happen, and must not count twice."""
    if throttle and duration_ms == 0.0:
        cloudwatch.record_metric("AWS/Lambda", "Throttles", 1, "Count", {"FunctionName": function_name})


def patch() -> Patch:
    """Record each invocation in the worker that ran it."""
    return Patch(
        "lambda-metrics",
        "ministack records AWS/Lambda metrics of direct invocations only",
        [
            Replacement(lambda_svc, "_emit_lambda_metrics", record_throttle),
            Replacement(lambda_worker.HOOKS, "invocation", record_invocation),
        ],
    )
