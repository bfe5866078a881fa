"""What the documents routes answer."""

from haylift.domain.documents import DocumentState
from haylift.http.operations import Answered, AnswerModel, operation
from pydantic import AwareDatetime, Field

TAG = "Documents"
_ID = "mfrggzdfmztwq2lknnwg23tpoa"


class Document(AnswerModel):
    """A document of the caller's tenant."""

    document_id: str = Field(description="26 characters, made from tenant and key.")
    key: str = Field(description="Where its file lies in the bucket: `documents/<tenant>/<path>`.")
    title: str
    state: DocumentState
    reason: str = Field(description="Why it was rejected, machine readable; empty otherwise.")
    stage: str = Field(description="What indexing is at; empty when it is not under way.")
    percent: int = Field(description="How far indexing is.", ge=0, le=100)
    revision: int = Field(description="Raised by every upload and deletion.")
    size_bytes: int
    chunk_count: int
    partial: bool = Field(description="True when a part of the file could not be read.")
    partial_detail: str = Field(description="What is missing and how much, such as `2 pages`.")
    media_type: str
    changed_at: AwareDatetime | None = Field(description="When its file changed, by S3's clock.")
    received_at: AwareDatetime | None
    updated_at: AwareDatetime | None
    searchable_at: AwareDatetime | None
    expires_at: AwareDatetime | None = Field(description="When it will be deleted; null: never.")


class Change(AnswerModel):
    """One change of a document's state."""

    state: DocumentState
    revision: int
    at: AwareDatetime
    reason: str


class DocumentWithAddress(Document):
    """A document, what became of it, and where to get its file."""

    history: list[Change] = Field(description="Its last changes of state, the oldest first.")

    download_url: str | None = Field(
        None, description="Good for some minutes; left out when no version is searchable."
    )


class DocumentList(AnswerModel):
    """One page of documents, newest change first."""

    documents: list[Document]
    cursor: str | None = Field(description="Give it as `cursor` for the next page; null: this was the last.")


class ReceiptChecks(AnswerModel):
    """What was looked at; true: nothing of the document is there; null: not asked for."""

    index: bool
    cache: bool
    ledger: bool
    versions: bool | None = Field(description="Of the file, in the bucket.")
    stored_text: bool | None
    quarantine: bool | None


class Receipt(AnswerModel):
    """A deletion and what is known to be gone."""

    receipt_id: str
    document_id: str
    key: str
    purge: bool
    requested_at: AwareDatetime
    verified: bool = Field(description="True once every check that was asked for has passed.")
    verified_at: AwareDatetime | None
    checks: ReceiptChecks
    uploaded_again: bool = Field(description="A new file is at the key, which this deletion was not about.")


class UploadAddress(AnswerModel):
    """A presigned POST form of S3."""

    url: str
    fields: dict[str, str] = Field(description="Send each as a form field, before the field `file`.")
    expires_s: int = Field(description="How long the form is good, in seconds.")
    max_bytes: int = Field(description="S3 refuses a larger file.")


class UploadAnswer(AnswerModel):
    """Where to send the file."""

    document_id: str
    key: str
    upload: UploadAddress
    curl: str = Field(description="A command that sends the file `FILE`.")


_DOCUMENT = {
    "document_id": _ID,
    "key": "documents/acme/handbook.md",
    "title": "Handbook",
    "state": "SEARCHABLE",
    "reason": "",
    "stage": "",
    "percent": 100,
    "revision": 1,
    "size_bytes": 2_048,
    "chunk_count": 4,
    "partial": False,
    "partial_detail": "",
    "media_type": "text/markdown",
    "changed_at": "2026-01-31T09:59:59.000Z",
    "received_at": "2026-01-31T10:00:00.000Z",
    "updated_at": "2026-01-31T10:00:02.500Z",
    "searchable_at": "2026-01-31T10:00:02.500Z",
    "expires_at": None,
}
_HISTORY = [
    {"state": "RECEIVED", "revision": 1, "at": "2026-01-31T10:00:00.000Z", "reason": ""},
    {"state": "INDEXING", "revision": 1, "at": "2026-01-31T10:00:00.500Z", "reason": ""},
    {"state": "SEARCHABLE", "revision": 1, "at": "2026-01-31T10:00:02.500Z", "reason": ""},
]
_CHECKS = {
    "index": False,
    "cache": False,
    "ledger": False,
    "versions": None,
    "stored_text": None,
    "quarantine": None,
}
_RECEIPT = {
    "receipt_id": "5f0c1b6a9d3e4b27a1c8e2d47f90b6a3",
    "document_id": _ID,
    "key": "documents/acme/handbook.md",
    "purge": False,
    "requested_at": "2026-01-31T11:00:00.000Z",
    "verified": False,
    "verified_at": None,
    "checks": _CHECKS,
    "uploaded_again": False,
}
_UNKNOWN = {404: "`document_not_found`: nothing of that id that the caller may see."}

