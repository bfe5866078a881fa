"""Search, questions, and whether the system works."""

from dataclasses import dataclass

from haylift.contract import Schedule
from haylift.routes import SEARCH_ROUTES
from haylift.settings import HttpSettings

ROUTES = SEARCH_ROUTES
HEARTBEAT = Schedule(name="heartbeat", every_minutes=1)
SCHEDULES = (HEARTBEAT,)


@dataclass(frozen=True, kw_only=True)
class Settings(HttpSettings):
    """Settings of the search function.

    Args:
        index_store: `sqlite` or `opensearch`.
        index_location: a folder for `sqlite`, a host for `opensearch`.
        cache_endpoint: `host:port` of the Valkey cluster.
        cache_tls: whether the cache speaks TLS.
        ledger_table, tenants_table: DynamoDB tables.
        embed_endpoint: SageMaker endpoint of embeddings and reranking.
        embed_model: the model's name; part of every cache key.
        query_timeout_s: default of a query's `timeout` (at most 28, below the gateway's 29).
        feedback_table: DynamoDB table of ratings.
        searches_per_minute: by user, where the tenant has no limit of its own; 0: no limit at all.
        ratings_per_minute: by user; 0: no limit.
        answer_threshold: least relevance (0 to 1) of a sentence that answers (docs/decisions/0020).
    """

    index_store: str
    index_location: str
    cache_endpoint: str
    cache_tls: bool
    ledger_table: str
    tenants_table: str
    embed_endpoint: str
    embed_model: str
    feedback_table: str
    searches_per_minute: int = 60
    ratings_per_minute: int = 60
    query_timeout_s: float = 25.0
    answer_threshold: float = 0.5
