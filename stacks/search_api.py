"""The HTTP API: routes from the functions' contracts, the authorizer in front, gateway errors as problems."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct
from haylift.contract import Access, Route
from haylift.settings import CommonSettings

from functions.auth import contract as auth
from functions.authorizer import contract as authorizer
from functions.documents import contract as documents
from functions.search import contract as search
from stacks import rights
from stacks.acknowledgements import acknowledge
from stacks.connections import Connections, Placement
from stacks.environments import Environment
from stacks.function import FunctionSpec, HayliftFunction
from stacks.gateway_responses import add_gateway_responses
from stacks.layers import API_LAYERS, SEARCH_LAYERS, Layers
from stacks.storage import BY_UPDATED, OPEN_DOCUMENTS, StorageStack

API_STAGE = "api"
GATEWAY_TIMEOUT_S = 29

AUTHORIZER = FunctionSpec(name="authorizer", layers=API_LAYERS, memory_mib=512, timeout_s=10)
AUTH = FunctionSpec(name="auth", layers=API_LAYERS, memory_mib=1024, timeout_s=15)
DOCUMENTS = FunctionSpec(name="documents", layers=API_LAYERS, memory_mib=512, timeout_s=15)
SEARCH = FunctionSpec(name="search", layers=SEARCH_LAYERS, memory_mib=1769, timeout_s=GATEWAY_TIMEOUT_S)
ROUTES_BY_FUNCTION: Mapping[str, Sequence[Route]] = {
    AUTH.name: auth.ROUTES,
    SEARCH.name: search.ROUTES,
    DOCUMENTS.name: documents.ROUTES,
}


class SearchApiStack(cdk.Stack):
    """The API and the functions behind it; `functions` by name, `api` for the alarms."""

    def __init__(
        self, scope: Construct, environment: Environment, *, storage: StorageStack, connections: Connections
    ) -> None:
        super().__init__(scope, environment.name_of("search-api"))
        self._environment = environment
        self._storage = storage
        self._connections = connections
        self._layers = Layers(self, environment.bundle)
        self.functions = {
            AUTHORIZER.name: self._authorizer(),
            AUTH.name: self._auth(),
            SEARCH.name: self._search(),
            DOCUMENTS.name: self._documents(),
        }
        self.api = self._api()
        self._add_routes()
        add_gateway_responses(self.api)
        cdk.CfnOutput(self, "RestApiId", value=self.api.rest_api_id)
        cdk.CfnOutput(self, "ApiStageName", value=API_STAGE)
        cdk.CfnOutput(self, "ApiUrl", value=self.api.url)

    def _authorizer(self) -> HayliftFunction:
        settings = authorizer.Settings(
            stage=self._environment.stage,
            log_level=self._environment.log_level,
            users_table=self._storage.users.table_name,
            signing_key_ids=(self._storage.signing_key.key_id,),
            issuer=self._environment.issuer,
            audience=self._environment.audience,
        )
        function = self._function(AUTHORIZER, settings)
        function.allow("dynamodb:GetItem", on=rights.arns(self._storage.users))
        function.allow("kms:GetPublicKey", on=[self._storage.signing_key.key_arn])
        return function

    def _auth(self) -> HayliftFunction:
        settings = auth.Settings(
            stage=self._environment.stage,
            log_level=self._environment.log_level,
            users_table=self._storage.users.table_name,
            tokens_table=self._storage.tokens.table_name,
            signing_key_ids=(self._storage.signing_key.key_id,),
            issuer=self._environment.issuer,
            audience=self._environment.audience,
        )
        function = self._function(AUTH, settings)
        function.allow("dynamodb:GetItem", "dynamodb:UpdateItem", on=rights.arns(self._storage.users))
        function.allow(*rights.READ, *rights.WRITE, on=rights.arns(self._storage.tokens))
        function.allow("kms:GetPublicKey", "kms:Sign", on=[self._storage.signing_key.key_arn])
        return function

    def _search(self) -> HayliftFunction:
        settings = search.Settings(
            stage=self._environment.stage,
            log_level=self._environment.log_level,
            index_store=self._connections.index.store,
            index_location=self._connections.index.location,
            cache_endpoint=self._connections.cache.endpoint,
            cache_tls=self._connections.cache.tls,
            ledger_table=self._storage.ledger.table_name,
            tenants_table=self._storage.tenants.table_name,
            embed_endpoint=self._connections.model.endpoint_name,
            embed_model=self._connections.model.model,
        )
        function = self._function(SEARCH, settings, self._connections.placement)
        function.allow(*rights.READ, on=rights.arns(self._storage.ledger))
        function.allow(*rights.READ, on=rights.arns(self._storage.tenants))
        function.allow_index(self._connections.index)
        function.allow_models(self._connections.model)
        return function

    def _documents(self) -> HayliftFunction:
        bucket = self._storage.uploads
        settings = documents.Settings(
            stage=self._environment.stage,
            log_level=self._environment.log_level,
            ledger_table=self._storage.ledger.table_name,
            tenants_table=self._storage.tenants.table_name,
            upload_bucket=bucket.bucket_name,
        )
        function = self._function(DOCUMENTS, settings)
        function.allow(*rights.READ, on=rights.arns(self._storage.ledger, [BY_UPDATED, OPEN_DOCUMENTS]))
        function.allow(*rights.READ, on=rights.arns(self._storage.tenants))
        function.allow_objects(bucket, *rights.READ_OBJECTS, "s3:PutObject", "s3:DeleteObject")
        return function

    def _function(
        self, spec: FunctionSpec, settings: CommonSettings, placement: Placement | None = None
    ) -> HayliftFunction:
        return HayliftFunction(
            self,
            spec,
            environment=self._environment,
            settings=settings,
            layers=self._layers,
            placement=placement,
        )

    def _api(self) -> apigateway.RestApi:
        access_log = logs.LogGroup(
            self,
            "AccessLog",
            log_group_name=f"/aws/apigateway/{self._environment.name_of(API_STAGE)}",
            retention=self._environment.log_retention,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=self._environment.name_of(API_STAGE),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=cdk.RemovalPolicy.RETAIN,
            deploy_options=apigateway.StageOptions(
                stage_name=API_STAGE,
                throttling_rate_limit=self._environment.api_limits.rate,
                throttling_burst_limit=self._environment.api_limits.burst,
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                metrics_enabled=True,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                    caller=False, http_method=True, ip=True, protocol=True, request_time=True,
                    resource_path=True, response_length=True, status=True, user=False,
                ),
            ),
        )  # fmt: skip
        # The construct's own output has a name that changes; ours is `ApiUrl`.
        api.node.try_remove_child("Endpoint")
        _acknowledge_api(api)
        return api

    def _add_routes(self) -> None:
        live = self.functions[AUTHORIZER.name].live
        with_token = apigateway.RequestAuthorizer(
            self,
            "WithToken",
            handler=live,
            identity_sources=[apigateway.IdentitySource.header("Authorization")],
            results_cache_ttl=cdk.Duration.seconds(self._environment.authorizer_cache_ttl_s),
        )
        # Without identity sources a request without a token reaches the authorizer instead of a 401.
        anybody = apigateway.RequestAuthorizer(
            self, "Anybody", handler=live, identity_sources=[], results_cache_ttl=cdk.Duration.seconds(0)
        )
        authorizers = {Access.TOKEN: with_token, Access.OPTIONAL: anybody, Access.PUBLIC: None}
        for name, routes in ROUTES_BY_FUNCTION.items():
            integration = apigateway.LambdaIntegration(
                self.functions[name].live,
                timeout=cdk.Duration.seconds(GATEWAY_TIMEOUT_S),
                allow_test_invoke=False,
            )
            for route in routes:
                method = self.api.root.resource_for_path(route.path).add_method(
                    route.method, integration, **_authorization(authorizers[route.access])
                )
                _acknowledge_method(method, route)


def _authorization(authorizer: apigateway.IAuthorizer | None) -> dict[str, Any]:
    if authorizer is None:
        return {"authorization_type": apigateway.AuthorizationType.NONE}
    return {"authorization_type": apigateway.AuthorizationType.CUSTOM, "authorizer": authorizer}


def _acknowledge_method(method: apigateway.Method, route: Route) -> None:
    own_tokens = (
        "Callers have Haylift's own ES256 tokens or those of any OIDC issuer, checked by the authorizer."
    )
    if route.access is Access.PUBLIC:
        acknowledge(method, "APIG4", f"{route.path} must answer before a caller can have a token.")
        acknowledge(method, "COG4", f"{route.path} must answer before a caller can have a token.")
    else:
        acknowledge(method, "COG4", own_tokens)


def _acknowledge_api(api: apigateway.RestApi) -> None:
    acknowledge(
        api.node.default_child or api,
        "APIG2",
        "The functions' strict models check bodies and name the place of each fault in a problem document.",
    )
    acknowledge(
        api.deployment_stage,
        "APIG3",
        "All routes but login, refresh, keys and health ask for a token, and the stage is throttled; a web "
        "ACL is the choice of whoever gives the API a domain.",
    )
    acknowledge(
        api.node.find_child("CloudWatchRole"),
        "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
        "The account's setting of API Gateway asks for exactly this managed policy to write its logs.",
    )
