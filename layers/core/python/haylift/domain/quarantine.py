"""Where rejected files are set aside: `quarantine/<tenant>/<path>`, with the reason beside."""

from dataclasses import dataclass

from haylift.domain.documents import MAX_KEY_BYTES, DocumentKey

QUARANTINE_PREFIX = "quarantine/"
REASON_SUFFIX = ".reason.json"

_ESCAPE = ".document"
_MARK = "~"


@dataclass(frozen=True, kw_only=True)
class QuarantineKeys:
    """The two objects of one document: its bytes at `copy`, why it was rejected at `reason`.

    No two documents share one, whatever their paths are: the copy of a file that is itself named
    `x.reason.json` does not take the place of what is said about `x`.
    """

    copy: str
    reason: str

    @classmethod
    def of(cls, key: DocumentKey) -> "QuarantineKeys":
        """The keys of a document; a path too long for S3 with our words around it ends in its id.

        >>> QuarantineKeys.of(DocumentKey("acme", "a/b.pdf")).reason
        'quarantine/acme/a/b.pdf.reason.json'
        """
        copy = f"{QUARANTINE_PREFIX}{key.tenant}/{_place(key)}"
        return cls(copy=copy, reason=f"{copy}{REASON_SUFFIX}")


def _place(key: DocumentKey) -> str:
    """The path, unless it could be read as a reason's or leaves no room for one."""
    path = key.path
    stem = path
    while stem.endswith(_ESCAPE):
        stem = stem.removesuffix(_ESCAPE)
    if stem.endswith(REASON_SUFFIX):
        path += _ESCAPE
    room = MAX_KEY_BYTES - len(f"{QUARANTINE_PREFIX}{key.tenant}/{REASON_SUFFIX}".encode())
    if len(path.encode()) < room:
        return path
    # Exactly `room` bytes, which no path that is kept whole has.
    start = path.encode()[: room - len(key.document_id) - 1].decode(errors="ignore")
    marks = _MARK * (room - len(start.encode()) - len(key.document_id))
    return f"{start}{marks}{key.document_id}"
