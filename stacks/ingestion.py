"""From an upload to the index: bucket > intake queues > dispatch > lane queues > ingestion; the gate."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from haylift.contract import QueueSource
from haylift.domain.documents import BULK_PREFIX, DOCUMENTS_PREFIX, Lane
from haylift.domain.quarantine import QUARANTINE_PREFIX
from haylift.domain.texts import TEXTS_PREFIX

from functions.dispatch import contract as dispatch
from functions.dispatch.contract import BULK_INTAKE, INTAKE
from functions.ingestion import contract as ingestion
from stacks import rights
from stacks.audit import RECORDS, AuditStack
from stacks.connections import Connections
from stacks.environment import Environment, LaneNumbers
from stacks.function import FunctionSpec, HayliftFunction
from stacks.gate import GATE, gate_function
from stacks.layers import API_LAYERS, INGESTION_LAYERS, Layers
from stacks.maintenance import MAINTENANCE, maintenance_function
from stacks.storage import BY_UPDATED, OPEN_DOCUMENTS, StorageStack

DISPATCH = FunctionSpec(name="dispatch", layers=API_LAYERS, memory_mib=512, timeout_s=30)
INGESTION = FunctionSpec(name="ingestion", layers=INGESTION_LAYERS, memory_mib=3008, timeout_s=120)
TIMEOUTS_PER_VISIBILITY = 6
"""AWS's advice, so that a batch may be throttled and tried again before its messages come back."""
INTAKE_VISIBILITY_S = DISPATCH.timeout_s * TIMEOUTS_PER_VISIBILITY

EVENTS = ("Object Created", "Object Deleted")
BULK_KEYS = f"{DOCUMENTS_PREFIX}*/{BULK_PREFIX}*"
"""A `*` also spans slashes: a `bulk/` deeper below takes this intake too, and then the lane of its key."""

OWN_KEYS = tuple(f"{prefix}*" for prefix in (QUARANTINE_PREFIX, TEXTS_PREFIX))
"""What the system writes itself must not start it again."""


