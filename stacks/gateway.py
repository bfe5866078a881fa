"""The REST API itself: its stage with limits and access log, and the answers that it makes alone."""

import json
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct
from haylift.headers import ALLOWED_METHODS, ALLOWED_REQUEST_HEADERS, PREFLIGHT_MAX_AGE_S
from haylift.routes import AUTH_ROUTES

from stacks.acknowledgements import acknowledge
from stacks.environment import ApiLimits, Environment
from stacks.gateway_responses import add_gateway_responses, answer_headers

API_STAGE = "api"
LOGIN = "/v1/auth/login"
LOGIN_PATHS = tuple(route.path for route in AUTH_ROUTES if LOGIN in {route.path, route.alias_of})

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
                method_options=_login_throttle(environment.api_limits),
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(ACCESS_LOG_FIELDS)),
            ),
        )
        self._origins = environment.allowed_origins
        self._answer_headers = answer_headers(environment)
        _add_usage_plan(self.api, environment)
        # The construct's own output has a name that changes; ours is `ApiUrl`.
        self.api.node.try_remove_child("Endpoint")
        add_gateway_responses(self.api, environment)
        _acknowledge_api(self.api)

    def answer_preflights(self, path: str) -> None:
        """Lets the gateway answer the question of browsers whether a page may call `path`."""
        if not self._origins:
            return
        method = self.api.root.resource_for_path(path).add_cors_preflight(
            allow_origins=list(self._origins),
            allow_methods=list(ALLOWED_METHODS),
            allow_headers=list(ALLOWED_REQUEST_HEADERS),
            max_age=cdk.Duration.seconds(PREFLIGHT_MAX_AGE_S),
        )
        _add_answer_headers(method, self._answer_headers)
        for rule in ("APIG4", "COG4"):
            acknowledge(
                method, rule, "A browser asks before it sends a token; the answer is the same for all."
            )


def _add_answer_headers(preflight: apigateway.Method, headers: Mapping[str, str]) -> None:
    """On the CloudFormation resource: the construct takes no headers but those of CORS."""
    resource = preflight.node.default_child
    assert isinstance(resource, apigateway.CfnMethod)
    for name, value in headers.items():
        parameter = f"ResponseParameters.method\\.response\\.header\\.{name}"
        resource.add_property_override(f"Integration.IntegrationResponses.0.{parameter}", value)
        resource.add_property_override(f"MethodResponses.0.{parameter}", True)


def _login_throttle(limits: ApiLimits) -> dict[str, apigateway.MethodDeploymentOptions]:
    """Hashing a password is the dearest thing that a caller without a token can ask for."""
    throttle = apigateway.MethodDeploymentOptions(
        throttling_rate_limit=limits.login_rate, throttling_burst_limit=limits.login_burst
    )
    return {f"{path}/POST": throttle for path in LOGIN_PATHS}


def _add_usage_plan(api: apigateway.RestApi, environment: Environment) -> None:
    """Bounds machines that are given an API key (docs/decisions/0032): nobody else has one."""
    limits = environment.api_limits
    plan = api.add_usage_plan(
        "Machines",
        name=environment.name_of("machines"),
        throttle=apigateway.ThrottleSettings(
            rate_limit=limits.machine_rate, burst_limit=limits.machine_burst
        ),
        quota=apigateway.QuotaSettings(limit=limits.machine_requests_per_day, period=apigateway.Period.DAY),
    )
    plan.add_api_stage(stage=api.deployment_stage)


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
