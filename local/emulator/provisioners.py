"""Patches `stand-ins`, `table-ttl`, `rest-api-id`: what CloudFormation makes of a template here.

One unknown resource type makes ministack refuse a whole template; `STAND_INS` are accepted, answer Ref and
GetAtt, and do nothing. The table holds only what the stage `local` uses.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import apigateway_v1, dynamodb
from ministack.services.cloudformation import provisioners

from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.cloudformation.provisioners", ("_RESOURCE_HANDLERS", "_physical_name")),
    Needs("ministack.services.dynamodb", ("_update_ttl",)),
    Needs("ministack.services.apigateway_v1", ("find_api_scope",)),
]
Attributes = Callable[[str], dict[str, str]]


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


# Type -> the property that names it, and what GetAtt gives for that name.
STAND_INS: dict[str, tuple[str, Attributes]] = {
    "AWS::SageMaker::Model": ("ModelName", lambda name: {"ModelName": name}),
    "AWS::SageMaker::EndpointConfig": ("EndpointConfigName", lambda name: {"EndpointConfigName": name}),
    "AWS::SageMaker::Endpoint": ("EndpointName", lambda name: {"EndpointName": name}),
    "AWS::ApplicationAutoScaling::ScalableTarget": ("", lambda name: {"Id": name}),
    "AWS::ApplicationAutoScaling::ScalingPolicy": (
        "PolicyName", lambda name: {"Arn": _arn("autoscaling", f"scalingPolicy:{name}")},
    ),
}  # fmt: skip


def _stand_in(name_property: str, attributes: Attributes) -> dict[str, Any]:
    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, str]]:
        name = props.get(name_property) or provisioners._physical_name(stack_name, logical_id, max_len=60)
        return name, attributes(name)

    def update(physical_id: str, *_: Any, **__: Any) -> tuple[str, dict[str, str]]:
        return physical_id, attributes(physical_id)

    return {"create": create, "update": update, "delete": lambda physical_id, props: None}  # noqa: ARG005


def stand_ins_patch() -> Patch:
    """Accept the types of `STAND_INS`."""
    handlers = provisioners._RESOURCE_HANDLERS
    return Patch(
        "stand-ins",
        "ministack refuses templates with SageMaker or autoscaling resources",
        [Replacement(handlers, kind, _stand_in(*entry)) for kind, entry in STAND_INS.items()],
    )


def table_ttl_patch() -> Patch:
    """Apply `TimeToLiveSpecification` of a table when it is created or updated."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]

    def with_ttl(made: tuple[str, Any], props: dict[str, Any]) -> tuple[str, Any]:
        wanted = props.get("TimeToLiveSpecification")
        if wanted:
            enabled = str(wanted.get("Enabled")).lower() == "true"
            spec = {"AttributeName": wanted["AttributeName"], "Enabled": enabled}
            dynamodb._update_ttl({"TableName": made[0], "TimeToLiveSpecification": spec})
        return made

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, Any]:
        return with_ttl(handler["create"](logical_id, props, stack_name), props)

    def update(physical_id: str, old: Any, new: dict[str, Any], *args: Any, **named: Any) -> tuple[str, Any]:
        return with_ttl(handler["update"](physical_id, old, new, *args, **named), new)

    replaced = {**handler, "create": create, "update": update}
    table = provisioners._RESOURCE_HANDLERS
    return Patch(
        "table-ttl",
        "ministack ignores TimeToLiveSpecification in templates",
        [Replacement(table, "AWS::DynamoDB::Table", replaced)],
    )


def rest_api_id(stack_name: str, logical_id: str) -> str:
    """The id of a REST API: ten characters, the same for the same stack and resource."""
    digest = hashlib.sha256(f"{stack_name}/{logical_id}".encode()).digest()
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(alphabet[byte % len(alphabet)] for byte in digest[:10])


def rest_api_id_patch() -> Patch:
    """Give a REST API the same id each time, so that addresses survive a rebuilt system."""
    table = provisioners._RESOURCE_HANDLERS
    handler = table["AWS::ApiGateway::RestApi"]

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, Any]:
        wanted = rest_api_id(stack_name, logical_id)
        tags = list(props.get("Tags") or [])
        if apigateway_v1.find_api_scope(wanted) is None:
            tags.append({"Key": "ms-custom-id", "Value": wanted})
        made: tuple[str, Any] = handler["create"](logical_id, {**props, "Tags": tags}, stack_name)
        return made

    return Patch(
        "rest-api-id",
        "ministack draws a new id for each REST API, which changes every address",
        [Replacement(table, "AWS::ApiGateway::RestApi", {**handler, "create": create})],
    )
