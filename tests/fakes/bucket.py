"""A versioned bucket in memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from haylift.domain.documents import ObjectVersion
from haylift.ports.ingestion import UploadForm

from tests.fakes.quarantine import MemoryQuarantine

BUCKET = "uploads"


@dataclass(frozen=True)
class StoredVersion:
    """One version of an object; `data` None is a delete marker."""

    version_id: str
    data: bytes | None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass
class MemoryBucket(MemoryQuarantine):
    """A versioned bucket (`Objects`) that says what happened as EventBridge does."""

    versions: dict[str, list[StoredVersion]] = field(default_factory=dict)
    bodies: list[str] = field(default_factory=list)
    count: int = 0

    def put(self, key: str, data: bytes, **metadata: str) -> str:
        version_id = self._add(key, data, metadata)
        self._tell("Object Created", key, {"version-id": version_id})
        return version_id

    def delete(self, key: str) -> str:
        version_id = self._add(key, None, {})
        self._tell("Object Deleted", key, {"version-id": version_id}, deletion_type="Delete Marker Created")
        return version_id

    def expire(self, key: str, version_id: str) -> None:
        """What a lifecycle rule or a call with a version id does; says nothing about the object."""
        self.versions[key] = [kept for kept in self.versions[key] if kept.version_id != version_id]
        self._tell("Object Deleted", key, {"version-id": version_id}, deletion_type="Permanently Deleted")

    def current(self, key: str) -> StoredVersion | None:
        stored = self.versions.get(key)
        return stored[-1] if stored and stored[-1].data is not None else None

    def head(self, key: str, version_id: str | None = None) -> ObjectVersion | None:
        stored = self._find(key, version_id) if version_id else self.current(key)
        if stored is None or stored.data is None:
            return None
        return ObjectVersion(
            version_id=stored.version_id,
            etag=str(hash(stored.data)),
            size_bytes=len(stored.data),
            metadata=dict(stored.metadata),
        )

    def download(self, key: str, version_id: str, target: Path) -> ObjectVersion | None:
        stored = self._find(key, version_id)
        if stored is None or stored.data is None:
            return None
        target.write_bytes(stored.data)
        return self.head(key, version_id)

    def bytes_of(self, key: str, version_id: str) -> bytes | None:
        stored = self._find(key, version_id)
        return stored.data if stored else None

    def upload_form(
        self,
        key: str,
        *,
        max_bytes: int,
        expires_s: int,
        content_type: str = "",
        metadata: Mapping[str, str] = MappingProxyType({}),
    ) -> UploadForm:
        return UploadForm(url="http://127.0.0.1", fields={}, expires_s=expires_s, max_bytes=max_bytes)

    def download_url(self, key: str, version_id: str, *, expires_s: int) -> str:
        return f"http://127.0.0.1/{key}?versionId={version_id}"

    def _find(self, key: str, version_id: str) -> StoredVersion | None:
        stored = self.versions.get(key, ())
        return next((each for each in stored if each.version_id == version_id), None)

    def _add(self, key: str, data: bytes | None, metadata: Mapping[str, str]) -> str:
        self.count += 1
        version_id = f"version-{self.count}"
        self.versions.setdefault(key, []).append(StoredVersion(version_id, data, metadata))
        return version_id

    def _tell(self, detail_type: str, key: str, place: Mapping[str, str], *, deletion_type: str = "") -> None:
        self.count += 1
        detail = {
            "bucket": {"name": BUCKET},
            "object": {"key": key, "sequencer": f"{self.count:016X}", **place},
        }
        if deletion_type:
            detail["deletion-type"] = deletion_type  # type: ignore[assignment]  # beside two objects a text
        self.bodies.append(json.dumps({"source": "aws.s3", "detail-type": detail_type, "detail": detail}))
