"""Keeps audit records twice: as an object nobody can change, and as lines for people to read."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from haylift.audit import AuditRecord
from haylift.ports.audit import AuditArchive, AuditTrail

ARCHIVE_PREFIX = "audit/"


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """A record and where it comes from.

    Args:
        event_id: of the log event that brought it; the same again when it is delivered again.
        at_ms: epoch milliseconds of the log event.
        source: name of the log group, or `ops`.
    """

    event_id: str
    at_ms: int
    source: str
    record: AuditRecord

    def document(self) -> dict[str, str]:
        """The entry as it is kept.

        >>> AuditEntry(event_id="1", at_ms=1_767_225_600_123, source="ops", record=AuditRecord(
        ...     actor="a", tenant="t", action="x.y", resource="", outcome="allowed")).document()["at"]
        '2026-01-01T00:00:00.123Z'
        """
        at = datetime.fromtimestamp(self.at_ms / 1_000, UTC).isoformat(timespec="milliseconds")
        own = {"at": at.replace("+00:00", "Z"), "event_id": self.event_id, "source": self.source}
        return own | asdict(self.record)


@dataclass(frozen=True, kw_only=True)
class AuditKeeper:
    """Keeps entries, at least once: the same entries again make the same object, byte for byte."""

    archive: AuditArchive
    trail: AuditTrail

    def keep(self, entries: Sequence[AuditEntry]) -> None:
        """Archives the entries as one object, then appends them to the trail.

        Each line of the trail names the object and its SHA-256, so that a changed object is found out by
        a witness in another service (docs/decisions/0031-audit.md).

        Raises:
            StoreUnavailable: a retry helps, and repeats nothing in the archive.
        """
        chosen = {entry.event_id: entry for entry in entries}
        ordered = sorted(chosen.values(), key=lambda entry: (entry.at_ms, entry.event_id))
        if not ordered:
            return
        content = "".join(f"{_json(entry.document())}\n" for entry in ordered).encode()
        day = datetime.fromtimestamp(ordered[0].at_ms / 1_000, UTC).strftime("%Y/%m/%d")
        key = f"{ARCHIVE_PREFIX}{day}/{_name(ordered)}.jsonl"
        self.archive.put(key, content)
        evidence = {"object": key, "object_sha256": hashlib.sha256(content).hexdigest()}
        self.trail.append(day, [(entry.at_ms, _json(entry.document() | evidence)) for entry in ordered])


def _name(entries: Sequence[AuditEntry]) -> str:
    return hashlib.sha256("\n".join(entry.event_id for entry in entries).encode()).hexdigest()


def _json(document: dict[str, str]) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
