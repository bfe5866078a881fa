"""Search, questions, and whether the system works."""

from dataclasses import dataclass

from haylift.routes import SEARCH_ROUTES
from haylift.settings import CommonSettings

ROUTES = SEARCH_ROUTES


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
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
    query_timeout_s: float = 25.0
    answer_threshold: float = 0.5
