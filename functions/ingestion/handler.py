"""Lambda entry of the ingestion function."""

import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_tenants import DynamoDbTenants
from haylift.adapters.lambda_telemetry import EmfTelemetry, configure_logging
from haylift.adapters.model_endpoint import SageMakerModels
from haylift.adapters.model_invocation import ModelInvoker
from haylift.adapters.parser_process import ParserLimits, ParserProcess
from haylift.adapters.s3_objects import S3Objects
from haylift.adapters.s3_tags import S3SmallFiles, S3Tags
from haylift.adapters.s3_texts import S3Texts
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.adapters.sqs_lanes import read_order
from haylift.adapters.valkey_cache import ValkeyCache
from haylift.pipelines.indexing import HaystackIndexingPipeline, indexing_pipeline, recipe
from haylift.ports import DocumentIndex, StoredTexts
from haylift.services.batches import PartialBatch
from haylift.services.counted_index import CountedIndex
from haylift.services.ingest import IngestService
from haylift.services.ingest_attempt import IngestLimits, IngestParts
from haylift.services.object_metadata import ObjectMetadata
from haylift.services.splitting import SplitLimits
from haylift.settings import SettingsError, read_settings

from functions.ingestion.app import consume
from functions.ingestion.contract import Settings

DOWNLOAD_TIMEOUT_S = 30.0
"""Of one read, not of the whole download."""

OCR_PAGE_TIME_S = 15.0
"""What a page earns when it may have to be read off its picture; a full one takes about 5 s of a core."""


def build(settings: Settings) -> IngestService:
    """The service, wired to the tables, the bucket, the index, the cache and the model endpoint.

    Raises:
        SettingsError: when the settings ask for an index that this version does not have.
    """
    if settings.index_store != "sqlite":
        raise SettingsError("the OpenSearch index is not part of this version: deploy with stage local")
    if settings.ocr_packages:
        # Last: what layers hold too is taken from there. The parser's processes get the same path.
        sys.path.append(settings.ocr_packages)
        if find_spec("rapidocr") is None:
            raise SettingsError("the folder of ocr_packages lacks those of requirements/ocr.txt")
    configure_logging("ingestion", settings.log_level)
    telemetry = EmfTelemetry()
    dynamodb = make_client("dynamodb")
    tenants = DynamoDbTenants(settings.tenants_table, dynamodb)
    index = CountedIndex(SqliteIndex(Path(settings.index_location), count_of=tenants.count), telemetry)
    s3 = make_client("s3", read_timeout_s=DOWNLOAD_TIMEOUT_S)
    texts = S3Texts(settings.upload_bucket, s3)
    parts = IngestParts(
        ledger=DynamoDbLedger(settings.ledger_table, settings.tenants_table, dynamodb),
        objects=S3Objects(settings.upload_bucket, s3),
        texts=texts,
        index=index,
        cache=ValkeyCache(settings.cache_endpoint, settings.cache_tls),
        tenants=tenants,
        pipeline=_pipeline(settings, texts, index, telemetry),
        telemetry=telemetry,
        limits=IngestLimits(lease_s=settings.lease_s, max_file_bytes=settings.max_file_bytes),
        metadata=ObjectMetadata(
            tags=S3Tags(settings.upload_bucket, s3), files=S3SmallFiles(settings.upload_bucket, s3)
        ),
    )
    return IngestService(parts=parts)


def _pipeline(
    settings: Settings, texts: StoredTexts, index: DocumentIndex, telemetry: EmfTelemetry
) -> HaystackIndexingPipeline:
    limits = SplitLimits(max_tokens=settings.chunk_max_tokens, overlap_tokens=settings.chunk_overlap_tokens)
    parser = ParserProcess(
        ParserLimits(
            time_s=settings.parse_time_s,
            memory_bytes=settings.parse_memory_bytes,
            output_chars=settings.parse_output_chars,
            page_time_s=OCR_PAGE_TIME_S if settings.ocr_packages else settings.parse_page_time_s,
            total_time_s=settings.parse_total_time_s,
            pages=settings.parse_pages,
            unpacked_ratio=settings.parse_unpacked_ratio,
        ),
        ocr=bool(settings.ocr_packages),
    )
    models = SageMakerModels(ModelInvoker(settings.embed_endpoint, telemetry), settings.embed_model)
    return HaystackIndexingPipeline(
        indexing_pipeline(parser, texts, models, index, limits),
        recipe(settings.embed_model, limits, parser.recipe),
    )


@cache
def _entry() -> Callable[..., PartialBatch]:
    service = build(read_settings(Settings, os.environ))

    def entry(event: Mapping[str, Any], remaining_s: float) -> PartialBatch:
        return consume(event, service, read_order, remaining_s=remaining_s)

    return entry


def handler(event: Mapping[str, Any], context: Any) -> PartialBatch:
    """Works on one batch of a lane."""
    return _entry()(event, context.get_remaining_time_in_millis() / 1000)
