"""Patch `gateway-metrics`: AWS/ApiGateway metrics, which ministack does not record.

Names and dimensions from "Amazon API Gateway dimensions and metrics": Count, 4XXError, 5XXError, Latency
by ApiName, and by ApiName and Stage. Sum of an error metric is its number, average its rate.
"""

import time
from typing import Any

from ministack.services import apigateway_v1, cloudwatch

from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [Needs("ministack.services.apigateway_v1", ("_handle_execute_in_scope", "_rest_apis"))]


def record_call(api_name: str, stage: str, status: int, latency_ms: float) -> None:
    """Store the metrics of one answered call, in the account and region of the caller."""
    for dimensions in ({"ApiName": api_name}, {"ApiName": api_name, "Stage": stage}):
        cloudwatch.record_metric("AWS/ApiGateway", "Count", 1, "Count", dimensions)
        cloudwatch.record_metric("AWS/ApiGateway", "4XXError", int(400 <= status < 500), "Count", dimensions)
        cloudwatch.record_metric("AWS/ApiGateway", "5XXError", int(status >= 500), "Count", dimensions)
        cloudwatch.record_metric("AWS/ApiGateway", "Latency", latency_ms, "Milliseconds", dimensions)


def patch() -> Patch:
    """Measure every call of a REST API."""
    execute = apigateway_v1._handle_execute_in_scope

    async def execute_in_scope(api_id: str, stage_name: str, *args: Any) -> Any:
        started = time.monotonic()
        response = await execute(api_id, stage_name, *args)
        api = apigateway_v1._rest_apis.get(api_id)
        if api is not None:
            record_call(api["name"], stage_name, response[0], (time.monotonic() - started) * 1000)
        return response

    return Patch(
        "gateway-metrics",
        "ministack records no API Gateway metrics",
        [Replacement(apigateway_v1, "_handle_execute_in_scope", execute_in_scope)],
    )
