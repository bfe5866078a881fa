"""A small CDK app that uses what Haylift uses: the conformance tests run against it.

Synthesised in this process with inline code, so that deploying it needs no assets and no bootstrap.
"""

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

STACK = "Conformance"
NAMESPACE = "Conformance"
PROBE = """
import json, os, time
from importlib.util import find_spec
def handler(event, context):
    do = event.get("do") or (event.get("queryStringParameters") or {}).get("do")
    if do == "raise":
        raise ValueError("a detail of the inside")
    if do == "sleep":
        time.sleep(float(event.get("seconds", 0.2)))
    if do == "print":
        print(event["text"])
    answer = {"pid": os.getpid(), "version": context.function_version, "arn": context.invoked_function_arn,
              "boto3": find_spec("boto3") is not None, "ministack": find_spec("ministack") is not None,
              "home": os.path.expanduser("~"), "environment": sorted(os.environ)}
    if "requestContext" in event:
        return {"statusCode": 200, "body": json.dumps({**answer, "event": event})}
    return answer
"""
AUTHORIZER = """
import uuid
def handler(event, context):
    token = {k.lower(): v for k, v in event["headers"].items()}.get("authorization")
    if token == "nobody":
        raise Exception("Unauthorized")
    effect = "Deny" if token == "deny" else "Allow"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": "*"}
    return {"principalId": token or "anonymous",
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"call": str(uuid.uuid4()), "source": event["requestContext"]["identity"]["sourceIp"],
                        "request": event["requestContext"].get("requestId", "none")}}
"""
ACCESS_LOG = {
    "id": "$context.requestId", "status": "$context.status", "path": "$context.resourcePath",
    "ip": "$context.identity.sourceIp", "took": "$context.responseLatency",
    "error": "$context.error.responseType", "integration": "$context.integrationLatency",
    "function": "$context.integration.status",
    "principal": "$context.authorizer.principalId", "source": "$context.authorizer.source",
    "unknown": "$context.nothing.of.it",
}  # fmt: skip
PROBLEM = '{"code":"CODE","request_id":"$context.requestId"}'
CONSUMER = """
def handler(event, context):
    failed = [r["messageId"] for r in event["Records"] if r["body"] == "poison"]
    return {"batchItemFailures": [{"itemIdentifier": i} for i in failed]}
"""
FOLLOWER = """
import base64, gzip, json
refused = set()
def handler(event, context):
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    messages = [e["message"] for e in data["logEvents"]]
    if str(messages) not in refused:
        refused.add(str(messages))
        raise RuntimeError("not at first")
    print("followed", json.dumps({"arn": context.invoked_function_arn, "group": data["logGroup"],
                                  "filters": data["subscriptionFilters"], "messages": messages}))
"""


