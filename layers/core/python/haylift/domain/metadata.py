"""What an uploader says about a document beside its bytes."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from haylift.domain.errors import DocumentRejected

MAX_TITLE_CHARS = 300
MAX_GROUPS = 100
MAX_GROUP_CHARS = 128
MAX_LANGUAGE_CHARS = 35
"""RFC 5646: a buffer for language tags should hold 35 characters."""


@dataclass(frozen=True, kw_only=True)
class DocumentMetadata:
    """Read from the object's `x-amz-meta-*` headers; empty where nothing was said.

    Args:
        title: shown instead of the file's own.
        language: a BCP 47 tag, becomes the meta field `language`.
        access_groups: who may read it; empty: everybody in the tenant.
    """

    title: str = ""
    language: str = ""
    access_groups: frozenset[str] = frozenset()

    @classmethod
    def of_object(cls, metadata: Mapping[str, str]) -> "DocumentMetadata":
        """Reads `access-groups` (separated by commas), `title` and `language`.

        Raises:
            DocumentRejected: `invalid_metadata` for groups that cannot be read: taking them for none
                would show the document to everybody.

        >>> sorted(DocumentMetadata.of_object({"access-groups": "hr, legal"}).access_groups)
        ['hr', 'legal']
        """
        return cls(
            title=_line(metadata.get("title", ""))[:MAX_TITLE_CHARS],
            language=_line(metadata.get("language", ""))[:MAX_LANGUAGE_CHARS],
            access_groups=_groups(metadata.get("access-groups", "")),
        )

    def canonical(self) -> str:
        """The same text for the same metadata, for digests."""
        return json.dumps([self.title, self.language, sorted(self.access_groups)])


def are_group_names(names: Collection[str]) -> bool:
    """Says whether `names` may stand in `access-groups`: at most 100, printable, without commas."""
    return len(names) <= MAX_GROUPS and all(
        1 <= len(name) <= MAX_GROUP_CHARS and name.isprintable() and "," not in name for name in names
    )


def groups_metadata(groups: frozenset[str] | None) -> dict[str, str]:
    """The object metadata that `DocumentMetadata.of_object` reads as `groups`; none for everybody."""
    return {"access-groups": ",".join(sorted(groups))} if groups else {}


def _groups(text: str) -> frozenset[str]:
    if not text.strip():
        return frozenset()
    names = [name.strip() for name in text.split(",")]
    if not are_group_names(names):
        raise DocumentRejected(
            "x-amz-meta-access-groups is a list of group names, separated by commas.",
            reason="invalid_metadata",
        )
    return frozenset(names)


def _line(text: str) -> str:
    """One line of printable characters."""
    spaced = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(spaced.split())
