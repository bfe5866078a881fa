"""`ops upload` against S3 and DynamoDB: the real ledger, and an ingestion that works while we wait."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_users import DynamoDbUsers
from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState, Lane, padded_sequencer
from haylift.domain.errors import REJECTION_REASONS
from haylift.domain.events import ObjectEvent, ObjectEventKind
from haylift.domain.identity import Role
from haylift.domain.metadata import DocumentMetadata
from haylift.ports.identity import User

from ops.cli import main
from ops.upload import ADVICE_BY_REASON
from tests.fakes.ops import BUCKET, HandClock, captured_world, remarked, shown

pytestmark = pytest.mark.usefixtures("aws", "tenants_with_users")


@pytest.fixture
def tenants_with_users(aws: None) -> None:
    users = DynamoDbUsers("users", boto3.client("dynamodb", region_name="eu-central-1"))
    for tenant in ("acme", "globex"):
        users.put(User(username=tenant, tenant=tenant, role=Role.READER, password_hash="", stamp=""))


class Ingestion:
    """Claims and finishes what lies in the bucket, through the ledger's own writes."""

    def __init__(self, reason_by_path: dict[str, str] | None = None) -> None:
        self._reason_by_path = reason_by_path or {}
        self._s3 = boto3.client("s3", region_name="eu-central-1")
        table = boto3.client("dynamodb", region_name="eu-central-1")
        self.ledger = DynamoDbLedger("ledger", "tenants", table)
        self._sequence = 0

    def work(self) -> None:
        """One round over the bucket."""
        for item in self._s3.list_object_versions(Bucket=BUCKET).get("Versions", []):
            if item["IsLatest"]:
                self._index(DocumentKey.parse(item["Key"]), item["VersionId"])

    def _index(self, key: DocumentKey, version_id: str) -> None:
        before = self.ledger.get(key.tenant, key.document_id)
        if before and before.version_id == version_id:
            return
        self._sequence += 1
        event = ObjectEvent(
            kind=ObjectEventKind.CREATED,
            key=key,
            sequencer=padded_sequencer(f"{self._sequence:04X}"),
            version_id=version_id,
        )
        head = self._s3.head_object(Bucket=BUCKET, Key=key.object_key)
        groups = DocumentMetadata.of_object(head["Metadata"]).access_groups
        row = self.ledger.claim(event, version_id, lane=Lane.INTERACTIVE, groups=groups).record
        row = self.ledger.take_lease(key.tenant, key.document_id, row.revision, "worker", 150)
        reason = self._reason_by_path.get(key.path, "")
        state = DocumentState.REJECTED if reason else DocumentState.SEARCHABLE
        self.ledger.activate(row, live_revision=0 if reason else row.revision)
        self.ledger.finish(_with_reason(row, reason), state)


def _with_reason(row: DocumentRecord, reason: str) -> DocumentRecord:
    return replace(row, reason=reason)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = tmp_path / "handbook"
    (files / "deep").mkdir(parents=True)
    (files / "start.md").write_text("# Start")
    (files / "deep" / "scan.pdf").write_bytes(b"%PDF-1.4")
    return files


def _arguments(state_dir: Path, *more: str) -> list[str]:
    return ["--state-dir", str(state_dir), "upload", *more]


def test_files_are_uploaded_and_followed_until_each_is_final(state_dir: Path, folder: Path) -> None:
    world = captured_world(clock=HandClock(Ingestion({"deep/scan.pdf": "no_text"}).work))

    assert main(_arguments(state_dir, str(folder)), world) == 0

    lines = shown(world).splitlines()
    assert lines[0] == "2 files uploaded: 1 SEARCHABLE, 1 REJECTED (slowest 0.5 s)"
    assert lines[1].startswith("  REJECTED   deep/scan.pdf (no_text) 0.5 s: it holds no text")
    assert "SEARCHABLE start.md 0.5 s" in remarked(world)
    head = boto3.client("s3").head_object(Bucket=BUCKET, Key="documents/acme/start.md")
    assert head["ContentType"] == "text/markdown"


def test_json_is_one_document_on_stdout(state_dir: Path, folder: Path) -> None:
    world = captured_world(clock=HandClock(Ingestion({"deep/scan.pdf": "no_text"}).work))

    assert main(_arguments(state_dir, str(folder), "--tenant", "globex", "--json"), world) == 0

    document = json.loads(shown(world))
    assert (document["uploaded"], document["searchable"], document["rejected"]) == (2, 1, 1)
    assert document["documents"][0]["key"] == "documents/globex/deep/scan.pdf"
    assert document["documents"][0]["document_id"] == DocumentKey("globex", "deep/scan.pdf").document_id
    assert (document["documents"][0]["state"], document["documents"][0]["reason"]) == ("REJECTED", "no_text")
    assert remarked(world) == ""


def test_strict_makes_a_rejected_file_a_failure(state_dir: Path, folder: Path) -> None:
    world = captured_world(clock=HandClock(Ingestion({"start.md": "damaged"}).work))

    assert main(_arguments(state_dir, str(folder), "--strict"), world) == 1


def test_an_upload_that_is_never_noticed_ends_with_advice(state_dir: Path, folder: Path) -> None:
    world = captured_world()

    assert main(_arguments(state_dir, str(folder), "--timeout", "30"), world) == 1

    assert "Gave up: nothing changed for 30 s." in shown(world)
    assert "UPLOADED   start.md" in shown(world)


def test_no_wait_returns_after_the_upload(state_dir: Path, folder: Path) -> None:
    world = captured_world()

    assert main(_arguments(state_dir, str(folder), "--no-wait"), world) == 0

    assert shown(world) == "2 files uploaded; they become searchable one after the other.\n"


