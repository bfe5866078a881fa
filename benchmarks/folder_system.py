"""The running system as an uploader and a reader of a folder's files meet it."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import batched
from typing import Any

from haylift.adapters.aws import translated
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.s3_texts import S3Texts
from haylift.domain.documents import DocumentKey, DocumentRecord
from haylift.domain.listing import DocumentFilter
from haylift.domain.texts import TextPlace, documents_texts

from benchmarks.folder_files import PlannedFile
from benchmarks.folder_rows import StoredText
from ops.api import ApiClient
from ops.deployment import UPLOADING, Deployment
from ops.faults import ApiFault, OpsFault

PAGE = 200
REMOVED_AT_ONCE = 1_000
"""S3's limit of one DeleteObjects."""

TOP_K = 10
WORDS = 8
WORD = re.compile(r"\w{3,40}")
TOO_MANY_REQUESTS = 429
MOST_TRIES = 20
WAIT_S = 5.0


@dataclass(frozen=True)
class UploadBucket:
    """`folder_run.Bucket` of S3."""

    name: str
    client: Any

    def put(self, plan: PlannedFile) -> str:
        """Puts the file as any S3 client does; gives its version id."""
        assert plan.key is not None
        with plan.found.path.open("rb") as body:
            answer = self.client.put_object(
                Bucket=self.name, Key=plan.key.object_key, Body=body, ContentType=plan.content_type
            )
        return str(answer.get("VersionId", ""))

    def remove(self, keys: Iterable[DocumentKey]) -> int:
        """Puts a delete marker on each; gives how many S3 refused."""
        refused = 0
        for some in batched(keys, REMOVED_AT_ONCE, strict=False):
            named = [{"Key": key.object_key} for key in some]
            answer = self.client.delete_objects(Bucket=self.name, Delete={"Objects": named, "Quiet": True})
            refused += len(answer.get("Errors", ()))
        return refused


@dataclass(frozen=True)
class RunLedger:
    """`folder_run.Ledger` of DynamoDB: a run's rows are those below its prefix."""

    ledger: DynamoDbLedger
    tenant: str
    prefix: str

    def changed(self, since: float) -> Iterator[DocumentRecord]:
        """Page by page; one query for a hundred documents costs what one request for a document does."""
        wanted = DocumentFilter(path_prefix=f"{self.prefix}/", changed_since=since)
        cursor: str | None = None
        while True:
            page = self.ledger.list(self.tenant, limit=PAGE, cursor=cursor, wanted=wanted)
            yield from page.documents
            cursor = page.cursor
            if cursor is None:
                return


@dataclass(frozen=True)
class KeptTexts:
    """`folder_run.Texts` of the upload bucket."""

    bucket: str
    client: Any

    def stored(self, record: DocumentRecord) -> StoredText | None:
        """Measures the text of what readers see, part by part."""
        characters, has_ocr, is_whole = 0, False, False
        for part in self._parts(record):
            characters = max(characters, part.end_char)
            has_ocr = has_ocr or any(block.is_ocr for block in part.document.blocks)
            is_whole = is_whole or part.is_last
        return StoredText(characters=characters, has_ocr=has_ocr) if is_whole else None

    def words(self, record: DocumentRecord) -> str:
        """The longest words of the passage in the middle of the text, in their order, for a search."""
        blocks = [block.text for part in self._parts(record) for block in part.document.blocks if block.text]
        found = list(dict.fromkeys(WORD.findall(blocks[len(blocks) // 2]))) if blocks else []
        longest = set(sorted(found, key=len, reverse=True)[:WORDS])
        return " ".join(word for word in found if word in longest) or " ".join(blocks)[:200]

    def _parts(self, record: DocumentRecord) -> Iterator[Any]:
        texts = S3Texts(self.bucket, self.client)
        revision = f"{documents_texts(record.tenant, record.document_id)}{record.live_revision}/"
        with translated("upload bucket"):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=revision)
            keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        for digest in dict.fromkeys(key.removeprefix(revision).partition("/")[0] for key in keys):
            place = TextPlace(
                tenant=record.tenant,
                document_id=record.document_id,
                revision=record.live_revision,
                digest=digest,
            )
            for number in range(texts.count(place)):
                if part := texts.get(place, number):
                    yield part


@dataclass(frozen=True)
class Reader:
    """A user who looks for documents by words that they contain."""

    api: ApiClient
    sleep: Callable[[float], None] = time.sleep

    def finds(self, words: str, document_id: str) -> bool:
        """Whether the document is among the first ten; waits when the API has had too many requests."""
        body: dict[str, object] = {"query": words, "top_k": TOP_K, "mode": "keyword"}
        for _ in range(MOST_TRIES):
            try:
                results = self.api.post("/v1/search", body)["results"]
                return any(result["document_id"] == document_id for result in results)
            except ApiFault as fault:
                if fault.status != TOO_MANY_REQUESTS:
                    raise
                self.sleep(WAIT_S)
        raise OpsFault("too_many_requests", "The API has had too many requests for minutes.")


def require_up(deployment: Deployment) -> None:
    """Asks the API for its health.

    Raises:
        OpsFault: `api_unreachable` when the system was up and is not now; `api_timeout`.
    """
    with ApiClient(deployment.api_url) as api:
        api.health()


def upload_bucket(deployment: Deployment) -> UploadBucket:
    """The bucket, with time for large files."""
    return UploadBucket(deployment.output("UploadBucketName"), deployment.client("s3", UPLOADING))


def run_ledger(deployment: Deployment, tenant: str, prefix: str) -> RunLedger:
    """The ledger's rows below the prefix."""
    tables = deployment.output("LedgerTableName"), deployment.output("TenantsTableName")
    return RunLedger(DynamoDbLedger(*tables, deployment.client("dynamodb")), tenant, prefix)


def kept_texts(deployment: Deployment) -> KeptTexts:
    """The stored texts."""
    return KeptTexts(deployment.output("UploadBucketName"), deployment.client("s3"))
