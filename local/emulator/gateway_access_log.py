"""Patch `access-log`: one line for each call of a stage, in the stage's own format.

ministack forgets AccessLogSetting of a template and writes nothing. Sources: "Set up CloudWatch logging for
REST APIs" and "Variables for access logging for API Gateway": a variable without a value is `-`.
"""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

from local.emulator import log_groups
from local.emulator.gateway_call import Call, current_call, observed_call, peer_address, request_id
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.apigateway_v1", (
        "_handle_execute_in_scope", "_call_lambda_raw", "_invoke_authorizer_lambda",
        "_authorize_request_v1", "_gateway_error_response", "_lambda_proxy_response", "_stages_v1",
        "_evaluate_policy", "_authorizer_cache",
    )),
    Needs("ministack.services.cloudformation.provisioners", ("_RESOURCE_HANDLERS",)),
]  # fmt: skip
_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)")
_STAGE = "AWS::ApiGateway::Stage"


def line_of(template: str, values: Mapping[str, Any]) -> str:
    """The format with its variables replaced; what has no value, or is unknown, is `-`."""

    def value(found: re.Match[str]) -> str:
        said = values.get(found[1])
        if said is None or said == "":
            return "-"
        # Text of callers may not end a string of a JSON line.
        return str(said).replace("\\", "\\\\").replace('"', '\\"')

    return _VARIABLE.sub(value, template)


def values_of(
    call: Call, request: Mapping[str, Any], status: int, size_bytes: int, took_ms: float
) -> dict[str, Any]:
    """Every variable of one call that is known here, by its name behind `$context.`."""
    now, header = datetime.now(UTC), {k.lower(): v for k, v in (request["headers"] or {}).items()}
    return {
        "requestId": request_id.get(), "extendedRequestId": request_id.get(),
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now.timestamp() * 1000),
        "accountId": get_account_id(), "apiId": request["api_id"], "stage": request["stage_name"],
        "httpMethod": request["method"], "path": f"/{request['stage_name']}{request['path']}",
        "resourcePath": call.resource_path, "protocol": "HTTP/1.1", "domainName": header.get("host"),
        "identity.sourceIp": peer_address.get(), "identity.userAgent": header.get("user-agent"),
        "status": status, "responseLength": size_bytes, "responseLatency": round(took_ms),
        "integrationLatency": _rounded(call.integration_ms),
        "integration.latency": _rounded(call.integration_ms),
        "integrationStatus": call.function_status, "integration.status": call.function_status,
        "integration.integrationStatus": call.integration_status,
        "authorizer.latency": _rounded(call.authorizer_ms), "authorizer.status": call.authorizer_status,
        "authorizer.integrationStatus": call.authorizer_status,
        **{f"authorizer.{name}": value for name, value in call.authorizer_context.items()},
        "error.responseType": call.error_type, "error.message": call.error_message,
        "error.messageString": call.error_message,
    }  # fmt: skip


def _rounded(time_ms: float | None) -> int | None:
    return None if time_ms is None else round(time_ms)


