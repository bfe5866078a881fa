"""Brings the index to the revision that a lane's message names."""

from dataclasses import dataclass

from haylift.contract import QueueSource
from haylift.settings import CommonSettings

SOURCES = (
    QueueSource(name="interactive", batch_size=1, max_concurrency=8),
    QueueSource(name="backfill", batch_size=1, max_concurrency=4),
)
"""One document for each invocation: a batch shares one time limit, so that its neighbours would wait for
a heavy document and come back with it. Work is done side by side by `max_concurrency`."""


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """Settings of the ingestion function.

    Args:
        index_store, index_location, cache_endpoint, cache_tls: as in the search function.
        ledger_table, tenants_table: DynamoDB tables.
        upload_bucket: where documents lie.
        embed_endpoint, embed_model: SageMaker endpoint and the model's name.
        lease_s: how long a worker owns a document without a sign of life.
        chunk_max_tokens: budget of a chunk, below the model's 512.
        chunk_overlap_tokens: shared with the chunk before.
        max_file_bytes: larger files are rejected.
        parse_time_s, parse_memory_bytes, parse_output_chars: limits of the parser process.
        parse_unpacked_ratio: how many times its own bytes an archive may unpack to.
        parse_page_time_s, parse_total_time_s, parse_pages: those of a long file, which earns time by page.
        ocr_packages: folder with the packages of requirements/ocr.txt, by which pages without text are read
            off their pictures: too large for layers, so of an image or on EFS; empty: they are not read.
    """

    index_store: str
    index_location: str
    cache_endpoint: str
    cache_tls: bool
    ledger_table: str
    tenants_table: str
    upload_bucket: str
    embed_endpoint: str
    embed_model: str
    lease_s: float = 150.0
    chunk_max_tokens: int = 256
    chunk_overlap_tokens: int = 32
    max_file_bytes: int = 52_428_800
    parse_time_s: float = 25.0
    parse_memory_bytes: int = 1_073_741_824
    parse_output_chars: int = 20_000_000
    parse_unpacked_ratio: int = 100
    parse_page_time_s: float = 0.5
    parse_total_time_s: float = 900.0
    parse_pages: int = 10_000
    ocr_packages: str = ""
