"""Patch `gateway-metrics`: AWS/ApiGateway metrics, which ministack does not record.

Names and dimensions from "Amazon API Gateway dimensions and metrics": Count, 4XXError, 5XXError, Latency and
IntegrationLatency by ApiName, by ApiName and Stage, and with detailed metrics by Method and Resource too. Sum
of an error metric is its number, average its rate.
"""

import time
from typing import Any

from ministack.services import apigateway_v1, cloudwatch

from local.emulator.gateway_call import Call, current_call, observed_call
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.apigateway_v1", (
        "_handle_execute_in_scope", "_execute_in_scope", "_call_lambda_raw", "_rest_apis", "_stages_v1",
    )),
]  # fmt: skip


def dimension_sets(api_name: str, stage: dict[str, Any], method: str, call: Call) -> list[dict[str, str]]:
    """Which series a call counts in."""
    by_api = {"ApiName": api_name}
    by_stage = {**by_api, "Stage": str(stage.get("stageName", ""))}
    settings = stage.get("methodSettings") or {}
    is_detailed = any(str(each.get("metricsEnabled")).lower() == "true" for each in settings.values())
    if not is_detailed or not call.resource_path:
        return [by_api, by_stage]
    return [by_api, by_stage, {**by_stage, "Method": method, "Resource": call.resource_path}]


def record_call(dimensions: dict[str, str], status: int, latency_ms: float, call: Call) -> None:
    """Store the metrics of one answered call, in the account and region of the caller."""
    values = {"Count": 1, "4XXError": int(400 <= status < 500), "5XXError": int(status >= 500)}
    for name, value in values.items():
        cloudwatch.record_metric("AWS/ApiGateway", name, value, "Count", dimensions)
    cloudwatch.record_metric("AWS/ApiGateway", "Latency", latency_ms, "Milliseconds", dimensions)
    if call.integration_ms is not None:
        cloudwatch.record_metric(
            "AWS/ApiGateway", "IntegrationLatency", call.integration_ms, "Milliseconds", dimensions
        )


def patch() -> Patch:
    """Measure every call of a REST API."""
    execute, invoke = apigateway_v1._handle_execute_in_scope, apigateway_v1._call_lambda_raw
    execute_matched = apigateway_v1._execute_in_scope

    async def execute_in_scope(api_id: str, stage_name: str, method: str, *args: Any) -> Any:
        started = time.monotonic()
        with observed_call() as call:
            response = await execute(api_id, stage_name, method, *args)
            api = apigateway_v1._rest_apis.get(api_id)
            stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name)
            if api is not None and stage is not None:
                latency_ms = (time.monotonic() - started) * 1000
                for dimensions in dimension_sets(api["name"], stage, method, call):
                    record_call(dimensions, int(response[0]), latency_ms, call)
        return response

    async def execute_and_note(request: dict[str, Any], *args: Any) -> Any:
        try:
            return await execute_matched(request, *args)
        finally:
            current_call().resource_path = request["resource_path"]

    async def call_lambda(*args: Any, **named: Any) -> Any:
        started = time.monotonic()
        try:
            return await invoke(*args, **named)
        finally:
            current_call().integration_ms = (time.monotonic() - started) * 1000

    return Patch(
        "gateway-metrics",
        "ministack records no API Gateway metrics",
        [
            Replacement(apigateway_v1, "_handle_execute_in_scope", execute_in_scope),
            Replacement(apigateway_v1, "_execute_in_scope", execute_and_note),
            Replacement(apigateway_v1, "_call_lambda_raw", call_lambda),
        ],
    )
