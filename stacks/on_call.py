"""Who is told: a topic for pages and one for tickets, their recipients, and the inbox that takes both."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.acknowledgements import acknowledge
from stacks.alarms.parts import Severity
from stacks.environment import Environment

INBOX_DAYS = 14


class OnCall(Construct):
    """Pages go to mail, HTTPS and the inbox, tickets to mail and the inbox; `topics` by severity."""

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, "OnCall")
        self._environment = environment
        recipients = environment.recipients
        self.topics = {severity: self._topic(severity) for severity in Severity}
        self.inbox = self._inbox()
        for topic in self.topics.values():
            topic.add_subscription(subscriptions.SqsSubscription(self.inbox))
        for severity, addresses in {
            Severity.PAGE: recipients.page_mail,
            Severity.TICKET: recipients.ticket_mail,
        }.items():
            for address in addresses:
                self.topics[severity].add_subscription(subscriptions.EmailSubscription(address))
        for url in recipients.page_https:
            self.topics[Severity.PAGE].add_subscription(subscriptions.UrlSubscription(url))

    def _topic(self, severity: Severity) -> sns.Topic:
        name = self._environment.name_of(f"{severity.value}s")
        topic = sns.Topic(
            self, severity.value.capitalize(), topic_name=name, enforce_ssl=self._environment.tls_only
        )
        # A policy of our own (that of TLS) replaces the topic's first one, which let CloudWatch in.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisStage",
                actions=["sns:Publish"],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                resources=[topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": self._alarms_arn()},
                },
            )
        )
        return topic

    def _alarms_arn(self) -> str:
        return cdk.Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=self._environment.name_of("*"),
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )

    def _inbox(self) -> sqs.Queue:
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
        return inbox