class ConformanceStack(cdk.Stack):
    """One of each resource whose behaviour the patches of the emulator correct."""

    def __init__(self, scope: cdk.App) -> None:
        """Make everything; names for the tests are outputs."""
        super().__init__(scope, STACK, synthesizer=cdk.BootstraplessSynthesizer())
        self._probe = self._function("Probe", PROBE, timeout_s=2)
        self._api()
        self._events()
        self._queue()
        self._alarm()
        self._function("Follower", FOLLOWER).add_alias("live")
        self._given_up()
        table = dynamodb.Table(
            self, "Table", time_to_live_attribute="expires_at",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
        )  # fmt: skip
        key = kms.Key(self, "Key", key_spec=kms.KeySpec.ECC_NIST_P256, key_usage=kms.KeyUsage.SIGN_VERIFY)
        self._output("Table", table.table_name)
        self._output("Key", key.key_id)

    def _function(self, name: str, code: str, timeout_s: int = 10) -> lambda_.Function:
        function = lambda_.Function(
            self, name, function_name=f"conformance-{name.lower()}", handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_13, code=lambda_.Code.from_inline(code),
            timeout=cdk.Duration.seconds(timeout_s), environment={"OWN_SETTING": "1"},
        )  # fmt: skip
        self._output(name, function.function_name)
        return function

    def _output(self, name: str, value: str) -> None:
        cdk.CfnOutput(self, f"{name}Output", value=value).override_logical_id(f"{name}Name")

    def _api(self) -> None:
        access_log = logs.LogGroup(self, "AccessLog")
        self._output("AccessLog", access_log.log_group_name)
        api = apigateway.RestApi(
            self, "Api", rest_api_name="conformance", cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name="v", access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(ACCESS_LOG)),
            ),
        )  # fmt: skip
        integration = apigateway.LambdaIntegration(self._probe)
        api.root.add_resource("echo").add_method("ANY", integration)
        function = self._function("Authorizer", AUTHORIZER)
        guarded = apigateway.RequestAuthorizer(
            self, "Guarded", handler=function, results_cache_ttl=cdk.Duration.seconds(5),
            identity_sources=[apigateway.IdentitySource.header("Authorization")],
        )  # fmt: skip
        anyone = apigateway.RequestAuthorizer(
            self, "Anyone", handler=function, results_cache_ttl=cdk.Duration.seconds(0), identity_sources=[],
        )  # fmt: skip
        echo = api.root.get_resource("echo")
        assert echo is not None
        echo.add_resource("again").add_method("GET", integration)
        api.root.add_resource("shared").add_cors_preflight(
            allow_origins=["https://app.example"], allow_methods=["GET"], max_age=cdk.Duration.minutes(10)
        )
        api.root.add_resource("guarded").add_method("GET", integration, authorizer=guarded)
        api.root.add_resource("anyone").add_method("GET", integration, authorizer=anyone)
        problems = (
            "UNAUTHORIZED", "ACCESS_DENIED", "REQUEST_TOO_LARGE", "DEFAULT_5XX",
            "MISSING_AUTHENTICATION_TOKEN",
        )  # fmt: skip
        for name in problems:
            api.add_gateway_response(
                name, type=apigateway.ResponseType.of(name),
                templates={"application/json": PROBLEM.replace("CODE", name.lower())},
                response_headers={"Content-Type": "'application/problem+json'"},
            )  # fmt: skip
        self._output("Api", api.rest_api_id)

    def _events(self) -> None:
        bucket = s3.Bucket(self, "Bucket", versioned=True)
        configuration = bucket.node.default_child
        assert isinstance(configuration, s3.CfnBucket)
        configuration.add_property_override(
            "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True
        )
        queue = sqs.Queue(self, "Events")
        pattern = events.EventPattern(source=["aws.s3"], detail={"bucket": {"name": [bucket.bucket_name]}})
        events.Rule(self, "Rule", event_pattern=pattern, targets=[targets.SqsQueue(queue)])
        self._output("Bucket", bucket.bucket_name)
        self._output("Events", queue.queue_url)

    def _queue(self) -> None:
        visible = cdk.Duration.seconds(60)
        queue = sqs.Queue(self, "Work", visibility_timeout=visible)
        consumer = self._function("Consumer", CONSUMER)
        consumer.add_event_source(
            event_sources.SqsEventSource(queue, batch_size=10, report_batch_item_failures=True)
        )
        unread = sqs.Queue(self, "Unread")
        mapping = next(c for c in consumer.node.find_all() if isinstance(c, lambda_.CfnEventSourceMapping))
        self._output("Mapping", mapping.ref)
        self._output("Work", queue.queue_url)
        self._output("Unread", unread.queue_url)

    def _given_up(self) -> None:
        queue = sqs.Queue(self, "GivenUp")
        self._function("Refuser", PROBE).add_alias(
            "live", on_failure=destinations.SqsDestination(queue), retry_attempts=1
        )
        self._output("GivenUp", queue.queue_url)

    def _alarm(self) -> None:
        topic = sns.Topic(self, "Topic")
        inbox = sqs.Queue(self, "Inbox")
        topic.add_subscription(subscriptions.SqsSubscription(inbox))
        cdk.CfnResource(
            self, "Alarm", type="AWS::CloudWatch::Alarm",
            properties={
                "AlarmName": "conformance-alarm", "Namespace": NAMESPACE, "MetricName": "Failures",
                "Dimensions": [{"Name": "Part", "Value": "watched"}], "Statistic": "Sum", "Period": 10,
                "EvaluationPeriods": 1, "Threshold": 1, "TreatMissingData": "notBreaching",
                "ComparisonOperator": "GreaterThanOrEqualToThreshold", "AlarmActions": [topic.topic_arn],
            },
        )  # fmt: skip
        self._output("Inbox", inbox.queue_url)
        self._output("Topic", topic.topic_arn)


def template() -> dict[str, Any]:
    """The CloudFormation template of the fixture app."""
    app = cdk.App(analytics_reporting=False)
    ConformanceStack(app)
    found = app.synth().get_stack_by_name(STACK).template
    return dict(json.loads(json.dumps(found)))
