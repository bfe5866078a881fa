"""What an attempt at a document works with."""

from dataclasses import dataclass, field

from haylift.ports.ingestion import IndexingPipeline, Ledger, Objects
from haylift.ports.metadata import MetadataReader
from haylift.ports.search import DocumentIndex, SharedCache, Tenants
from haylift.ports.texts import StoredTexts
from haylift.services.object_metadata import HeaderMetadata
from haylift.telemetry import Telemetry


@dataclass(frozen=True, kw_only=True)
class IngestLimits:
    """Limits of one attempt.

    Args:
        lease_s: how long a worker owns a document without a sign of life; more than a worker can live.
        max_file_bytes: larger files are rejected.
    """

    lease_s: float
    max_file_bytes: int


@dataclass(frozen=True, kw_only=True)
class IngestParts:
    """What an attempt works with."""

    ledger: Ledger
    objects: Objects
    texts: StoredTexts
    index: DocumentIndex
    cache: SharedCache
    tenants: Tenants
    pipeline: IndexingPipeline
    telemetry: Telemetry
    limits: IngestLimits
    metadata: MetadataReader = field(default_factory=HeaderMetadata)
