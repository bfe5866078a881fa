"""Who did what: the function that keeps the audit records, written by the others into their logs."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from functions.audit import contract as audit
from stacks.acknowledgements import acknowledge
from stacks.environment import Environment
from stacks.function import FunctionSpec, HayliftFunction
from stacks.layers import API_LAYERS, Layers
from stacks.storage import StorageStack

AUDIT = FunctionSpec(name="audit", layers=API_LAYERS, memory_mib=512, timeout_s=30)
RECORDS = "{ $.audit.action = * }"
"""A log line of a function that carries an audit record."""
GATEWAY_REFUSALS = '{ $.errorType != "-" }'
"""A line of the access log about a request that the gateway answered itself: no function saw it."""

DEAD_LETTERS = f"{AUDIT.name}-dead"
RETRIES = 2
"""Lambda's most, about one and two minutes after the try before."""

MAX_EVENT_AGE_H = 6
"""Lambda's most: a delivery that is throttled, or meets a fault of Lambda itself, waits so long."""


class AuditStack(cdk.Stack):
    """The audit function. It is made before the stacks whose logs it hears: they subscribe it."""

    def __init__(self, scope: Construct, environment: Environment, *, storage: StorageStack) -> None:
        super().__init__(scope, environment.name_of("audit"))
        settings = audit.Settings(
            stage=environment.stage,
            log_level=environment.log_level,
            audit_bucket=storage.audit.bucket_name,
            audit_log_group=storage.audit_log.log_group_name,
        )
        function = HayliftFunction(
            self,
            AUDIT,
            environment=environment,
            settings=settings,
            layers=Layers(self, environment.bundle),
        )
        function.allow("s3:PutObject", on=[storage.audit.arn_for_objects("*")])
        function.allow("logs:CreateLogStream", "logs:PutLogEvents", on=[storage.audit_log.log_group_arn])
        exported = self.resolve(storage.export_value(storage.audit.bucket_arn))["Fn::ImportValue"]
        acknowledge(
            function.role,
            f"IAM5[Resource::{exported}/*]",
            "Each delivery becomes an object of a new name, and the bucket holds nothing but records.",
        )
        self._hear_logs(function.live, environment)
        self.functions = {AUDIT.name: function}
        self._keep_lost_deliveries(function, environment)

    def _keep_lost_deliveries(self, function: HayliftFunction, environment: Environment) -> None:
        """Logs delivers once and asks for no answer: what Lambda gives up would be gone without a queue."""
        dead = sqs.Queue(
            self,
            DEAD_LETTERS,
            queue_name=environment.name_of(DEAD_LETTERS),
            retention_period=cdk.Duration.days(environment.lanes.retention_days),
            enforce_ssl=environment.tls_only,
        )
        acknowledge(
            dead,
            "SQS3",
            "It is a dead-letter queue: Lambda fills it as a destination, not by a redrive policy.",
        )
        function.allow("sqs:SendMessage", on=[dead.queue_arn])
        given_up = lambda_.CfnEventInvokeConfig(
            self,
            "GivenUp",
            function_name=function.function.function_name,
            qualifier=function.live.alias_name,
            maximum_retry_attempts=RETRIES,
            maximum_event_age_in_seconds=MAX_EVENT_AGE_H * 3_600,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=dead.queue_arn)
            ),
        )
        # Lambda asks whether the role may send there, and the alias is named, not referred to.
        given_up.node.add_dependency(function.role, function.live)
        cdk.CfnOutput(self, "AuditDeadQueueUrl", value=dead.queue_url)

    def _hear_logs(self, live: lambda_.Alias, environment: Environment) -> None:
        """Lets the log groups of this stage call the function; made here, so before any subscription."""
        for name, group in {
            "Functions": f"/aws/lambda/{environment.name_of('*')}",
            "Gateway": f"/aws/apigateway/{environment.name_of('*')}",
        }.items():
            live.add_permission(
                f"HearLogsOf{name}",
                principal=iam.ServicePrincipal("logs.amazonaws.com"),
                source_arn=self.format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=f"{group}:*",
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                ),
                source_account=self.account,
            )

    def subscribe(self, group: logs.LogGroup, pattern: str) -> None:
        """Brings the lines of `group` that match `pattern` to the function, at least once, in seconds."""
        logs.CfnSubscriptionFilter(
            group,
            "Audit",
            log_group_name=group.log_group_name,
            filter_pattern=pattern,
            destination_arn=self.functions[AUDIT.name].live.function_arn,
        )
