"""A tenant's documents as its users see and change them."""

import re
import unicodedata
from dataclasses import dataclass

from haylift.domain.documents import (
    MAX_KEY_BYTES,
    DocumentKey,
    DocumentRecord,
)
from haylift.domain.errors import InvalidInput, NotAllowed, NotFound
from haylift.domain.identity import Principal
from haylift.domain.listing import DocumentFilter
from haylift.domain.metadata import (
    MAX_SIDECAR_BYTES,
    NOTHING_SAID,
    UploadMetadata,
    are_group_names,
    document_of_sidecar,
    groups_metadata,
    is_sidecar,
)
from haylift.domain.receipts import NOTHING_SEEN, Receipt, ReceiptState
from haylift.ports.ingestion import EVERY_DOCUMENT, DocumentPage, Ledger, Objects, UploadForm
from haylift.services.erasure import ErasureService
from haylift.tracing import Hop, hop, tally

MAX_PAGE_READS = 10
"""A page hides what the caller may not see; after this many ledger reads it is returned short."""

MAX_CONTENT_TYPE_CHARS = 100

_DOCUMENT_ID = re.compile(r"[a-z2-7]{26}")
_RECEIPT_ID = re.compile(r"[0-9a-f]{32}")
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+(; ?charset=[A-Za-z0-9-]+)?")
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: control characters, lone surrogates, line and paragraph separators."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Where to send a file: `form` is a presigned POST for exactly `key`."""

    key: DocumentKey
    form: UploadForm


@dataclass(frozen=True, kw_only=True)
class DocumentsService:
    """Lists, shows, takes in and removes documents of the caller's tenant.

    A document of another tenant, one that the caller's groups may not see and one that does not exist
    are all the same `NotFound` (`document_not_found`). All methods raise `StoreUnavailable`.

    Args:
        upload_max_bytes: S3 refuses larger files.
        upload_expires_s, download_expires_s: lifetimes of presigned requests.
    """

    ledger: Ledger
    objects: Objects
    erasure: ErasureService
    upload_max_bytes: int
    upload_expires_s: int
    download_expires_s: int

    def list(
        self,
        principal: Principal,
        *,
        limit: int,
        cursor: str | None = None,
        wanted: DocumentFilter = EVERY_DOCUMENT,
    ) -> DocumentPage:
        """Up to `limit` documents, newest change first; deleted ones only when `wanted` asks for them.

        Raises:
            InvalidInput: `invalid_cursor`.
        """
        visible: list[DocumentRecord] = []
        with hop(Hop.TABLES, table="ledger"):
            for _ in range(MAX_PAGE_READS):
                left = limit - len(visible)
                page = self.ledger.list(principal.tenant, limit=left, cursor=cursor, wanted=wanted)
                tally(reads=1, rows=len(page.documents))
                visible += [record for record in page.documents if self._may_see(record, principal)]
                cursor = page.cursor
                if cursor is None or len(visible) >= limit:
                    break
        return DocumentPage(documents=tuple(visible), cursor=cursor)

    def get(self, principal: Principal, document_id: str) -> DocumentRecord:
        """One document, deleted ones included. Raises `NotFound`."""
        well_formed = _DOCUMENT_ID.fullmatch(document_id) is not None
        record = self._row(principal.tenant, document_id) if well_formed else None
        if record is None or not self._may_see(record, principal):
            raise NotFound("There is no such document.", code="document_not_found")
        return record

    def download_url(self, record: DocumentRecord) -> str | None:
        """A short-lived address of the version that readers see; None when they see none.

        Never of a version that is only claimed: its access groups are not read yet.
        """
        version_id = record.live_version_id
        if not record.live_revision or not version_id:
            return None
        return self.objects.download_url(record.key, version_id, expires_s=self.download_expires_s)

    def upload(
        self,
        principal: Principal,
        path: str,
        *,
        content_type: str = "",
        access_groups: frozenset[str] | None = None,
        said: UploadMetadata = NOTHING_SAID,
    ) -> Upload:
        """A form for sending one file to `documents/<tenant>/<path>`; a file there is replaced.

        `access_groups` None: those of the file that is replaced, so that an update opens nothing. The
        metadata file of a document (`<file>.metadata.json`) may be sent by whoever may replace the document.

        Raises:
            InvalidInput: `invalid_path`, `invalid_content_type`, `invalid_access_groups`,
                `invalid_metadata`.
            NotAllowed: `path_not_allowed`, a document that the caller may not see lies there.
        """
        key = document_key(principal.tenant, path)
        _check_content_type(content_type)
        _check_groups(access_groups, principal)
        document = document_of_sidecar(key) if is_sidecar(key) else key
        if document is None:
            raise _invalid_path("A metadata file is named <file>.metadata.json.")
        existing = self._row(principal.tenant, document.document_id)
        if existing is not None and not self._may_see(existing, principal):
            raise NotAllowed("This path is not yours to write: choose another.", code="path_not_allowed")
        groups = existing.claimed_groups if existing and access_groups is None else access_groups
        form = self.objects.upload_form(
            key.object_key,
            max_bytes=MAX_SIDECAR_BYTES if is_sidecar(key) else self.upload_max_bytes,
            expires_s=self.upload_expires_s,
            content_type=content_type,
            metadata={} if is_sidecar(key) else groups_metadata(groups) | said.headers(),
        )
        return Upload(key=key, form=form)

    def delete(self, principal: Principal, document_id: str, *, purge: bool = False) -> ReceiptState:
        """Puts a delete marker on the document's object; its event removes the document from search.

        Deleting twice is no error, and each time gives a receipt of its own.

        Args:
            purge: remove all versions of the file too, and whatever was made of it.

        Raises:
            NotFound: `document_not_found`.
            LegalHold: `purge` was asked and a version must be kept; nothing was done.
        """
        record = self.get(principal, document_id)
        with hop(Hop.OBJECTS, action="purge" if purge else "delete"):
            receipt = self.erasure.begin(record, purge=purge, requested_by=principal.subject)
        return ReceiptState(receipt=receipt, checks=NOTHING_SEEN, uploaded_again=False)

    def receipt(self, principal: Principal, receipt_id: str) -> ReceiptState:
        """How a deletion stands; looks at everything that is not yet known to be gone.

        Raises:
            NotFound: `receipt_not_found`, also for those of documents that the caller could not see.
        """
        is_well_formed = _RECEIPT_ID.fullmatch(receipt_id) is not None
        receipt = self.erasure.receipts.get(principal.tenant, receipt_id) if is_well_formed else None
        if receipt is None or not _may_see(receipt, principal):
            raise NotFound("There is no such receipt.", code="receipt_not_found")
        with hop(Hop.OBJECTS, action="verify"):
            return self.erasure.look(receipt)

    def _row(self, tenant: str, document_id: str) -> DocumentRecord | None:
        with hop(Hop.TABLES, table="ledger"):
            return self.ledger.get(tenant, document_id)

    def _may_see(self, record: DocumentRecord, principal: Principal) -> bool:
        """In the groups of what was read and of what waits: neither may be shown to others."""
        return _may_see(record, principal)


