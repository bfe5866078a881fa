"""`ops ingest import s3://bucket/prefix`: objects that are there already, into a tenant's documents.

Objects under `documents/<tenant>/` of the upload bucket are claimed where they lie; others are copied by S3
itself to `documents/<tenant>/bulk/`. Nothing is embedded twice: a known document is left alone, and of a copy
with the same bytes only the version changes.
"""

import hashlib
import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError
from haylift.domain.documents import BULK_PREFIX, DOCUMENTS_PREFIX, DocumentKey
from haylift.domain.errors import InvalidInput

from ops.at_hand import at_hand
from ops.changes import audited
from ops.deployment import UPLOADING, Deployment
from ops.faults import EXIT_OK, EXIT_UNWELL, OpsFault, UsageFault
from ops.session import Session

SCHEME = "s3://"
DEFAULT_PER_SECOND = 50.0
FIRST_SEQUENCER = "0"
"""Lower than every one of S3's: an event that S3 has sent, or will send, of the object wins."""

PART = 10
"""SQS's limit for one request; the place is noted after each part."""

REMARK_EVERY = 500
FOLDER = "imports"


@dataclass(frozen=True)
class Source:
    """Where the objects lie."""

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, text: str) -> "Source":
        """Reads `s3://bucket/prefix`. Raises `UsageFault` (`invalid_source`).

        >>> Source.parse("s3://archive/2025/")
        Source(bucket='archive', prefix='2025/')
        """
        bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
        if not text.startswith(SCHEME) or not bucket:
            raise UsageFault("invalid_source", f"The source is s3://BUCKET/PREFIX, not {text!r}.")
        return cls(bucket, prefix)


@dataclass(frozen=True)
class Found:
    """One object, and the key of the document that it becomes; None: its name cannot be one."""

    key: str
    etag: str
    target: str | None


class Way(Protocol):
    """How objects become documents."""

    def target(self, key: str) -> str:
        """The document's key. Raises `InvalidInput`."""

    def take(self, part: tuple[Found, ...]) -> Counter[str]:
        """Takes up to 10 objects; counts what became of them. Safe to repeat."""


class Claims:
    """Objects where documents lie: dispatch is told to look at them, and claims those it does not know."""

    def __init__(self, deployment: Deployment, tenant: str) -> None:
        self._client = deployment.client("sqs")
        self._url = deployment.output("IntakeBulkQueueUrl")
        self._bucket = deployment.output("UploadBucketName")
        self._tenant = tenant

    def target(self, key: str) -> str:
        """The object's own key."""
        found = DocumentKey.parse(key)
        if found.tenant != self._tenant:
            raise InvalidInput("It is another tenant's.", code="foreign_tenant")
        return key

    def take(self, part: tuple[Found, ...]) -> Counter[str]:
        """Sends a message for each to the intake queue."""
        entries = [
            {"Id": str(number), "MessageBody": json.dumps(self._event(found.key))}
            for number, found in enumerate(part)
        ]
        answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        if answer.get("Failed"):
            detail = "The intake queue refused messages; run the command again, it goes on from here."
            raise OpsFault("not_sent", detail)
        return Counter(sent=len(part))

    def _event(self, key: str) -> dict[str, Any]:
        """Without a version: the key must be looked at, and what it holds now is claimed."""
        place = {"key": key, "sequencer": FIRST_SEQUENCER}
        return {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": self._bucket}, "object": place},
        }


class Copies:
    """Objects elsewhere: S3 copies them, and its events bring them into the backfill lane."""

    def __init__(self, deployment: Deployment, source: Source, tenant: str) -> None:
        self._client = deployment.client("s3", UPLOADING)
        self._bucket = deployment.output("UploadBucketName")
        self._source = source
        self._tenant = tenant

    def target(self, key: str) -> str:
        """The path after the source's last folder, under `documents/<tenant>/bulk/`."""
        folder, slash, _ = self._source.prefix.rpartition("/")
        path = key.removeprefix(folder + slash)
        copied = f"{DOCUMENTS_PREFIX}{self._tenant}/{BULK_PREFIX}{path}"
        return DocumentKey.parse(copied).object_key

    def take(self, part: tuple[Found, ...]) -> Counter[str]:
        """Copies what is not there yet with the same bytes."""
        done: Counter[str] = Counter()
        for found in part:
            assert found.target is not None
            if self._etag(found.target) == found.etag:
                done["unchanged"] += 1
                continue
            place = {"Bucket": self._source.bucket, "Key": found.key}
            self._client.copy_object(Bucket=self._bucket, Key=found.target, CopySource=place)
            done["copied"] += 1
        return done

    def _etag(self, key: str) -> str:
        try:
            return str(self._client.head_object(Bucket=self._bucket, Key=key)["ETag"])
        except ClientError as fault:
            if fault.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            return ""