def write_line(stage: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Write a call's line to the group that the stage names, if it names one."""
    settings = stage.get("accessLogSettings") or {}
    group = str(settings.get("destinationArn", "")).partition(":log-group:")[2].removesuffix(":*")
    if group and settings.get("format"):
        log_groups.append(
            group, f"{stage['stageName']}/{datetime.now(UTC):%Y/%m/%d}", line_of(settings["format"], values)
        )


def _with_settings(handler: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation's handler of stages, which also keeps the access log's settings."""

    def keep(props: Mapping[str, Any]) -> None:
        wanted = props.get("AccessLogSetting") or {}
        stage = apigateway_v1._stages_v1.get(props.get("RestApiId"), {}).get(props.get("StageName"))
        if stage is not None:
            stage["accessLogSettings"] = {
                "destinationArn": wanted.get("DestinationArn", ""), "format": wanted.get("Format", ""),
            } if wanted else {}  # fmt: skip

    def create(logical_id: str, props: dict[str, Any], *args: Any) -> Any:
        made = handler["create"](logical_id, props, *args)
        keep(props)
        return made

    def update(physical_id: str, old: Any, new: dict[str, Any], *args: Any) -> Any:
        made = handler["update"](physical_id, old, new, *args)
        keep(new)
        return made

    return {**handler, "create": create, "update": update}


def _observers() -> list[Replacement]:
    """What notes the parts of a call as they happen; path and integration are noted by `gateway-metrics`."""
    authorize, ask, invoke = (
        apigateway_v1._authorize_request_v1, apigateway_v1._invoke_authorizer_lambda,
        apigateway_v1._call_lambda_raw,
    )  # fmt: skip
    evaluate = apigateway_v1._evaluate_policy
    shape, answer_error = apigateway_v1._lambda_proxy_response, apigateway_v1._gateway_error_response

    async def authorize_and_note(*args: Any) -> Any:
        error, context = await authorize(*args)
        if context:
            current_call().authorizer_context = context
        return error, context

    def evaluate_and_note(policy: Any, arn: str) -> Any:
        # A denied call has a caller too: ministack drops the context, but keeps it beside the policy.
        kept = apigateway_v1._authorizer_cache.values()
        current_call().authorizer_context = next((each[2] for each in kept if each[1] is policy), {})
        return evaluate(policy, arn)

    async def ask_and_note(*args: Any) -> Any:
        call, started = current_call(), time.monotonic()
        result = await ask(*args)
        call.authorizer_ms = (time.monotonic() - started) * 1000
        call.authorizer_status = _authorizer_status(result)
        return result

    async def invoke_and_note(*args: Any, **named: Any) -> Any:
        result, error = await invoke(*args, **named)
        current_call().integration_status = _status_of(result)
        return result, error

    def shape_and_note(result: dict[str, Any]) -> Any:
        shaped, error = shape(result)
        current_call().function_status = int((shaped or {}).get("statusCode", 200))
        return shaped, error

    def answer_and_note(error: Any, request: dict[str, Any]) -> Any:
        call = current_call()
        call.error_type, call.error_message = error.response_type, error.message or ""
        return answer_error(error, request)

    return [
        Replacement(apigateway_v1, "_authorize_request_v1", authorize_and_note),
        Replacement(apigateway_v1, "_evaluate_policy", evaluate_and_note),
        Replacement(apigateway_v1, "_invoke_authorizer_lambda", ask_and_note),
        Replacement(apigateway_v1, "_call_lambda_raw", invoke_and_note),
        Replacement(apigateway_v1, "_lambda_proxy_response", shape_and_note),
        Replacement(apigateway_v1, "_gateway_error_response", answer_and_note),
    ]


def _authorizer_status(result: Mapping[str, Any] | None) -> int:
    """The status of an authorizer's answer: 401 where it says so, 500 where it failed."""
    if result is None or not result.get("error"):
        return _status_of(result)
    body = result.get("body")
    said = body.get("errorMessage") if isinstance(body, dict) else body
    return 401 if str(said).strip().lower() == "unauthorized" else 500


def _status_of(result: Mapping[str, Any] | None) -> int:
    """The status with which Lambda answered the gateway."""
    if result is None:
        return 404
    return 429 if result.get("throttle") else 200


def patch() -> Patch:
    """Keep the settings, note the parts, write the line."""
    execute = apigateway_v1._handle_execute_in_scope

    async def execute_in_scope(
        api_id: str, stage_name: str, method: str, path: str, headers: Any, *args: Any
    ) -> Any:
        started = time.monotonic()
        with observed_call() as call:
            response = await execute(api_id, stage_name, method, path, headers, *args)
            stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name)
            if stage is not None:
                request = {
                    "api_id": api_id, "stage_name": stage_name, "method": method, "path": path,
                    "headers": headers,
                }  # fmt: skip
                took_ms = (time.monotonic() - started) * 1000
                size_bytes = len(response[2]) if isinstance(response[2], bytes) else 0
                write_line(stage, values_of(call, request, int(response[0]), size_bytes, took_ms))
        return response

    table = provisioners._RESOURCE_HANDLERS
    return Patch(
        "access-log",
        "ministack forgets the access log of a stage and writes none",
        [
            Replacement(table, _STAGE, _with_settings(table[_STAGE])),
            *_observers(),
            Replacement(apigateway_v1, "_handle_execute_in_scope", execute_in_scope),
        ],
    )
