"""Events to searchable chunks: real ledger, bucket, parser process, pipeline and index."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_tenants import DynamoDbTenants
from haylift.adapters.parser_process import ParserLimits, ParserProcess
from haylift.adapters.s3_events import read_object_event
from haylift.adapters.s3_objects import S3Objects
from haylift.adapters.s3_texts import S3Texts
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.documents import DocumentKey, DocumentState, Lane
from haylift.domain.identity import Scope
from haylift.pipelines.indexing import HaystackIndexingPipeline, indexing_pipeline, recipe
from haylift.ports import LegQuery
from haylift.services.dispatch import DispatchService
from haylift.services.ingest import IngestService
from haylift.services.ingest_attempt import IngestLimits, IngestParts
from haylift.services.live_index import LiveIndex
from haylift.services.splitting import SplitLimits

from functions.dispatch.app import consume as consume_events
from functions.ingestion.app import consume as consume_orders
from tests.contract.ledger.tables import LEDGER, TENANTS, dynamodb
from tests.fakes.cache import InMemorySharedCache
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.ingestion import MemoryLanes
from tests.fakes.search import FakeModels
from tests.unit.ingestion.files import PNG, handbook, pdf, word
from tests.unit.ingestion.world import batch

BUCKET = "uploads"


class Flow:
    """Both functions over AWS at moto's border, without their queues."""

    def __init__(self, folder: Path, client: Any) -> None:
        self.s3 = make_client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.ledger = DynamoDbLedger(LEDGER, TENANTS, client)
        tenants = DynamoDbTenants(TENANTS, client)
        self.index = SqliteIndex(folder / "index", count_of=tenants.count)
        self.models = FakeModels()
        self.lanes = MemoryLanes()
        self.count = 0
        texts = S3Texts(BUCKET, self.s3)
        objects, telemetry = S3Objects(BUCKET, self.s3), RecordedTelemetry()
        self.dispatcher = DispatchService(
            ledger=self.ledger,
            objects=objects,
            lanes=self.lanes,
            telemetry=telemetry,
            interactive_open_limit=50,
            interactive_max_bytes=262_144,
        )
        splitting = SplitLimits(max_tokens=256, overlap_tokens=32)
        parser = ParserProcess(ParserLimits(time_s=20, memory_bytes=2**30, output_chars=1_000_000))
        self.worker = IngestService(
            parts=IngestParts(
                ledger=self.ledger,
                objects=objects,
                texts=texts,
                index=self.index,
                cache=InMemorySharedCache(),
                tenants=tenants,
                pipeline=HaystackIndexingPipeline(
                    indexing_pipeline(parser, texts, self.models, self.index, splitting),
                    recipe("hashed-words", splitting, parser.recipe),
                ),
                telemetry=telemetry,
                limits=IngestLimits(lease_s=150, max_file_bytes=10_000_000),
            )
        )

    def put(self, name: str, data: bytes) -> None:
        key = f"documents/acme/{name}"
        version_id = self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)["VersionId"]
        self._tell("Object Created", key, version_id)

    def delete(self, name: str) -> None:
        key = f"documents/acme/{name}"
        version_id = self.s3.delete_object(Bucket=BUCKET, Key=key)["VersionId"]
        self._tell("Object Deleted", key, version_id, **{"deletion-type": "Delete Marker Created"})

    def _tell(self, detail_type: str, key: str, version_id: str, **more: str) -> None:
        self.count += 1
        place = {"key": key, "version-id": version_id, "sequencer": f"{self.count:016X}"}
        detail = {"bucket": {"name": BUCKET}, "object": place, **more}
        body = json.dumps({"source": "aws.s3", "detail-type": detail_type, "detail": detail})
        answer = consume_events(batch([body]), self.dispatcher, lambda text: read_object_event(text, BUCKET))
        assert answer == {"batchItemFailures": []}

    def work(self) -> None:
        orders = [order for _, order in self.lanes.sent]
        self.lanes.sent = []
        answer = consume_orders(
            batch(["" for _ in orders]), self.worker, lambda _: orders.pop(0), remaining_s=120
        )
        assert answer == {"batchItemFailures": []}

    def tried(self) -> int:
        """How many of the orders were done; the others come back."""
        orders, self.lanes.sent = self.lanes.sent, []
        for lane, order in orders:
            answer = consume_orders(batch(["0"]), self.worker, {"0": order}.__getitem__, remaining_s=120)
            if answer != {"batchItemFailures": []}:
                self.lanes.sent.append((lane, order))
        return len(orders) - len(self.lanes.sent)

    def found(self, text: str) -> list[tuple[str, str]]:
        query = LegQuery(text=text, vector=None, depth=10)
        legs = LiveIndex(self.index, self.ledger).retrieve(query, Scope(tenant="acme"), "g1")
        return [(hit.chunk.key.rsplit("/", 1)[1], hit.chunk.text) for hit in legs.keyword]

    def verdict(self, name: str) -> tuple[DocumentState, str]:
        row = self.ledger.get("acme", DocumentKey("acme", name).document_id)
        assert row is not None
        return row.state, row.reason


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flow]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with dynamodb() as client:
        yield Flow(tmp_path, client)


