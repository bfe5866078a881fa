"""Texts in S3 at moto's border: what is kept comes back, and what goes leaves no version."""

from collections.abc import Iterator
from typing import Any

import pytest
from haylift.adapters.aws import make_client
from haylift.adapters.s3_texts import S3Texts
from haylift.domain.chunks import Block, ParsedDocument
from haylift.domain.texts import TextPart, TextPlace
from moto import mock_aws

BUCKET = "uploads"
BLOCKS = (
    Block(text="Ein Satz.\n猫 مرحبا \ud800", page=3, headings=("A", "B")),
    Block(text="a | b", sheet="Costs", is_table=True),
    Block(text="Slide\u2028text", slide=2, is_ocr=True),
)
PART = TextPart(
    document=ParsedDocument(title="T", media_type="text/plain", blocks=BLOCKS, omissions={"pages": 2}),
    number=1,
    start_char=40,
    last_page=50,
    page_count=90,
    spent_s=1.25,
    is_last=False,
)


def place(revision: int) -> TextPlace:
    return TextPlace(tenant="acme", document_id="d", revision=revision, digest="0f")


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = make_client("s3")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


def test_a_part_comes_back_as_it_was_put(s3: Any) -> None:
    texts = S3Texts(BUCKET, s3)
    texts.put(place(3), PART)

    assert texts.get(place(3), 1) == PART
    assert texts.get(place(3), 0) is None
    assert s3.list_objects_v2(Bucket=BUCKET)["Contents"][0]["Key"] == "text/acme/d/3/0f/00001.jsonl.gz"


def test_parts_are_counted_up_to_the_first_gap(s3: Any) -> None:
    texts = S3Texts(BUCKET, s3)
    for number in (0, 1, 3):
        texts.put(place(3), TextPart(document=PART.document, number=number))

    assert texts.count(place(3)) == 2
    assert texts.count(place(4)) == 0
    assert texts.size("acme", "d", 3) == 3


def test_what_is_removed_leaves_no_version_and_newer_revisions_stay(s3: Any) -> None:
    texts = S3Texts(BUCKET, s3)
    for revision in (1, 1, 2, 3, 30):
        texts.put(place(revision), PART)
    s3.delete_object(Bucket=BUCKET, Key=place(1).key(1))

    removed = texts.remove("acme", "d", keep_revision=2, up_to_revision=3)

    versions = s3.list_object_versions(Bucket=BUCKET)
    left = {version["Key"] for version in versions["Versions"] + versions.get("DeleteMarkers", [])}
    assert removed == 2
    assert left == {place(2).key(1), place(30).key(1)}


def test_another_document_whose_name_begins_alike_keeps_its_text(s3: Any) -> None:
    texts = S3Texts(BUCKET, s3)
    texts.put(TextPlace(tenant="acme", document_id="dd", revision=1, digest="0f"), PART)

    assert texts.remove("acme", "d", keep_revision=0) == 0
