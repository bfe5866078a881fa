"""A quarantine in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from haylift.domain.documents import DocumentKey, ObjectVersion
from haylift.domain.quarantine import QuarantineKeys
from haylift.ports.quarantine import SetAside


@dataclass
class MemoryQuarantine:
    """`Quarantine`: the versions of each key, oldest first; None is a delete marker."""

    aside: dict[str, list[tuple[str, object]]] = field(default_factory=dict)

    def set_aside(
        self, key: DocumentKey, version: ObjectVersion, reason: Mapping[str, str | int]
    ) -> SetAside:
        keys = QuarantineKeys.of(key)
        data = self.bytes_of(key.object_key, version.version_id)
        written = [self._write(keys.copy, data)] if data is not None else []
        return SetAside(objects=(*written, self._write(keys.reason, dict(reason))))

    def take_back(self, written: SetAside) -> None:
        for name, version_id in written.objects:
            self.aside[name] = [kept for kept in self.aside[name] if kept[0] != version_id]

    def release(self, key: DocumentKey) -> None:
        keys = QuarantineKeys.of(key)
        for name in (keys.copy, keys.reason):
            self._write(name, None)

    def seen_aside(self) -> dict[str, object]:
        """What lies in the quarantine now, by key."""
        current = {name: versions[-1][1] for name, versions in self.aside.items() if versions}
        return {name: value for name, value in current.items() if value is not None}

    def bytes_of(self, key: str, version_id: str) -> bytes | None:
        """The bytes of an uploaded version; None when it is gone."""
        raise NotImplementedError

    def _write(self, name: str, value: object) -> tuple[str, str]:
        versions = self.aside.setdefault(name, [])
        version_id = f"{name}-{len(versions)}"
        while any(version_id == known for known, _ in versions):
            version_id += "+"
        versions.append((version_id, value))
        return name, version_id
