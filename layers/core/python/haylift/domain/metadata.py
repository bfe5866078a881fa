"""What an uploader says about a document beside its bytes.

Three places, and of each field the first that says it counts: the file `<file>.metadata.json` beside the
document, the object's `x-amz-meta-*` headers, the object's tags.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from haylift.domain.chunks import MetaValue
from haylift.domain.documents import DocumentKey
from haylift.domain.errors import DocumentRejected, InvalidInput
from haylift.domain.metadata_fields import Attributes, attributes_of, is_text_list

MAX_TITLE_CHARS = 300
MAX_GROUPS = 100
MAX_GROUP_CHARS = 128
MAX_LANGUAGE_CHARS = 35
"""RFC 5646: a buffer for language tags should hold 35 characters."""

SIDECAR_SUFFIX = ".metadata.json"
MAX_SIDECAR_BYTES = 65_536
SIDECAR_FIELDS = frozenset({"title", "language", "access_groups", "expires_at", "attributes"})
"""An unknown field is a fault: a misspelt `access_groups` would show the document to everybody."""


@dataclass(frozen=True, kw_only=True)
class DocumentMetadata:
    """What counts of what was said; empty where nothing was.

    Args:
        title: shown instead of the file's own.
        language: a BCP 47 tag, becomes the meta field `language`.
        access_groups: who may read it; empty: everybody in the tenant.
        expires_at: when it shall be deleted, epoch seconds; 0: never.
        attributes: further meta fields, for filters.
    """

    title: str = ""
    language: str = ""
    access_groups: frozenset[str] = frozenset()
    expires_at: int = 0
    attributes: Mapping[str, MetaValue] = field(default_factory=dict)

    @classmethod
    def of_object(cls, metadata: Mapping[str, str]) -> "DocumentMetadata":
        """Reads the headers alone: `access-groups` (separated by commas), `title`, `language`, `expires-at`.

        Raises:
            DocumentRejected: `invalid_metadata` for groups that cannot be read: taking them for none
                would show the document to everybody.

        >>> sorted(DocumentMetadata.of_object({"access-groups": "hr, legal"}).access_groups)
        ['hr', 'legal']
        """
        return merged(said_by_headers(metadata))

    def canonical(self) -> str:
        """The same text for the same chunks, for digests; the expiry changes nothing in the index."""
        said: list[object] = [self.title, self.language, sorted(self.access_groups)]
        if self.attributes:
            said.append(dict(sorted(self.attributes.items())))
        return json.dumps(said)


@dataclass(frozen=True, kw_only=True)
class UploadMetadata:
    """What an uploader through the API says; empty where nothing. `expires_at` as in the header."""

    title: str = ""
    language: str = ""
    expires_at: str = ""

    def headers(self) -> dict[str, str]:
        """The object's metadata, without what was not said.

        Raises:
            InvalidInput: `invalid_metadata` for a text that the system would cut, or a time it cannot read.
        """
        is_whole = _line(self.title)[:MAX_TITLE_CHARS] == self.title
        if not is_whole or _line(self.language)[:MAX_LANGUAGE_CHARS] != self.language:
            raise InvalidInput(
                "A title has one line of at most 300 characters, a language at most 35.",
                code="invalid_metadata",
                where="title" if not is_whole else "language",
            )
        try:
            _moment(self.expires_at)
        except DocumentRejected as fault:
            raise InvalidInput(fault.detail, code="invalid_metadata", where="expires_at") from None
        said = {"title": self.title, "language": self.language, "expires-at": self.expires_at}
        return {name: text for name, text in said.items() if text}


NOTHING_SAID = UploadMetadata()


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one place says; None: nothing about it, so that the next place counts."""

    title: str | None = None
    language: str | None = None
    access_groups: frozenset[str] | None = None
    expires_at: int | None = None
    attributes: Attributes = field(default_factory=dict)


def merged(*places: Said) -> DocumentMetadata:
    """What counts, the places in their order; attributes by name.

    >>> merged(Said(title="Plan"), Said(title="plan.md", language="de"))
    DocumentMetadata(title='Plan', language='de', access_groups=frozenset(), expires_at=0, attributes={})
    """
    attributes: dict[str, MetaValue] = {}
    for place in reversed(places):
        attributes |= place.attributes
    groups = next((place.access_groups for place in places if place.access_groups is not None), frozenset())
    return DocumentMetadata(
        title=next((place.title for place in places if place.title is not None), ""),
        language=next((place.language for place in places if place.language is not None), ""),
        access_groups=groups,
        expires_at=next((place.expires_at for place in places if place.expires_at is not None), 0),
        attributes=attributes,
    )


