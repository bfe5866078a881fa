"""Lambda entry of the search function."""

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_flags import DynamoDbFlags
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_ratings import DynamoDbRatings
from haylift.adapters.dynamodb_tenants import DynamoDbTenants
from haylift.adapters.host_resources import HostResources
from haylift.adapters.lambda_telemetry import EmfTelemetry, configure_logging
from haylift.adapters.model_endpoint import SageMakerModels
from haylift.adapters.model_invocation import ModelInvoker
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.adapters.system_clock import SystemClock
from haylift.adapters.valkey_cache import ValkeyCache
from haylift.adapters.valkey_limits import ValkeyRateLimiter
from haylift.http import lambda_entry
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline, warm_up
from haylift.services.answer import AnswerPolicy, AnswerService
from haylift.services.feedback import FeedbackService
from haylift.services.flags import CurrentFlags, LoadShedder, SparingPipeline
from haylift.services.health import HealthService
from haylift.services.heartbeat import HeartbeatService
from haylift.services.limits import RatingLimits, SearchLimits
from haylift.services.live_index import LiveIndex
from haylift.services.probes import system_probes
from haylift.services.query_cache import QueryCache
from haylift.services.search import SearchService
from haylift.settings import SettingsError, read_settings

from functions.search.app import Services, create_app
from functions.search.contract import Settings
from functions.search.heartbeat import with_heartbeat

INDEX_PATIENCE_S = 1.0
"""How long a reader waits for a locked index file; it writes nothing, so a lock on it is a fault to tell."""


def build(settings: Settings) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The function, wired to the index, the cache, the tables and the model endpoint.

    Raises:
        SettingsError: when the settings ask for an index that this version does not have.
    """
    if settings.index_store != "sqlite":
        raise SettingsError("the OpenSearch index is not part of this version: deploy with stage local")
    configure_logging("search", settings.log_level)
    telemetry = EmfTelemetry()
    dynamodb = make_client("dynamodb")
    ledger = DynamoDbLedger(settings.ledger_table, settings.tenants_table, dynamodb)
    tenants = DynamoDbTenants(settings.tenants_table, dynamodb)
    shared = ValkeyCache(settings.cache_endpoint, settings.cache_tls)
    invoker = ModelInvoker(settings.embed_endpoint, telemetry)
    models = SageMakerModels(invoker, settings.embed_model)
    index = LiveIndex(
        SqliteIndex(Path(settings.index_location), busy_timeout_s=INDEX_PATIENCE_S), ledger, tenants.count
    )
    flags = CurrentFlags(DynamoDbFlags(settings.tenants_table, dynamodb))
    pipeline = SparingPipeline(HaystackQueryPipeline(query_pipeline(index, models)), flags)
    cache_levels = QueryCache(shared, tenants)
    probes = system_probes(index, shared, models, ledger=ledger, tenants=tenants)
    warm_up()
    limiter = ValkeyRateLimiter(shared)
    ratings = DynamoDbRatings(settings.feedback_table, dynamodb)
    services = Services(
        search=SearchService(pipeline, cache_levels, telemetry, model=settings.embed_model),
        answer=AnswerService(
            pipeline,
            models,
            cache_levels,
            telemetry=telemetry,
            model=settings.embed_model,
            policy=AnswerPolicy(threshold=settings.answer_threshold),
        ),
        feedback=FeedbackService(ratings, telemetry, SystemClock()),
        health=HealthService(probes, resources=HostResources().used_percent),
        limits=SearchLimits(limiter, tenants, telemetry, searches_per_minute=settings.searches_per_minute),
        rating_limits=RatingLimits(limiter, telemetry, ratings_per_minute=settings.ratings_per_minute),
        shedder=LoadShedder(flags, telemetry),
        telemetry=telemetry,
        query_timeout_s=settings.query_timeout_s,
    )
    heartbeat = HeartbeatService(pipeline, tenants, services.health, telemetry)
    return with_heartbeat(lambda_entry(create_app(services, settings)), heartbeat)


@cache
def _entry() -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    return build(read_settings(Settings, os.environ))


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answers one request of API Gateway, or one beat of the clock."""
    return _entry()(event, context)