def test_a_replaced_file_waits_for_its_own_revision(state_dir: Path, folder: Path) -> None:
    ingestion = Ingestion()
    first = captured_world(clock=HandClock(ingestion.work))
    assert main(_arguments(state_dir, str(folder)), first) == 0
    rounds: list[None] = []

    def slow_work() -> None:
        rounds.append(None)
        if len(rounds) == 4:
            ingestion.work()

    second = captured_world(clock=HandClock(slow_work))
    assert main(_arguments(state_dir, str(folder)), second) == 0

    assert shown(second).startswith("2 files uploaded: 2 SEARCHABLE (slowest 2.0 s)")


def test_a_rejected_file_that_replaced_a_good_one_says_what_is_lost(state_dir: Path, folder: Path) -> None:
    reasons = {"deep/scan.pdf": "no_text"}
    ingestion = Ingestion(reasons)
    first = captured_world(clock=HandClock(ingestion.work))
    assert main(_arguments(state_dir, str(folder)), first) == 0
    reasons["start.md"] = "damaged"
    second = captured_world(clock=HandClock(ingestion.work))
    again = captured_world(clock=HandClock(ingestion.work))

    assert main(_arguments(state_dir, str(folder)), second) == 0
    assert main(_arguments(state_dir, str(folder), "--json"), again) == 0

    lost = "    The earlier version of this file is no longer found; the bucket keeps it."
    assert lost not in shown(first)
    assert shown(second).splitlines()[3] == lost
    assert shown(second).count(lost) == 1
    documents = json.loads(shown(again))["documents"]
    assert [document["earlier_version_hidden"] for document in documents] == [False, False]


def _groups_of(path: str) -> str | None:
    head = boto3.client("s3").head_object(Bucket=BUCKET, Key=f"documents/acme/{path}")
    groups: str | None = head["Metadata"].get("access-groups")
    return groups


def test_files_are_uploaded_for_groups_and_an_update_opens_nothing(state_dir: Path, folder: Path) -> None:
    ingestion = Ingestion()
    seen = []
    for groups in (("--groups", "hr, it"), (), ("--groups", "")):
        world = captured_world(clock=HandClock(ingestion.work))
        assert main(_arguments(state_dir, str(folder), *groups), world) == 0
        seen.append(_groups_of("start.md"))

    assert seen == ["hr,it", "hr,it", None]


def test_groups_that_cannot_be_are_refused(state_dir: Path, folder: Path) -> None:
    world = captured_world()

    assert main(_arguments(state_dir, str(folder), "--groups", "gr\u00fcn"), world) == 2

    assert remarked(world).startswith("invalid_access_groups: ")


def test_a_tenant_without_users_is_warned_of(state_dir: Path, folder: Path) -> None:
    ingestion = Ingestion()
    world = captured_world(clock=HandClock(ingestion.work))
    as_json = captured_world(clock=HandClock(ingestion.work))

    assert main(_arguments(state_dir, str(folder), "--tenant", "nosuch"), world) == 0
    assert main(_arguments(state_dir, str(folder), "--tenant", "nosuch", "--json"), as_json) == 0

    warning = remarked(world).splitlines()[0]
    assert warning.startswith(
        "Warning: nobody can find these files, because the tenant nosuch has no users "
        "(tenants with users: acme, globex)."
    )
    assert json.loads(shown(as_json))["warnings"] == [warning]


def test_a_name_that_is_no_tenant_s_names_the_rule(state_dir: Path, folder: Path) -> None:
    world = captured_world()

    assert main(_arguments(state_dir, str(folder), "--tenant", "ACME!"), world) == 2

    assert remarked(world) == (
        "invalid_tenant: 'ACME!' is no tenant's name: "
        "it has 1 to 40 characters of a-z, 0-9 and inner hyphens.\n"
    )


def test_a_wrong_path_is_a_wrong_question(state_dir: Path) -> None:
    world = captured_world()

    assert main(_arguments(state_dir, "/nowhere/at-all"), world) == 2

    assert remarked(world) == "path_missing: /nowhere/at-all is neither a file nor a folder.\n"


def test_a_missing_bucket_is_a_failure_with_aws_s_own_words(state_dir: Path, folder: Path) -> None:
    client = boto3.client("s3", region_name="eu-central-1")
    client.delete_bucket(Bucket=BUCKET)
    world = captured_world()

    assert main(_arguments(state_dir, str(folder)), world) == 1

    assert remarked(world).startswith("aws_NoSuchBucket: ")


class Watched(io.StringIO):
    """A stream that a person watches."""

    def isatty(self) -> bool:
        return True


def test_a_person_sees_bars_that_count_to_the_end(state_dir: Path, folder: Path) -> None:
    clock = HandClock(Ingestion({"deep/scan.pdf": "no_text"}).work)
    world = replace(captured_world(clock=clock), err=Watched())

    assert main(_arguments(state_dir, str(folder)), world) == 0

    assert "uploaded" in remarked(world)
    assert "searchable (1 rejected)" in remarked(world)
    assert "2/2" in remarked(world)


def check_every_reason_has_advice(advice: Callable[[str], object]) -> None:
    """The reasons are those that a `DocumentRejected` can have."""
    assert len(REJECTION_REASONS) >= 8
    assert [reason for reason in sorted(REJECTION_REASONS) if not advice(reason)] == []


def test_every_reason_of_a_rejection_has_advice() -> None:
    check_every_reason_has_advice(ADVICE_BY_REASON.get)


def test_the_check_of_advice_can_fail() -> None:
    forgetful = {reason: text for reason, text in ADVICE_BY_REASON.items() if reason != "no_text"}

    with pytest.raises(AssertionError):
        check_every_reason_has_advice(forgetful.get)