def said_by_headers(metadata: Mapping[str, str], *, separator: str | None = ",") -> Said:
    """Reads `title`, `language`, `access-groups` and `expires-at`; other names are the uploader's own.

    Raises:
        DocumentRejected: `invalid_metadata`.
    """
    title, language = metadata.get("title"), metadata.get("language")
    return Said(
        title=None if title is None else _line(title)[:MAX_TITLE_CHARS],
        language=None if language is None else _line(language)[:MAX_LANGUAGE_CHARS],
        access_groups=_groups(metadata["access-groups"], separator) if "access-groups" in metadata else None,
        expires_at=_moment(metadata["expires-at"]) if "expires-at" in metadata else None,
    )


def said_by_tags(tags: Mapping[str, str]) -> Said:
    """As the headers; groups are separated by spaces, since S3 allows no comma in a tag."""
    return said_by_headers(tags, separator=None)


def said_by_sidecar(data: bytes) -> Said:
    """Reads a sidecar: a JSON object of `SIDECAR_FIELDS`, all of them optional.

    Raises:
        DocumentRejected: `invalid_metadata` for anything else: what cannot be read must not be ignored.
    """
    try:
        said = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise _refused("The sidecar is no JSON in UTF-8.") from None
    if len(data) > MAX_SIDECAR_BYTES or not isinstance(said, dict) or said.keys() - SIDECAR_FIELDS:
        raise _refused(f"A sidecar is an object with {', '.join(sorted(SIDECAR_FIELDS))}, at most 64 KiB.")
    title, language, expires_at = (said.get(name) for name in ("title", "language", "expires_at"))
    if not all(text is None or isinstance(text, str) for text in (title, language, expires_at)):
        raise _refused("A sidecar's title, language and expires_at are texts.")
    groups = said.get("access_groups")
    if groups is not None and not (is_text_list(groups) and are_group_names(groups)):
        raise _refused("A sidecar's access_groups is a list of at most 100 group names.")
    return Said(
        title=None if title is None else _line(title)[:MAX_TITLE_CHARS],
        language=None if language is None else _line(language)[:MAX_LANGUAGE_CHARS],
        access_groups=None if groups is None else frozenset(groups),
        expires_at=None if expires_at is None else _moment(expires_at),
        attributes=attributes_of(said.get("attributes") or {}),
    )


def sidecar_key(key: DocumentKey) -> DocumentKey:
    """Where the document's sidecar lies.

    >>> sidecar_key(DocumentKey("acme", "a.md")).path
    'a.md.metadata.json'
    """
    return DocumentKey(key.tenant, key.path + SIDECAR_SUFFIX)


def is_sidecar(key: DocumentKey) -> bool:
    """Says whether the object is a sidecar and so no document."""
    return key.path.endswith(SIDECAR_SUFFIX)


def document_of_sidecar(key: DocumentKey) -> DocumentKey | None:
    """The document that a sidecar is about; None: it has no name before the ending, or is a sidecar itself.

    >>> document_of_sidecar(DocumentKey("acme", "a/.metadata.json")) is None
    True
    """
    path = key.path.removesuffix(SIDECAR_SUFFIX)
    document = DocumentKey(key.tenant, path)
    return None if not path or path.endswith("/") or is_sidecar(document) else document


def are_group_names(names: Collection[str]) -> bool:
    """Says whether `names` may stand in `access-groups`: at most 100, printable, without commas."""
    return len(names) <= MAX_GROUPS and all(
        1 <= len(name) <= MAX_GROUP_CHARS and name.isprintable() and "," not in name for name in names
    )


def groups_metadata(groups: frozenset[str] | None) -> dict[str, str]:
    """The object metadata that `DocumentMetadata.of_object` reads as `groups`; none for everybody."""
    return {"access-groups": ",".join(sorted(groups))} if groups else {}


def _groups(text: str, separator: str | None) -> frozenset[str]:
    if not text.strip():
        return frozenset()
    names = [name.strip() for name in text.split(separator)]
    if not are_group_names(names):
        raise _refused("Access groups are a list of group names, separated by commas.")
    return frozenset(names)


def _moment(text: str) -> int:
    """Epoch seconds of an ISO 8601 date or time; UTC where it names no zone. An empty text: never.

    >>> _moment("2027-01-01"), _moment("2027-01-01T01:00:00+01:00"), _moment("")
    (1798761600, 1798761600, 0)
    """
    if not text.strip():
        return 0
    try:
        moment = datetime.fromisoformat(text.strip())
        return max(1, int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))
    except (ValueError, OverflowError):
        raise _refused("An expiry is a date or time like 2027-12-31 or 2027-12-31T18:00:00Z.") from None


def _refused(detail: str) -> DocumentRejected:
    return DocumentRejected(detail, reason="invalid_metadata")


def _line(text: str) -> str:
    """One line of printable characters."""
    spaced = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(spaced.split())
