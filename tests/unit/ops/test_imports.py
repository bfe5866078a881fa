"""`ops ingest import`: what is there already, once each, going on where it was ended."""

import json
from pathlib import Path
from typing import Any

import pytest
from haylift.adapters.s3_events import read_object_event
from haylift.domain.documents import DocumentKey
from haylift.domain.events import ObjectEventKind

from ops.cli import main
from ops.imports import Copies
from tests.fakes.ops import BUCKET, captured_world, remarked, shown
from tests.fakes.ops_stage import REGION, audit_records, client, deploy
from tests.unit.ingestion.world import World

pytestmark = pytest.mark.usefixtures("aws")

ARCHIVE = "archive"


@pytest.fixture
def outputs(state_dir: Path, aws: None) -> dict[str, str]:  # after moto
    made = deploy(state_dir)
    client("s3").create_bucket(Bucket=ARCHIVE, CreateBucketConfiguration={"LocationConstraint": REGION})
    return made


def _run(state_dir: Path, *command: str) -> tuple[int, dict[str, Any], str]:
    world = captured_world()
    code = main(["ingest", "import", *command, "--state-dir", str(state_dir), "--json"], world)
    return code, json.loads(shown(world)), remarked(world)


def _put(bucket: str, *keys: str) -> None:
    for key in keys:
        client("s3").put_object(Bucket=bucket, Key=key, Body=key.encode())


def _keys() -> list[str]:
    return [item["Key"] for item in client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def _intake(outputs: dict[str, str]) -> list[str]:
    sqs, found = client("sqs"), list[str]()
    while messages := sqs.receive_message(QueueUrl=outputs["IntakeBulkQueueUrl"], MaxNumberOfMessages=10).get(
        "Messages", []
    ):
        found += [message["Body"] for message in messages]
    return found


def test_without_a_yes_objects_are_only_counted(outputs: dict[str, str], state_dir: Path) -> None:
    _put(ARCHIVE, "2025/a.md", "2025/b/c.md", "other.md")

    code, document, _ = _run(state_dir, f"s3://{ARCHIVE}/2025/", "--tenant", "acme")

    assert (code, document["found"], document["is_dry_run"]) == (0, 2, True)
    assert _keys() == []


def test_objects_elsewhere_are_copied_below_bulk_once(outputs: dict[str, str], state_dir: Path) -> None:
    _put(ARCHIVE, "2025/a.md", "2025/b/c.md", "other.md")
    words = (f"s3://{ARCHIVE}/2025/", "--tenant", "acme", "--yes")

    first = _run(state_dir, *words)[1]
    second = _run(state_dir, *words)[1]

    assert _keys() == ["documents/acme/bulk/a.md", "documents/acme/bulk/b/c.md"]
    assert all(DocumentKey.parse(key).is_bulk for key in _keys())
    assert (first["copied"], first["unchanged"]) == (2, 0)
    assert (second["copied"], second["unchanged"]) == (0, 2)
    assert {record["action"] for record in audit_records()} == {"ingest.import"}


def test_an_ended_import_goes_on_after_its_last_part(
    outputs: dict[str, str], state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(ARCHIVE, *(f"n-{number:02}.md" for number in range(25)))
    words = (f"s3://{ARCHIVE}/", "--tenant", "acme", "--yes")
    take, taken = Copies.take, list[int]()

    def dying(self: Copies, part: Any) -> Any:
        if len(taken) == 1:
            raise KeyboardInterrupt
        taken.append(len(part))
        return take(self, part)

    monkeypatch.setattr(Copies, "take", dying)
    ended = main(["ingest", "import", *words, "--state-dir", str(state_dir)], captured_world())
    monkeypatch.setattr(Copies, "take", take)
    _, document, _ = _run(state_dir, *words)

    assert ended == 1
    assert (document["found"], document["copied"], len(_keys())) == (15, 15, 25)


def test_the_tenants_own_objects_are_claimed_where_they_lie(outputs: dict[str, str], state_dir: Path) -> None:
    _put(BUCKET, "documents/acme/a.md", "documents/acme/folder/")

    code, document, _ = _run(state_dir, f"s3://{BUCKET}/documents/acme/", "--tenant", "acme", "--yes")

    assert (code, document["sent"], document["invalid"]) == (3, 1, 1)
    (body,) = _intake(outputs)
    event = read_object_event(body, BUCKET)
    assert (event.kind, event.key.path) == (ObjectEventKind.CHECK, "a.md")


@pytest.mark.parametrize("source", ["s3://uploads/", "s3://uploads/documents/globex/", "archive/a", "s3://"])
def test_other_sources_are_refused(outputs: dict[str, str], state_dir: Path, source: str) -> None:
    assert _run(state_dir, source, "--tenant", "acme", "--yes")[0] == 2


def _event(key: str) -> str:
    place = {"key": key, "sequencer": "0"}
    detail = {"bucket": {"name": BUCKET}, "object": place}
    return json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})


def test_a_known_document_is_left_alone_and_an_unknown_one_is_indexed() -> None:
    world = World()
    world.bucket.put("documents/acme/known.md", b"known")
    world.settle()
    world.bucket.put("documents/acme/new.md", b"new")
    world.bucket.bodies.clear()
    before = world.ledger.tenants.epoch("acme").content_version

    world.dispatch(_event("documents/acme/known.md"), _event("documents/acme/new.md"))
    world.settle()

    assert world.seen("documents/acme/known.md") == ["known"]
    assert world.seen("documents/acme/new.md") == ["new"]
    assert world.ledger.tenants.epoch("acme").content_version == before + 1
