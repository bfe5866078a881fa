"""Tags and an event bus in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from haylift.domain.documents import DocumentRecord
from haylift.ports.announcements import ChangeEvents, ObjectTags


def _nothing(_step: str) -> None:
    """Lets every call pass."""


@dataclass
class MemoryTags(ObjectTags):
    """Tags by version; `meanwhile` is called with a step's name before it takes effect, and may raise."""

    by_version: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    meanwhile: Callable[[str], None] = _nothing

    def tags(self, key: str, version_id: str) -> Mapping[str, str] | None:
        self.meanwhile("tags")
        return None if version_id in self.gone else dict(self.by_version.get((key, version_id), {}))

    def put_tags(self, key: str, version_id: str, tags: Mapping[str, str]) -> bool:
        self.meanwhile("put_tags")
        if version_id in self.gone:
            return False
        self.by_version[key, version_id] = dict(tags)
        self.meanwhile("tagged")
        return True


@dataclass
class MemoryChanges(ChangeEvents):
    """Keeps the records that were told; `meanwhile` as in `MemoryTags`."""

    told: list[DocumentRecord] = field(default_factory=list)
    meanwhile: Callable[[str], None] = _nothing

    def publish(self, record: DocumentRecord) -> None:
        self.meanwhile("publish")
        self.told.append(record)
