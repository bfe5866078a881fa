"""Which stacks a stage has, and who gets what from whom."""

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from stacks.announcements import AnnouncementsStack
from stacks.audit import AuditStack
from stacks.cache import CacheStack
from stacks.connections import CacheConnection, Connections, IndexConnection, ModelConnection
from stacks.environment import (
    Environment,
    OpenSearchDomain,
    RunningCache,
    RunningEndpoint,
    ServerlessCache,
    SqliteIndex,
)
from stacks.index import IndexStack
from stacks.ingestion import IngestionStack
from stacks.model_endpoint import ModelEndpointStack, invocation_right
from stacks.monitoring import MonitoringStack
from stacks.network import NetworkStack
from stacks.search_api import SearchApiStack
from stacks.storage import StorageStack


def add_stacks(app: cdk.App, environment: Environment) -> None:
    """Adds every stack of a stage to the app."""
    cdk.Tags.of(app).add("project", "haylift")
    cdk.Tags.of(app).add("stage", environment.stage)
    storage = StorageStack(app, environment)
    connections = _connect(app, environment, storage)
    audit = AuditStack(app, environment, storage=storage)
    api = SearchApiStack(app, environment, storage=storage, connections=connections, audit=audit)
    ingestion = IngestionStack(app, environment, storage=storage, connections=connections, audit=audit)
    announcements = AnnouncementsStack(app, environment, storage=storage, ingestion=ingestion, audit=audit)
    MonitoringStack(app, environment, api=api, ingestion=ingestion, audit=audit, announcements=announcements)
    cdk.CfnOutput(api, "EmbedEndpointName", value=connections.model.endpoint_name)
    if environment.aws_rules:
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))


def _connect(app: cdk.App, environment: Environment, storage: StorageStack) -> Connections:
    network = NetworkStack(app, environment, environment.network) if environment.network else None
    return Connections(
        placement=network.placement if network else None,
        index=_index(app, environment, network),
        cache=_cache(app, environment, network),
        model=_model(app, environment, storage),
    )


def _index(app: cdk.App, environment: Environment, network: NetworkStack | None) -> IndexConnection:
    match environment.index:
        case SqliteIndex(folder):
            return IndexConnection(
                store="sqlite", location=str(folder), rights=[], findings=[], findings_reason=""
            )
        case OpenSearchDomain() as spec:
            stack = IndexStack(app, environment, spec=spec, network=_needed(network, "index"))
            return stack.connection


def _cache(app: cdk.App, environment: Environment, network: NetworkStack | None) -> CacheConnection:
    match environment.cache:
        case RunningCache(endpoint):
            return CacheConnection(endpoint=endpoint, tls=False)
        case ServerlessCache() as spec:
            return CacheStack(app, environment, spec=spec, network=_needed(network, "cache")).connection


def _model(app: cdk.App, environment: Environment, storage: StorageStack) -> ModelConnection:
    match environment.model_endpoint:
        case RunningEndpoint(name):
            right = invocation_right(storage, name)
            return ModelConnection(endpoint_name=name, model=environment.embed_model, rights=[right])
        case spec:
            return ModelEndpointStack(app, environment, spec=spec).connection


def _needed(network: NetworkStack | None, part: str) -> NetworkStack:
    if network is None:
        raise ValueError(f"The {part} of this environment lives in a network: give it a NetworkSpec.")
    return network
