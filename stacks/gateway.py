"""The REST API itself: its stage with limits and access log, and the answers that it makes alone."""

import json

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.acknowledgements import acknowledge
from stacks.environment import Environment
from stacks.gateway_responses import add_gateway_responses

API_STAGE = "api"

ACCESS_LOG_FIELDS = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "httpMethod": "$context.httpMethod",
    "resourcePath": "$context.resourcePath",
    "status": "$context.status",
    "ip": "$context.identity.sourceIp",
    "responseLatency": "$context.responseLatency",
    "integrationLatency": "$context.integrationLatency",
    "integrationStatus": "$context.integration.status",
    "authorizerLatency": "$context.authorizer.latency",
    "authorizerStatus": "$context.authorizer.status",
    "principal": "$context.authorizer.principalId",
    "tenant": "$context.authorizer.tenant",
    "errorType": "$context.error.responseType",
}
"""Every value is text, as API Gateway writes `-` where it has none; latencies are milliseconds.

No path with its values and no user agent: both are the caller's own text.
"""


class Gateway(Construct):
    """The API with its stage; `api` takes the routes, `access_log` tells of every request."""

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, "Gateway")
        self.access_log = logs.LogGroup(
            scope,
            "AccessLog",
            log_group_name=f"/aws/apigateway/{environment.name_of(API_STAGE)}",
            retention=environment.log_retention,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.api = apigateway.RestApi(
            scope,
            "Api",
            rest_api_name=environment.name_of(API_STAGE),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=cdk.RemovalPolicy.RETAIN,
            deploy_options=apigateway.StageOptions(
                stage_name=API_STAGE,
                throttling_rate_limit=environment.api_limits.rate,
                throttling_burst_limit=environment.api_limits.burst,
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                metrics_enabled=True,
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(ACCESS_LOG_FIELDS)),
            ),
        )
        # The construct's own output has a name that changes; ours is `ApiUrl`.
        self.api.node.try_remove_child("Endpoint")
        add_gateway_responses(self.api)
        _acknowledge_api(self.api)


def _acknowledge_api(api: apigateway.RestApi) -> None:
    acknowledge(
        api.node.default_child or api,
        "APIG2",
        "The functions' strict models check bodies and name the place of each fault in a problem document.",
    )
    acknowledge(
        api.deployment_stage,
        "APIG3",
        "All routes but login, refresh, keys, health and the reference ask for a token, and the stage is "
        "throttled; a web ACL is the choice of whoever gives the API a domain.",
    )
    acknowledge(
        api.node.find_child("CloudWatchRole"),
        "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
        "The account's setting of API Gateway asks for exactly this managed policy to write its logs.",
    )