LIST = operation(
    tag=TAG,
    summary="List documents",
    description=(
        "Documents that the caller may see, newest change first. Deleted ones only with `state=DELETED`. "
        "All filters that are given must hold. "
        "A page may be shorter than `limit`; go on until `cursor` is null."
    ),
    answers={
        200: Answered(
            description="One page.", model=DocumentList, example={"documents": [_DOCUMENT], "cursor": None}
        )
    },
    problems={400: "`invalid_request`, `invalid_cursor`: a parameter is wrong."},
)
UPLOAD = operation(
    tag=TAG,
    summary="Upload a document",
    description=(
        "Gives a form for sending one file straight to the bucket; it is searchable some seconds after it "
        "arrived. A file of the same path is replaced. Paths under `bulk/` wait behind all others."
    ),
    answers={
        201: Answered(
            description="Where to send the file.",
            model=UploadAnswer,
            example={
                "document_id": _ID,
                "key": "documents/acme/handbook.md",
                "upload": {
                    "url": "https://bucket.s3.amazonaws.com/",
                    "fields": {"key": "documents/acme/handbook.md", "policy": "..."},
                    "expires_s": 900,
                    "max_bytes": 52_428_800,
                },
                "curl": "curl --form-string key=documents/acme/handbook.md --form file=@FILE https://...",
            },
        )
    },
    problems={
        400: "`invalid_request`, `invalid_path`, `invalid_content_type`, `invalid_access_groups`, "
        "`invalid_metadata`.",
        403: "`permission_missing`, or `path_not_allowed`: a document that the caller may not see is there.",
    },
    examples={
        "A file in a folder": {"path": "guides/handbook.md", "content_type": "text/markdown"},
        "Just a file": {"filename": "handbook.pdf"},
    },
)
SHOW = operation(
    tag=TAG,
    summary="Look at a document",
    description="One document with its state, and a short-lived address of the version that readers see.",
    answers={
        200: Answered(
            description="The document.",
            model=DocumentWithAddress,
            example=_DOCUMENT
            | {
                "history": _HISTORY,
                "download_url": "https://bucket.s3.amazonaws.com/documents/acme/handbook.md",
            },
        )
    },
    problems=_UNKNOWN,
)
DELETE = operation(
    tag=TAG,
    summary="Delete a document",
    description=(
        "Deletes its file; the document leaves the search some seconds later. Read the receipt to learn when "
        "everything was seen to be gone. With `purge=true` all versions of the file are removed for good, "
        "with its metadata file, stored text and copy in quarantine. Twice is no error."
    ),
    answers={202: Answered(description="The receipt.", model=Receipt, example=_RECEIPT)},
    problems=_UNKNOWN
    | {
        400: "`invalid_request`: `purge` is neither true nor false.",
        409: "`legal_hold`: a version that `purge` would remove is under legal hold or retention.",
    },
)
RECEIPT = operation(
    tag=TAG,
    summary="Look at a deletion",
    description=(
        "Whether anything of a deleted document is left. Each read looks again at what was still there, and "
        "goes on with a purge; once `verified` is true it stays so. Receipts are kept for 90 days."
    ),
    answers={
        200: Answered(
            description="The receipt.",
            model=Receipt,
            example=_RECEIPT
            | {
                "verified": True,
                "verified_at": "2026-01-31T11:00:14.000Z",
                "checks": _CHECKS | {"index": True, "cache": True, "ledger": True},
            },
        )
    },
    problems={404: "`receipt_not_found`: none of that id about a document that the caller could see."},
)