class IngestionStack(cdk.Stack):
    """Queues by name in `queues` and `dead_letters`; `functions` by name."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        storage: StorageStack,
        connections: Connections,
        audit: AuditStack,
    ) -> None:
        super().__init__(scope, environment.name_of("ingestion"))
        self._environment = environment
        self._storage = storage
        self._connections = connections
        self._layers = Layers(self, environment.bundle)
        self.queues: dict[str, sqs.Queue] = {}
        self.dead_letters: dict[str, sqs.Queue] = {}
        for intake in (INTAKE, BULK_INTAKE):
            self._add_queue(intake, INTAKE_VISIBILITY_S)
        for lane in Lane:
            self._add_queue(lane.value, environment.lanes.visibility_s)
        # A field's conditions are joined by "or"; so the one of all other keys names what it does not want.
        self._send("Uploads", {"anything-but": {"wildcard": [BULK_KEYS, *OWN_KEYS]}}, INTAKE)
        self._send("BulkUploads", {"wildcard": BULK_KEYS}, BULK_INTAKE)
        self._mapping_ids: dict[str, str] = {}
        self.functions = {DISPATCH.name: self._dispatch(), INGESTION.name: self._ingestion()}
        self.functions[GATE.name] = gate_function(
            self,
            environment,
            layers=self._layers,
            storage=storage,
            model=connections.model,
            mapping_ids=self._mapping_ids,
        )
        self.functions[MAINTENANCE.name] = maintenance_function(
            self,
            environment,
            layers=self._layers,
            storage=storage,
            connections=connections,
            queues=self.queues,
        )
        for function in self.functions.values():
            audit.subscribe(function.log_group, RECORDS)
        cdk.CfnOutput(self, "IntakeQueueUrl", value=self.queues[INTAKE].queue_url)
        cdk.CfnOutput(self, "IntakeBulkQueueUrl", value=self.queues[BULK_INTAKE].queue_url)
        cdk.CfnOutput(self, "InteractiveQueueUrl", value=self.queues[Lane.INTERACTIVE].queue_url)
        cdk.CfnOutput(self, "BackfillQueueUrl", value=self.queues[Lane.BACKFILL].queue_url)

    def _add_queue(self, name: str, visibility_s: int) -> None:
        numbers: LaneNumbers = self._environment.lanes
        dead = sqs.Queue(
            self,
            f"{name}-dead",
            queue_name=self._environment.name_of(f"{name}-dead"),
            retention_period=cdk.Duration.days(numbers.retention_days),
            enforce_ssl=self._environment.tls_only,
        )
        self.dead_letters[name] = dead
        self.queues[name] = sqs.Queue(
            self,
            name,
            queue_name=self._environment.name_of(name),
            visibility_timeout=cdk.Duration.seconds(visibility_s),
            retention_period=cdk.Duration.days(numbers.retention_days),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=numbers.max_receives),
            enforce_ssl=self._environment.tls_only,
        )

    def _send(self, name: str, keys: dict[str, object], intake: str) -> None:
        """A rule for the uploads of these keys; dispatch ignores what is no document."""
        rule = events.Rule(
            self,
            name,
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=list(EVENTS),
                detail={
                    "bucket": {"name": [self._storage.uploads.bucket_name]},
                    "object": {"key": [keys]},
                },
            ),
        )
        rule.add_target(targets.SqsQueue(self.queues[intake], dead_letter_queue=self.dead_letters[intake]))

    def _dispatch(self) -> HayliftFunction:
        lanes = [self.queues[lane] for lane in Lane]
        settings = dispatch.Settings(
            stage=self._environment.stage,
            log_level=self._environment.log_level,
            ledger_table=self._storage.ledger.table_name,
            tenants_table=self._storage.tenants.table_name,
            upload_bucket=self._storage.uploads.bucket_name,
            interactive_queue_url=self.queues[Lane.INTERACTIVE].queue_url,
            backfill_queue_url=self.queues[Lane.BACKFILL].queue_url,
        )
        function = HayliftFunction(
            self, DISPATCH, environment=self._environment, settings=settings, layers=self._layers
        )
        function.allow(
            *rights.READ, *rights.WRITE, on=rights.arns(self._storage.ledger, [BY_UPDATED, OPEN_DOCUMENTS])
        )
        # A claim that takes readers away raises the tenant's content version.
        function.allow(*rights.READ, "dynamodb:UpdateItem", on=rights.arns(self._storage.tenants))
        function.allow_objects(self._storage.uploads, *rights.READ_OBJECTS, rights.READ_TAGS)
        function.allow("sqs:SendMessage", on=[queue.queue_arn for queue in lanes])
        self._feed(function, dispatch.SOURCES)
        return function

    def _ingestion(self) -> HayliftFunction:
        settings = ingestion.Settings(
            stage=self._environment.stage,
            log_level=self._environment.log_level,
            index_store=self._connections.index.store,
            index_location=self._connections.index.location,
            cache_endpoint=self._connections.cache.endpoint,
            cache_tls=self._connections.cache.tls,
            ledger_table=self._storage.ledger.table_name,
            tenants_table=self._storage.tenants.table_name,
            upload_bucket=self._storage.uploads.bucket_name,
            embed_endpoint=self._connections.model.endpoint_name,
            embed_model=self._connections.model.model,
            ocr_packages=self._environment.ocr_packages,
        )
        function = HayliftFunction(
            self,
            INGESTION,
            environment=self._environment,
            settings=settings,
            layers=self._layers,
            placement=self._connections.placement,
        )
        function.allow(
            *rights.READ, *rights.WRITE, on=rights.arns(self._storage.ledger, [BY_UPDATED, OPEN_DOCUMENTS])
        )
        function.allow(*rights.READ, *rights.WRITE, on=rights.arns(self._storage.tenants))
        function.allow_objects(self._storage.uploads, *rights.READ_OBJECTS, rights.READ_TAGS)
        function.allow_objects(
            self._storage.uploads,
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            prefix=QUARANTINE_PREFIX,
        )
        self._allow_texts(function)
        function.allow_index(self._connections.index)
        function.allow_models(self._connections.model)
        self._feed(function, ingestion.SOURCES)
        return function

    def _allow_texts(self, function: HayliftFunction) -> None:
        """Text is made of the file again at any time, so that its old versions go with it."""
        function.allow_objects(
            self._storage.uploads,
            "s3:GetObject",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            prefix=TEXTS_PREFIX,
        )
        function.allow("s3:ListBucketVersions", on=[self._storage.uploads.bucket_arn])

    def _feed(self, function: HayliftFunction, sources: tuple[QueueSource, ...]) -> None:
        """Lets each queue invoke `live`; what a batch does not name as failed is done."""
        for source in sources:
            fed = event_sources.SqsEventSource(
                self.queues[source.name],
                batch_size=source.batch_size,
                max_batching_window=cdk.Duration.seconds(source.batching_window_s),
                max_concurrency=source.max_concurrency,
                report_batch_item_failures=True,
            )
            function.live.add_event_source(fed)
            self._mapping_ids[source.name] = fed.event_source_mapping_id