@dataclass
class Place:
    """How far an import has come: in a file, so that an ended command goes on when it is given again.

    Without the file everything is looked at anew, which costs time and no embedding.
    """

    file: Path
    last_key: str = field(init=False)

    def __post_init__(self) -> None:
        self.last_key = self.file.read_text(encoding="utf-8") if self.file.is_file() else ""

    def note(self, key: str) -> None:
        """Everything up to this key is done."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(key, encoding="utf-8")
        new.replace(self.file)
        self.last_key = key

    def forget(self) -> None:
        """All is done: the next import begins from the first key."""
        self.file.unlink(missing_ok=True)


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `ops ingest import`."""
    parser.add_argument("source", metavar="s3://BUCKET/PREFIX", help="objects whose keys begin so")
    parser.add_argument("--tenant", help="whose documents they become (local default: the first tenant)")
    parser.add_argument(
        "--per-second", type=float, default=DEFAULT_PER_SECOND, metavar="N", help="default %(default)s"
    )
    parser.add_argument("--anew", action="store_true", help="from the first key, not from where it was ended")
    parser.add_argument("--yes", action="store_true", help="really do it; without it they are only counted")


def run(session: Session) -> int:
    """Counts the objects, and with `--yes` takes them; exit code 3 when some cannot be documents.

    Raises:
        UsageFault: `invalid_source`, `invalid_rate`, `source_is_system` for other prefixes of the bucket.
    """
    options = session.options
    if options.per_second <= 0:
        raise UsageFault("invalid_rate", "--per-second is a number above 0.")
    source = Source.parse(options.source)
    deployment = session.deployment()
    tenant = deployment.tenant(options.tenant)
    way = _way(deployment, source, tenant)
    place = _place(session, source, tenant)
    done: Counter[str] = Counter()
    for part in batched(_objects(deployment, source, way, place.last_key), PART, strict=False):
        named = tuple(found for found in part if found.target is not None)
        done.update(found=len(part), invalid=len(part) - len(named))
        if options.yes:
            done.update(way.take(named) if named else {})
            place.note(part[-1].key)
            _progress(session, done["found"])
            session.world.sleep(len(part) / options.per_second)
    if options.yes:
        place.forget()
        audited(deployment, "ingest.import", options.source, done=f"{done['found']} objects", tenant=tenant)
    _report(session, tenant, done)
    return EXIT_UNWELL if done["invalid"] else EXIT_OK


def _way(deployment: Deployment, source: Source, tenant: str) -> Way:
    if source.bucket != deployment.output("UploadBucketName"):
        return Copies(deployment, source, tenant)
    if not source.prefix.startswith(f"{DOCUMENTS_PREFIX}{tenant}/"):
        detail = f"In the upload bucket the tenant's objects lie under {DOCUMENTS_PREFIX}{tenant}/."
        raise UsageFault("foreign_prefix", detail)
    return Claims(deployment, tenant)


def _place(session: Session, source: Source, tenant: str) -> Place:
    named = f"{session.options.stage}\0{source.bucket}\0{source.prefix}\0{tenant}"
    name = hashlib.sha256(named.encode()).hexdigest()[:24]
    place = Place(Path(session.options.state_dir, FOLDER, name))
    if session.options.anew:
        place.forget()
        place = Place(place.file)
    if place.last_key:
        session.terminal.remark(f"goes on after {place.last_key!r}; to begin anew: --anew")
    return place


def _objects(deployment: Deployment, source: Source, way: Way, after: str) -> Iterator[Found]:
    pages = deployment.client("s3", UPLOADING).get_paginator("list_objects_v2")
    start = {"StartAfter": after} if after else {}
    for page in pages.paginate(Bucket=source.bucket, Prefix=source.prefix, **start):
        for item in page.get("Contents", ()):
            yield Found(item["Key"], item["ETag"], _target(way, item["Key"]))


def _target(way: Way, key: str) -> str | None:
    try:
        return way.target(key)
    except InvalidInput:
        return None


def _progress(session: Session, found: int) -> None:
    if found % REMARK_EVERY < PART and found >= REMARK_EVERY:
        session.terminal.remark(f"import: {found} objects")


def _report(session: Session, tenant: str, done: Counter[str]) -> None:
    options = session.options
    names = ("found", "sent", "copied", "unchanged", "invalid")
    document = {"source": options.source, "tenant": tenant, **{name: done[name] for name in names}}
    line = ", ".join(f"{name} {done[name]}" for name in names if done[name] or name == "found")
    session.terminal.result({**document, "is_dry_run": not options.yes}, [line])
    if not options.yes:
        words = f"python -m ops ingest import {options.source} --tenant {tenant} --yes"
        session.terminal.remark(f"Nothing was taken. To do it: {at_hand(words, options)}")