def test_files_of_every_format_are_found_and_bad_ones_have_a_reason(flow: Flow) -> None:
    flow.put("cats.md", b"# Cats\n\nTom purrs.")
    flow.put("liar.txt", pdf("Rex barks."))
    flow.put("empty.md", b"")
    flow.put("handbook.docx", word(handbook))
    flow.put("picture.pdf", PNG)
    flow.put("scan.pdf", pdf(""))
    flow.put("page.html", b"<h1>Birds</h1><p>Tweety sings.</p>")

    flow.work()

    assert flow.found("purrs") == [("cats.md", "Tom purrs.")]
    assert flow.found("barks") == [("liar.txt", "Rex barks.")]
    assert flow.found("sings") == [("page.html", "Tweety sings.")]
    assert flow.found("welcome") == [("handbook.docx", "Welcome.")]
    assert flow.verdict("empty.md") == (DocumentState.REJECTED, "empty")
    assert flow.verdict("picture.pdf") == (DocumentState.REJECTED, "unsupported_format")
    assert flow.verdict("scan.pdf") == (DocumentState.REJECTED, "no_text")
    assert flow.verdict("cats.md") == (DocumentState.SEARCHABLE, "")
    assert flow.ledger.open_count("acme", Lane.INTERACTIVE, 10) == 0


def test_a_replaced_file_is_found_in_its_new_version_and_a_deleted_one_not_at_all(flow: Flow) -> None:
    flow.put("cats.md", b"Tom purrs.")
    flow.work()
    flow.put("cats.md", b"Tom sleeps.")
    flow.work()

    assert flow.found("Tom") == [("cats.md", "Tom sleeps.")]
    flow.delete("cats.md")
    flow.work()
    assert flow.found("Tom") == []
    assert flow.verdict("cats.md") == (DocumentState.DELETED, "")


def test_uploads_and_deletions_wait_for_a_lost_index_and_end_when_it_is_back(
    flow: Flow, tmp_path: Path
) -> None:
    for name in ("cats.md", "dogs.md", "birds.md"):
        flow.put(name, b"Tom purrs.")
    flow.work()
    away = Path(shutil.move(tmp_path / "index", tmp_path / "away"))

    flow.put("fish.md", b"Tom swims.")
    flow.delete("cats.md")
    done_meanwhile = flow.tried()
    away.rename(tmp_path / "index")

    assert (done_meanwhile, flow.tried()) == (0, 2)
    assert sorted(name for name, _ in flow.found("Tom")) == ["birds.md", "dogs.md", "fish.md"]


def test_a_tenant_whose_index_is_lost_for_good_begins_anew_by_deleting_all(
    flow: Flow, tmp_path: Path
) -> None:
    for name in ("cats.md", "dogs.md"):
        flow.put(name, b"Tom purrs.")
    flow.work()
    shutil.rmtree(tmp_path / "index")

    for name in ("cats.md", "dogs.md"):
        flow.delete(name)
    done = [flow.tried(), flow.tried()]
    flow.put("cats.md", b"Tom purrs.")
    flow.work()

    assert sum(done) == 2
    assert flow.found("Tom") == [("cats.md", "Tom purrs.")]
