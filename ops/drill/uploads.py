"""Files that drills upload, and how nothing of them stays."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from haylift.domain.documents import DOCUMENTS_PREFIX

from ops.drill.ground import Ground

FOLDER = "drill/"
READING = "drill-reading/"
"""Stays from the first drill to the last."""

BULK = "bulk/"
"""What lies below it takes the backfill lane."""


def new_path(name: str, *, is_bulk: bool = False) -> str:
    """A path that no earlier drill used, within the tenant's documents."""
    return f"{BULK if is_bulk else ''}{FOLDER}{uuid.uuid4().hex[:12]}-{name}"


def put(ground: Ground, path: str, content: bytes, client: Any = None) -> None:
    """Uploads one file of the drill's tenant."""
    (client or ground.client("s3")).put_object(
        Bucket=ground.deployment.output("UploadBucketName"),
        Key=f"{DOCUMENTS_PREFIX}{tenant(ground)}/{path}",
        Body=content,
    )


def tenant(ground: Ground) -> str:
    """Whose documents the drills add: the tenant asked for, or the local system's first."""
    return ground.deployment.tenant(getattr(ground.session.options, "tenant", None))


def remove_all(ground: Ground, folders: Sequence[str] = ()) -> int:
    """Deletes every file that a drill has uploaded; how many there were."""
    client, bucket = ground.client("s3"), ground.deployment.output("UploadBucketName")
    keys = [
        {"Key": str(found["Key"])}
        for folder in folders or (FOLDER, BULK + FOLDER)
        for page in client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=f"{DOCUMENTS_PREFIX}{tenant(ground)}/{folder}"
        )
        for found in page.get("Contents", ())
    ]
    for start in range(0, len(keys), 1000):
        client.delete_objects(Bucket=bucket, Delete={"Objects": keys[start : start + 1000], "Quiet": True})
    return len(keys)


def small_text(word: str) -> bytes:
    """A file that is searchable within seconds."""
    return f"The drill says {word}.\n".encode()


def large_text(word: str) -> bytes:
    """A file that keeps a worker busy for some seconds: about 100 kB."""
    lines = (f"Paragraph {number} of the drill says {word} {number}.\n\n" for number in range(2_000))
    return "".join(lines).encode()


def truncated_pdf(word: str) -> bytes:
    """The beginning of a PDF file."""
    return b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog " + word.encode()


def damaged_docx(word: str) -> bytes:
    """The first bytes of an archive, and noise."""
    return b"PK\x03\x04\x14\x00" + word.encode() * 40


def encrypted_office_file(word: str) -> bytes:
    """The container in which Office keeps a file with a password."""
    return bytes.fromhex("d0cf11e0a1b11ae1") + word.encode() * 100


POISON: tuple[tuple[str, Callable[[str], bytes]], ...] = (
    ("cut.pdf", truncated_pdf),
    ("broken.docx", damaged_docx),
    ("locked.docx", encrypted_office_file),
)
