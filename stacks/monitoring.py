"""The alarms of the catalogue, and whom they tell: a topic, and a queue that on-call tools read."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from haylift.telemetry import NAMESPACE, Dimension, Metric

from stacks.acknowledgements import acknowledge
from stacks.alarms import CATALOGUE, AlarmSpec, Part, Watch, description_of
from stacks.environment import Environment
from stacks.ingestion import IngestionStack
from stacks.search_api import SearchApiStack

PERIOD_S = 60
INBOX_DAYS = 14


class MonitoringStack(cdk.Stack):
    """Alarms are named `haylift-<stage>-<alarm>`, with `/<variant>` where an alarm watches several things."""

    def __init__(
        self, scope: Construct, environment: Environment, *, api: SearchApiStack, ingestion: IngestionStack
    ) -> None:
        super().__init__(scope, environment.name_of("monitoring"))
        self._environment = environment
        # Alarms name what they watch, so nothing may be watched before it is there.
        self.add_stack_dependency(api)
        self.add_stack_dependency(ingestion)
        topic = sns.Topic(
            self, "OnCall", topic_name=environment.name_of("on-call"), enforce_ssl=environment.tls_only
        )
        inbox = self._inbox(topic)
        for spec in CATALOGUE:
            for watch in spec.watches:
                self._alarm(spec, watch).add_alarm_action(actions.SnsAction(topic))
        cdk.CfnOutput(self, "OnCallTopicArn", value=topic.topic_arn)
        cdk.CfnOutput(self, "OnCallInboxUrl", value=inbox.queue_url)

    def _inbox(self, topic: sns.Topic) -> sqs.Queue:
        inbox = sqs.Queue(
            self,
            "Inbox",
            queue_name=self._environment.name_of("on-call-inbox"),
            retention_period=cdk.Duration.days(INBOX_DAYS),
            enforce_ssl=self._environment.tls_only,
        )
        acknowledge(
            inbox, "SQS3", "People and tools read this queue; a message cannot fail and needs no other place."
        )
        topic.add_subscription(subscriptions.SqsSubscription(inbox))
        return inbox

    def _alarm(self, spec: AlarmSpec, watch: Watch) -> cloudwatch.Alarm:
        name = f"{spec.name}/{watch.variant}" if watch.variant else spec.name
        return cloudwatch.Alarm(
            self,
            name.replace("/", "-"),
            alarm_name=self._environment.name_of(name),
            alarm_description=description_of(spec.name),
            metric=self._metric(watch),
            threshold=watch.threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=spec.periods,
            datapoints_to_alarm=spec.breaching,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            # A percentile of a handful of requests says nothing.
            evaluate_low_sample_count_percentile="ignore" if watch.statistic.startswith("p") else None,
        )

    def _metric(self, watch: Watch) -> cloudwatch.Metric:
        ours = isinstance(watch.metric, Metric)
        namespace, name = (NAMESPACE, watch.metric.value) if ours else watch.metric.value
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            dimensions_map={key.value: self._value(key, text) for key, text in watch.dimensions.items()},
            statistic=watch.statistic,
            period=cdk.Duration.seconds(PERIOD_S),
        )

    def _value(self, dimension: Dimension | Part, text: str) -> str:
        """The physical name of an API or a queue; other values stand as they are."""
        return self._environment.name_of(text) if dimension in {Part.API, Part.QUEUE} else text
