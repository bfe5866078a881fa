"""The HTTP API: routes from the functions' contracts, the authorizer in front, gateway errors as problems."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct
from haylift.contract import Access, Route, Schedule
from haylift.domain.quarantine import QUARANTINE_PREFIX
from haylift.domain.texts import TEXTS_PREFIX
from haylift.settings import CommonSettings

from functions.auth import contract as auth
from functions.authorizer import contract as authorizer
from functions.documents import contract as documents
from functions.metrics import contract as metrics
from functions.reference import contract as reference
from functions.search import contract as search
from stacks import rights
from stacks.acknowledgements import acknowledge
from stacks.audit import GATEWAY_REFUSALS, RECORDS, AuditStack
from stacks.connections import Connections, Placement
from stacks.environment import Environment
from stacks.function import FunctionSpec, HayliftFunction
from stacks.gateway import API_STAGE, Gateway
from stacks.layers import API_LAYERS, REFERENCE_LAYERS, SEARCH_LAYERS, Layers
from stacks.storage import BY_UPDATED, OPEN_DOCUMENTS, StorageStack

GATEWAY_TIMEOUT_S = 29

AUTHORIZER = FunctionSpec(name="authorizer", layers=API_LAYERS, memory_mib=512, timeout_s=10)
AUTH = FunctionSpec(name="auth", layers=API_LAYERS, memory_mib=1024, timeout_s=15)
DOCUMENTS = FunctionSpec(name="documents", layers=API_LAYERS, memory_mib=512, timeout_s=15)
SEARCH = FunctionSpec(name="search", layers=SEARCH_LAYERS, memory_mib=1769, timeout_s=GATEWAY_TIMEOUT_S)
METRICS = FunctionSpec(name="metrics", layers=API_LAYERS, memory_mib=512, timeout_s=15)
REFERENCE = FunctionSpec(name="reference", layers=REFERENCE_LAYERS, memory_mib=512, timeout_s=15)
ROUTES_BY_FUNCTION: Mapping[str, Sequence[Route]] = {
    AUTH.name: auth.ROUTES,
    SEARCH.name: search.ROUTES,
    DOCUMENTS.name: documents.ROUTES,
    METRICS.name: metrics.ROUTES,
    REFERENCE.name: reference.ROUTES,
}


class SearchApiStack(cdk.Stack):
    """The API and the functions behind it; `functions` by name, `api` for the alarms."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        storage: StorageStack,
        connections: Connections,
        audit: AuditStack,
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
            METRICS.name: self._metrics(),
            REFERENCE.name: self._reference(),
        }
        gateway = Gateway(self, environment)
        self.api = gateway.api
        self._add_routes()
        for path in sorted({route.path for routes in ROUTES_BY_FUNCTION.values() for route in routes}):
            gateway.answer_preflights(path)
        for schedule in search.SCHEDULES:
            self._call_on_time(self.functions[SEARCH.name], schedule)
        for function in self.functions.values():
            audit.subscribe(function.log_group, RECORDS)
        audit.subscribe(gateway.access_log, GATEWAY_REFUSALS)
        cdk.CfnOutput(self, "RestApiId", value=self.api.rest_api_id)
        cdk.CfnOutput(self, "ApiStageName", value=API_STAGE)
        cdk.CfnOutput(self, "ApiUrl", value=self.api.url)

    def _authorizer(self) -> HayliftFunction:
        settings = authorizer.Settings(
            stage=self._environment.stage,
            log_level=self._environment.log_level,
            users_table=self._storage.users.table_name,
            tokens_table=self._storage.tokens.table_name,
            signing_key_ids=(self._storage.signing_key.key_id,),
            issuer=self._environment.issuer,
            audience=self._environment.audience,
        )
        function = self._function(AUTHORIZER, settings)
        tables = [*rights.arns(self._storage.users), *rights.arns(self._storage.tokens)]
        function.allow("dynamodb:GetItem", "dynamodb:BatchGetItem", on=tables)
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
            logins_per_minute=self._environment.rate_limits.logins_per_minute,
            refreshes_per_minute=self._environment.rate_limits.refreshes_per_minute,
            allowed_origins=self._environment.allowed_origins,
            trusted_hosts=self._environment.trusted_hosts,
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
            feedback_table=self._storage.feedback.table_name,
            searches_per_minute=self._environment.rate_limits.searches_per_minute,
            ratings_per_minute=self._environment.rate_limits.ratings_per_minute,
            allowed_origins=self._environment.allowed_origins,
            trusted_hosts=self._environment.trusted_hosts,
        )
        function = self._function(SEARCH, settings, self._connections.placement)
        function.allow(*rights.READ, on=rights.arns(self._storage.ledger))
        function.allow(*rights.READ, on=rights.arns(self._storage.tenants))
        # The heartbeat counts the documents of all tenants: one row each, read once a minute.
        function.allow("dynamodb:Scan", on=rights.arns(self._storage.tenants))
        function.allow("dynamodb:PutItem", on=rights.arns(self._storage.feedback))
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
            receipts_table=self._storage.receipts.table_name,
            allowed_origins=self._environment.allowed_origins,
            trusted_hosts=self._environment.trusted_hosts,
        )
        function = self._function(DOCUMENTS, settings)
        function.allow(*rights.READ, on=rights.arns(self._storage.ledger, [BY_UPDATED, OPEN_DOCUMENTS]))
        function.allow(*rights.READ, on=rights.arns(self._storage.tenants))
        function.allow_objects(
            bucket, *rights.READ_OBJECTS, "s3:PutObject", "s3:DeleteObject", *rights.PURGE_OBJECTS
        )
        for prefix in (TEXTS_PREFIX, QUARANTINE_PREFIX):
            function.allow_objects(bucket, "s3:DeleteObjectVersion", prefix=prefix)
        function.allow(*rights.LIST_VERSIONS, on=[bucket.bucket_arn])
        receipts = rights.arns(self._storage.receipts)
        function.allow("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", on=receipts)
        return function

    def _metrics(self) -> HayliftFunction:
        settings = metrics.Settings(
            stage=self._environment.stage,
            log_level=self._environment.log_level,
            allowed_origins=self._environment.allowed_origins,
            trusted_hosts=self._environment.trusted_hosts,
        )
        function = self._function(METRICS, settings)
        function.allow("cloudwatch:ListMetrics", "cloudwatch:GetMetricData", on=["*"])
        acknowledge(
            function.role,
            "IAM5[Resource::*]",
            "CloudWatch knows no resources for reading metrics: it takes these actions on all or on none.",
        )
        return function

    def _reference(self) -> HayliftFunction:
        settings = reference.Settings(
            stage=self._environment.stage,
            log_level=self._environment.log_level,
            allowed_origins=self._environment.allowed_origins,
            trusted_hosts=self._environment.trusted_hosts,
        )
        return self._function(REFERENCE, settings)

    def _call_on_time(self, function: HayliftFunction, schedule: Schedule) -> None:
        """A clock of its own calls `live`; a call that could not be made in time is not made up for."""
        rule = events.Rule(
            self,
            schedule.name.capitalize(),
            rule_name=self._environment.name_of(schedule.name),
            schedule=events.Schedule.rate(cdk.Duration.minutes(schedule.every_minutes)),
        )
        rule.add_target(
            targets.LambdaFunction(
                function.live,
                event=events.RuleTargetInput.from_object({"source": schedule.source}),
                retry_attempts=0,
                max_event_age=cdk.Duration.minutes(schedule.every_minutes),
            )
        )

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
