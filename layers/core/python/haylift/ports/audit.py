"""What keeping audit records needs from the world."""

from collections.abc import Sequence
from typing import Protocol


class AuditArchive(Protocol):
    """Holds audit objects that nobody changes. Raises `StoreUnavailable`."""

    def put(self, key: str, content: bytes) -> None:
        """Keeps `content` under `key`; what is there already stays as it is."""


class AuditTrail(Protocol):
    """Shows audit records to people, by time. Raises `StoreUnavailable`."""

    def append(self, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """Adds lines with their times, epoch milliseconds, oldest first; delivered at least once."""
