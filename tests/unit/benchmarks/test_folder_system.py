"""What a folder's run reads of S3 and the ledger, against moto."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from haylift.adapters.s3_texts import S3Texts
from haylift.domain.chunks import Block, ParsedDocument
from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.domain.texts import TextPart, TextPlace
from moto import mock_aws

from benchmarks.folder_files import found_files, planned
from benchmarks.folder_rows import StoredText
from benchmarks.folder_system import KeptTexts, Reader, UploadBucket
from ops.api import ApiClient

RECORD = DocumentRecord(
    tenant="acme",
    document_id="d",
    key="documents/acme/a.md",
    sequencer="01",
    revision=2,
    live_revision=2,
    state=DocumentState.SEARCHABLE,
)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="uploads")
        client.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
        yield client


def _keep(client: Any, *texts: str, is_ocr: bool = False) -> None:
    place = TextPlace(tenant="acme", document_id="d", revision=2, digest="0f")
    start = 0
    for number, text in enumerate(texts):
        block = Block(text=text, is_ocr=is_ocr)
        part = TextPart(
            document=ParsedDocument(title="", media_type="text/plain", blocks=(block,)),
            number=number,
            start_char=start,
            is_last=number == len(texts) - 1,
        )
        S3Texts("uploads", client).put(place, part)
        start = part.next_start_char


def test_the_characters_are_those_of_all_parts(s3: Any) -> None:
    _keep(s3, "Ten letter", "Four", is_ocr=True)

    stored = KeptTexts("uploads", s3).stored(RECORD)

    assert stored == StoredText(characters=16, has_ocr=True)


def test_a_text_that_is_not_there_is_no_empty_one(s3: Any) -> None:
    assert KeptTexts("uploads", s3).stored(RECORD) is None


def test_the_words_to_search_for_are_of_the_text(s3: Any) -> None:
    _keep(s3, "A short first line.", "The extraordinary quarterly figures of the subsidiary are in it.")

    assert KeptTexts("uploads", s3).words(RECORD) == (
        "The extraordinary quarterly figures the subsidiary are"
    )


def test_a_file_is_sent_with_its_name_and_type_and_removed(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "ä b.html").write_text("<p>text</p>")
    bucket = UploadBucket("uploads", s3)
    (plan,) = planned(found_files(tmp_path), tenant="acme", prefix="run")

    version_id = bucket.put(plan)

    head = s3.head_object(Bucket="uploads", Key="documents/acme/run/ä b.html")
    assert (head["VersionId"], head["ContentType"]) == (version_id, "text/html")
    assert plan.key is not None
    assert bucket.remove([plan.key]) == 0
    assert "Contents" not in s3.list_objects_v2(Bucket="uploads")


def test_a_reader_waits_when_the_api_has_had_too_many_requests() -> None:
    answers = iter([httpx.Response(429), httpx.Response(200, json={"results": [{"document_id": "d"}]})])
    waited: list[float] = []
    with ApiClient("http://127.0.0.1", httpx.MockTransport(lambda _: next(answers))) as api:
        assert Reader(api, waited.append).finds("words", "d")

    assert waited == [5.0]
