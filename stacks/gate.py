"""The gate: what closes the lanes while the model endpoint does not answer."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct
from haylift.domain.documents import Lane

from functions.gate import contract as gate
from stacks import rights
from stacks.acknowledgements import acknowledge
from stacks.connections import ModelConnection
from stacks.environment import Environment
from stacks.function import FunctionSpec, HayliftFunction
from stacks.layers import API_LAYERS, Layers
from stacks.storage import StorageStack

GATE = FunctionSpec(name="gate", layers=API_LAYERS, memory_mib=512, timeout_s=30)


def gate_function(
    scope: Construct,
    environment: Environment,
    *,
    layers: Layers,
    storage: StorageStack,
    model: ModelConnection,
    mapping_ids: dict[str, str],
) -> HayliftFunction:
    """The function with its rights, called by the model endpoint's alarms and once a minute.

    Args:
        mapping_ids: the event source mapping's id of each lane, by name.
    """
    alarm_prefix = environment.name_of(gate.ALARM)
    settings = gate.Settings(
        stage=environment.stage,
        log_level=environment.log_level,
        tenants_table=storage.tenants.table_name,
        interactive_mapping_id=mapping_ids[Lane.INTERACTIVE],
        backfill_mapping_id=mapping_ids[Lane.BACKFILL],
        alarm_prefix=alarm_prefix,
        embed_endpoint=model.endpoint_name,
        embed_model=model.model,
    )
    function = HayliftFunction(scope, GATE, environment=environment, settings=settings, layers=layers)
    function.allow("dynamodb:GetItem", "dynamodb:UpdateItem", on=rights.arns(storage.tenants))
    function.allow(
        "lambda:GetEventSourceMapping",
        "lambda:UpdateEventSourceMapping",
        on=[_mapping_arn(scope, mapping_ids[lane]) for lane in Lane],
    )
    function.allow("cloudwatch:DescribeAlarms", on=["*"])
    acknowledge(
        function.role,
        "IAM5[Resource::*]",
        "CloudWatch finds alarms by the beginning of their names: it takes the action on all or on none.",
    )
    function.allow_models(model)
    _call(scope, environment, function, alarm_prefix)
    return function


def _mapping_arn(scope: Construct, mapping_id: str) -> str:
    return cdk.Stack.of(scope).format_arn(
        service="lambda",
        resource="event-source-mapping",
        resource_name=mapping_id,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )


def _call(scope: Construct, environment: Environment, function: HayliftFunction, alarm_prefix: str) -> None:
    """A minute that could not be called in time is not made up for; an alarm's event is, for a while."""
    rung = events.Rule(
        scope,
        "ModelAlarms",
        rule_name=environment.name_of("gate-alarms"),
        event_pattern=events.EventPattern(
            source=[gate.ALARM_SOURCE],
            detail_type=[gate.ALARM_DETAIL_TYPE],
            detail={"alarmName": [{"prefix": alarm_prefix}], "state": {"value": ["ALARM"]}},
        ),
    )
    rung.add_target(
        targets.LambdaFunction(function.live, retry_attempts=2, max_event_age=cdk.Duration.minutes(5))
    )
    for schedule in gate.SCHEDULES:
        every = cdk.Duration.minutes(schedule.every_minutes)
        rule = events.Rule(
            scope,
            schedule.name.capitalize(),
            rule_name=environment.name_of(schedule.name),
            schedule=events.Schedule.rate(every),
        )
        rule.add_target(
            targets.LambdaFunction(
                function.live,
                event=events.RuleTargetInput.from_object({"source": schedule.source}),
                retry_attempts=0,
                max_event_age=every,
            )
        )
