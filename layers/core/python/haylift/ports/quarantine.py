"""Where rejected files are set aside for people to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from haylift.domain.documents import DocumentKey, ObjectVersion


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """What one call wrote: `(key, version id)` of each object, so that exactly these can be taken back."""

    objects: tuple[tuple[str, str], ...] = ()


class Quarantine(Protocol):
    """Copies of rejected files under `QuarantineKeys`. All methods raise `StoreUnavailable`."""

    def set_aside(
        self, key: DocumentKey, version: ObjectVersion, reason: Mapping[str, str | int]
    ) -> SetAside:
        """Copies that very version inside the bucket and writes the reason beside it; safe to repeat.

        A version that is gone by now, and one too large to copy at once, leave the reason alone; its
        `copied` says so.
        """

    def take_back(self, written: SetAside) -> None:
        """Undoes exactly that, for a worker that learns afterwards that its verdict was void."""

    def release(self, key: DocumentKey) -> None:
        """Removes what is set aside of the document; twice, or when there is nothing, is no error."""
