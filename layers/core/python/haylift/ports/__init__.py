"""What the services need from the world. Each promise here is a test that every adapter passes."""

from haylift.ports.identity import (
    Clock,
    PasswordHasher,
    RefreshToken,
    RefreshTokens,
    TokenSigner,
    User,
    Users,
)
from haylift.ports.ingestion import Claim, DocumentPage, Lanes, Ledger, Objects, Parser, UploadForm
from haylift.ports.search import (
    DocumentIndex,
    Embedder,
    LegQuery,
    LiveRevisions,
    QueryPipeline,
    Reranker,
    SharedCache,
    SharedRead,
    Tenants,
)

__all__ = [
    "Claim",
    "Clock",
    "DocumentIndex",
    "DocumentPage",
    "Embedder",
    "Lanes",
    "Ledger",
    "LegQuery",
    "LiveRevisions",
    "Objects",
    "Parser",
    "PasswordHasher",
    "QueryPipeline",
    "RefreshToken",
    "RefreshTokens",
    "Reranker",
    "SharedCache",
    "SharedRead",
    "Tenants",
    "TokenSigner",
    "UploadForm",
    "User",
    "Users",
]
