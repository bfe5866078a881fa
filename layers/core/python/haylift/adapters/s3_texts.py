"""Texts of documents in the upload bucket: JSON lines, gzip; the first line is the part, then its blocks."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from botocore.exceptions import ClientError, IncompleteReadError

from haylift.adapters.aws import error_code, translated
from haylift.domain.chunks import Block, ParsedDocument
from haylift.domain.errors import StoreUnavailable
from haylift.domain.texts import BLOCK_BREAK, TextPart, TextPlace, documents_texts

MEDIA_TYPE = "application/x-ndjson"
COMPRESSION = 5
"""Above it gzip takes twice the time for 2 % less (measured on Markdown and PDF text)."""

REMOVED_AT_ONCE = 1_000
"""S3's limit of one DeleteObjects."""


class S3Texts:
    """`StoredTexts` under the prefix `text/` of a bucket, whose events start no ingestion.

    Args:
        bucket: the bucket's name; versioned or not.
        client: an `s3` client.
    """

    def __init__(self, bucket: str, client: Any) -> None:
        self._bucket = bucket
        self._client = client

    def put(self, place: TextPlace, part: TextPart) -> None:
        """Keeps a part under its number; safe to repeat."""
        body = gzip.compress(b"".join(_lines(part)), COMPRESSION, mtime=0)
        with translated("upload bucket"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=place.key(part.number),
                Body=body,
                ContentType=MEDIA_TYPE,
                ContentEncoding="gzip",
            )

    def get(self, place: TextPlace, number: int) -> TextPart | None:
        """A part as it was put; None when it is not there."""
        with translated("upload bucket"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=place.key(number))
                body = answer["Body"].read()
            except IncompleteReadError as fault:
                raise StoreUnavailable("The upload bucket broke off a download.") from fault
            except ClientError as fault:
                if error_code(fault) != "NoSuchKey":
                    raise
                return None
        return _part(gzip.decompress(body), number)

    def count(self, place: TextPlace) -> int:
        """How many parts are there, from number 0 on without a gap."""
        found = set(self._keys(place.prefix))
        count = 0
        while place.key(count) in found:
            count += 1
        return count

    def size(self, tenant: str, document_id: str, revision: int) -> int:
        """How many parts are kept of a revision, of whatever bytes."""
        return sum(1 for _ in self._keys(f"{documents_texts(tenant, document_id)}{revision}/"))

    def _keys(self, prefix: str) -> Iterator[str]:
        with translated("upload bucket"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            yield from (entry["Key"] for page in pages for entry in page.get("Contents", ()))

    def remove(
        self, tenant: str, document_id: str, *, keep_revision: int, up_to_revision: int | None = None
    ) -> int:
        """Removes the texts of other revisions with all their versions: they are made of the file again."""
        prefix = documents_texts(tenant, document_id)
        gone: list[dict[str, str]] = []
        with translated("upload bucket"):
            for entry in self._versions(prefix):
                revision = int(entry["Key"].removeprefix(prefix).partition("/")[0])
                is_newer = up_to_revision is not None and revision > up_to_revision
                if revision != keep_revision and not is_newer:
                    gone.append({"Key": entry["Key"], "VersionId": entry["VersionId"]})
            for start in range(0, len(gone), REMOVED_AT_ONCE):
                answer = self._client.delete_objects(
                    Bucket=self._bucket,
                    Delete={"Objects": gone[start : start + REMOVED_AT_ONCE], "Quiet": True},
                )
                if answer.get("Errors"):
                    raise StoreUnavailable("The upload bucket kept a part of a text.")
        return len({entry["Key"] for entry in gone})

    def _versions(self, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        for page in pages:
            yield from page.get("Versions", ())
            yield from page.get("DeleteMarkers", ())


def _lines(part: TextPart) -> Iterator[bytes]:
    document = part.document
    yield _line(
        {
            "title": document.title,
            "media_type": document.media_type,
            "omissions": dict(document.omissions),
            "start_char": part.start_char,
            "last_page": part.last_page,
            "page_count": part.page_count,
            "spent_s": round(part.spent_s, 3),
            "is_last": part.is_last,
        }
    )
    start_char = part.start_char
    for block in document.blocks:
        yield _line({"start_char": start_char, **asdict(block)})
        start_char += len(block.text) + len(BLOCK_BREAK)


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def _part(data: bytes, number: int) -> TextPart:
    first, *blocks = [json.loads(line) for line in data.decode("utf-8", "surrogatepass").split("\n")[:-1]]
    return TextPart(
        document=ParsedDocument(
            title=first.pop("title"),
            media_type=first.pop("media_type"),
            omissions=first.pop("omissions"),
            blocks=tuple(_block(fields) for fields in blocks),
        ),
        number=number,
        **first,
    )


def _block(fields: dict[str, Any]) -> Block:
    del fields["start_char"]
    fields["headings"] = tuple(fields["headings"])
    return Block(**fields)
