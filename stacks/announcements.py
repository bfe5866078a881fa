"""What the ledger's stream leads to: object tags, events, and fresh orders of documents that go on."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from constructs import Construct
from haylift.domain.documents import Lane

from functions.announcer import contract as announcer
from stacks import rights
from stacks.acknowledgements import acknowledge
from stacks.audit import RECORDS, AuditStack
from stacks.environment import Environment
from stacks.function import FunctionSpec, HayliftFunction
from stacks.ingestion import IngestionStack
from stacks.layers import API_LAYERS, Layers
from stacks.storage import StorageStack

ANNOUNCER = FunctionSpec(name="announcer", layers=API_LAYERS, memory_mib=512, timeout_s=30)


class AnnouncementsStack(cdk.Stack):
    """The announcer; `functions` by name."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        storage: StorageStack,
        ingestion: IngestionStack,
        audit: AuditStack,
    ) -> None:
        super().__init__(scope, environment.name_of("announcements"))
        settings = announcer.Settings(
            stage=environment.stage,
            log_level=environment.log_level,
            ledger_table=storage.ledger.table_name,
            tenants_table=storage.tenants.table_name,
            upload_bucket=storage.uploads.bucket_name,
            interactive_queue_url=ingestion.queues[Lane.INTERACTIVE].queue_url,
            backfill_queue_url=ingestion.queues[Lane.BACKFILL].queue_url,
        )
        function = HayliftFunction(
            self,
            ANNOUNCER,
            environment=environment,
            settings=settings,
            layers=Layers(self, environment.bundle),
        )
        function.allow("dynamodb:GetItem", on=rights.arns(storage.ledger))
        function.allow_objects(storage.uploads, "s3:GetObjectVersionTagging", "s3:PutObjectVersionTagging")
        function.allow("sqs:SendMessage", on=[ingestion.queues[lane].queue_arn for lane in Lane])
        bus = self.format_arn(service="events", resource="event-bus", resource_name="default")
        function.allow("events:PutEvents", on=[bus])
        self._hear_ledger(function, storage)
        audit.subscribe(function.log_group, RECORDS)
        self.functions = {ANNOUNCER.name: function}

    @staticmethod
    def _hear_ledger(function: HayliftFunction, storage: StorageStack) -> None:
        """One batch of a document's changes at a time, in their order; a failed one comes again for a day."""
        function.live.add_event_source(
            event_sources.DynamoEventSource(
                storage.ledger,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=announcer.BATCH_SIZE,
                bisect_batch_on_error=True,
            )
        )
        acknowledge(
            function.role,
            "IAM5[Resource::*]",
            "CDK lets the function list streams, for which DynamoDB knows no resource.",
        )