def _may_see(record: DocumentRecord | Receipt, principal: Principal) -> bool:
    return all(
        not groups or bool(groups & principal.groups)
        for groups in (record.access_groups, record.claimed_groups)
    )


def document_key(tenant: str, path: str) -> DocumentKey:
    """The key of a path that a user chose.

    Raises:
        InvalidInput: `invalid_path`.

    >>> document_key("acme", "bulk/2026/report.pdf").object_key
    'documents/acme/bulk/2026/report.pdf'
    """
    if any(unicodedata.category(character) in _UNPRINTABLE for character in path):
        raise _invalid_path("A path has no control characters.")
    if any(segment in {"", ".", ".."} for segment in path.split("/")):
        raise _invalid_path("A path has no leading, trailing or double slash and no `.` or `..` as a part.")
    if "${" in path:
        # S3 would put the name of the sent file there, so the form would not be for one key.
        raise _invalid_path("A path does not contain `${`.")
    key = DocumentKey(tenant, path)
    if len(key.object_key.encode()) > MAX_KEY_BYTES:
        raise _invalid_path(f"documents/<tenant>/<path> has at most {MAX_KEY_BYTES} bytes in UTF-8.")
    return key


def _check_content_type(content_type: str) -> None:
    if content_type and (
        len(content_type) > MAX_CONTENT_TYPE_CHARS or not _CONTENT_TYPE.fullmatch(content_type)
    ):
        raise InvalidInput(
            "A content type reads like `text/html` or `text/plain; charset=utf-8`.",
            code="invalid_content_type",
            where="content_type",
        )


def _check_groups(groups: frozenset[str] | None, principal: Principal) -> None:
    if groups and not (are_group_names(groups) and groups & principal.groups):
        raise InvalidInput(
            "Name at most 100 access groups, one of your own among them.",
            code="invalid_access_groups",
            where="access_groups",
        )


def _invalid_path(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="invalid_path", where="path")
