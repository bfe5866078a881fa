"""The maintenance function: its clocks, and rights on everything that it compares."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from haylift.domain.documents import Lane
from haylift.domain.quarantine import QUARANTINE_PREFIX
from haylift.domain.texts import TEXTS_PREFIX

from functions.maintenance import contract as maintenance
from stacks import rights
from stacks.acknowledgements import acknowledge
from stacks.connections import Connections
from stacks.environment import Environment
from stacks.function import FunctionSpec, HayliftFunction
from stacks.layers import SEARCH_LAYERS, Layers
from stacks.storage import BY_UPDATED, OPEN_DOCUMENTS, StorageStack

MAINTENANCE = FunctionSpec(name="maintenance", layers=SEARCH_LAYERS, memory_mib=1024, timeout_s=300)


def maintenance_function(
    scope: Construct,
    environment: Environment,
    *,
    layers: Layers,
    storage: StorageStack,
    connections: Connections,
    queues: Mapping[str, sqs.Queue],
) -> HayliftFunction:
    """The function with its rights and clocks; it sends orders and claims like dispatch."""
    numbers = environment.maintenance
    settings = maintenance.Settings(
        stage=environment.stage,
        log_level=environment.log_level,
        index_store=connections.index.store,
        index_location=connections.index.location,
        ledger_table=storage.ledger.table_name,
        tenants_table=storage.tenants.table_name,
        upload_bucket=storage.uploads.bucket_name,
        interactive_queue_url=queues[Lane.INTERACTIVE].queue_url,
        backfill_queue_url=queues[Lane.BACKFILL].queue_url,
        repair=numbers.repair,
        reconcile_every_s=numbers.reconcile_every_s,
        settle_s=numbers.settle_s,
        stuck_after_s=numbers.stuck_after_s,
    )
    function = HayliftFunction(
        scope,
        MAINTENANCE,
        environment=environment,
        settings=settings,
        layers=layers,
        placement=connections.placement,
    )
    tables = rights.arns(storage.ledger, [BY_UPDATED, OPEN_DOCUMENTS])
    function.allow(*rights.READ, *rights.WRITE, on=tables)
    function.allow(*rights.READ, *rights.WRITE, "dynamodb:Scan", on=rights.arns(storage.tenants))
    function.allow_objects(storage.uploads, *rights.READ_OBJECTS, rights.READ_TAGS, "s3:DeleteObject")
    _allow_leftovers(function, storage)
    function.allow("sqs:SendMessage", on=[queues[lane].queue_arn for lane in Lane])
    function.allow_index(connections.index)
    minutes = {
        "sweep": numbers.sweep_minutes,
        "reconcile": numbers.reconcile_minutes,
        "retention": numbers.retention_minutes,
    }
    for task in maintenance.TASKS:
        _call_on_time(scope, environment, function, task, minutes[task])
    return function


def _allow_leftovers(function: HayliftFunction, storage: StorageStack) -> None:
    """Texts and copies of rejected files: looked through with the bucket, taken away one by one."""
    bucket = storage.uploads
    function.allow("s3:ListBucketVersions", on=[bucket.bucket_arn])
    prefixes = (TEXTS_PREFIX, QUARANTINE_PREFIX)
    function.allow("s3:DeleteObject", on=[bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes])
    exported = cdk.Stack.of(bucket).export_value(bucket.bucket_arn)
    name = cdk.Stack.of(bucket).resolve(exported)["Fn::ImportValue"]
    for prefix in prefixes:
        acknowledge(
            function.role,
            f"IAM5[Resource::{name}/{prefix}*]",
            "What is left there is named after documents; the right ends at their prefix.",
        )


def _call_on_time(
    scope: Construct, environment: Environment, function: HayliftFunction, task: str, minutes: int
) -> None:
    """A call that could not be made in time is not made up for: the next one goes on."""
    rule = events.Rule(
        scope,
        f"Every{task.capitalize()}",
        rule_name=environment.name_of(task),
        schedule=events.Schedule.rate(cdk.Duration.minutes(minutes)),
    )
    rule.add_target(
        targets.LambdaFunction(
            function.live,
            event=events.RuleTargetInput.from_object({"source": f"haylift.{task}"}),
            retry_attempts=0,
            max_event_age=cdk.Duration.minutes(minutes),
        )
    )
