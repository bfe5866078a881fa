"""Which documents a caller sees, and what may be done with them."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState
from haylift.domain.errors import InvalidInput, NotAllowed, NotFound
from haylift.domain.identity import Principal
from haylift.domain.listing import DocumentFilter
from haylift.services.documents import DocumentsService, document_key
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.documents.shelf import ADA, record, service


def all_pages(documents: DocumentsService, caller: Principal, limit: int) -> list[DocumentRecord]:
    seen: list[DocumentRecord] = []
    cursor: str | None = None
    for _ in range(200):
        page = documents.list(caller, limit=limit, cursor=cursor)
        assert len(page.documents) <= limit
        seen += page.documents
        cursor = page.cursor
        if cursor is None:
            return seen
    raise AssertionError("the pages have no end")


def shows_only_what_groups_may_see(
    kind: type[DocumentsService], groups_of_rows: list[frozenset[str]], limit: int
) -> None:
    """The check: all pages together are exactly the visible rows, newest change first."""
    rows = [
        record(f"{number}.md", access_groups=groups, updated_at=1_000.0 + number)
        for number, groups in enumerate(groups_of_rows)
    ]
    others = [record(f"{number}.md", tenant="globex", updated_at=5_000.0) for number in range(3)]

    seen = all_pages(service(*rows, *others, kind=kind), ADA, limit)

    visible = [row for row in rows if not row.access_groups or "staff" in row.access_groups]
    assert seen == visible[::-1]


GROUPS = st.frozensets(st.sampled_from(["staff", "legal", "board"]), max_size=2)


@settings(max_examples=150, deadline=None)
@given(st.lists(GROUPS, max_size=30), st.integers(1, 7))
@example([frozenset({"legal"})] * 25 + [frozenset()], 1)
def test_pages_show_only_what_groups_may_see(groups: list[frozenset[str]], limit: int) -> None:
    shows_only_what_groups_may_see(DocumentsService, groups, limit)


class _ShowsAll(DocumentsService):
    def list(self, principal, **query):  # type: ignore[no-untyped-def]
        return self.ledger.list(principal.tenant, **query)


class _DropsWhatIsOver(DocumentsService):
    """Reads full pages and cuts the visible ones: documents between two pages are lost."""

    def list(self, principal, *, limit, cursor=None, wanted=None):  # type: ignore[no-untyped-def]
        page = self.ledger.list(principal.tenant, limit=limit * 2, cursor=cursor)
        return replace(page, documents=page.documents[:limit])


@pytest.mark.parametrize(
    ("broken", "groups"),
    [(_ShowsAll, [frozenset({"legal"})]), (_DropsWhatIsOver, [frozenset[str]()] * 4)],
)
def test_a_list_that_shows_or_loses_rows_fails_the_same_check(
    broken: type[DocumentsService], groups: list[frozenset[str]]
) -> None:
    with pytest.raises(AssertionError):
        shows_only_what_groups_may_see(broken, groups, 2)


def test_deleted_documents_are_listed_when_asked_for() -> None:
    documents = service(record("a.md"), record("b.md", state=DocumentState.DELETED))

    assert [row.key for row in documents.list(ADA, limit=10).documents] == ["documents/acme/a.md"]
    deleted = DocumentFilter(state=DocumentState.DELETED)
    assert [row.key for row in documents.list(ADA, limit=10, wanted=deleted).documents] == [
        "documents/acme/b.md"
    ]


FOREIGN = record("plan.md", tenant="globex")
RESTRICTED = record("board.md", access_groups=frozenset({"board"}))
HIDDEN_IDS = {
    "another tenant's": FOREIGN.document_id,
    "a restricted one": RESTRICTED.document_id,
    "unknown": "a" * 26,
    "empty": "",
    "too short": "a" * 25,
    "in capitals": FOREIGN.document_id.upper(),
    "a path": "../" + FOREIGN.document_id,
    "a wildcard": "*",
    "a key": FOREIGN.key,
    "a null": "a" * 25 + "\0",
    "very long": "a" * 10_000,
}
ACTIONS: dict[str, Callable[[DocumentsService, str], object]] = {
    "get": lambda documents, document_id: documents.get(ADA, document_id),
    "delete": lambda documents, document_id: documents.delete(ADA, document_id),
}


def hides(kind: type[DocumentsService], action: str, name: str) -> None:
    documents = service(record(), FOREIGN, RESTRICTED, kind=kind)

    with pytest.raises(NotFound) as refusal:
        ACTIONS[action](documents, HIDDEN_IDS[name])

    assert (refusal.value.code, refusal.value.detail) == ("document_not_found", "There is no such document.")
    assert documents.objects.deleted == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", HIDDEN_IDS)
def test_a_document_that_is_not_the_callers_is_not_there(action: str, name: str) -> None:
    hides(DocumentsService, action, name)


class _LooksEverywhere(DocumentsService):
    def get(self, principal: Principal, document_id: str) -> DocumentRecord:
        for (_, row_id), row in self.ledger.rows.items():  # type: ignore[attr-defined]
            if row_id == document_id:
                return row  # type: ignore[no-any-return]
        raise NotFound("There is no such document.", code="document_not_found")


@pytest.mark.parametrize("name", ["another tenant's", "a restricted one"])
def test_a_service_without_the_wall_fails_the_same_check(name: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        hides(_LooksEverywhere, "get", name)


def test_a_malformed_id_costs_no_read() -> None:
    documents = service()

    with pytest.raises(NotFound):
        documents.get(ADA, "*")

    assert documents.ledger.reads == 0  # type: ignore[attr-defined]


def test_a_delete_puts_a_marker_and_can_be_repeated() -> None:
    documents = service(record())

    first = documents.delete(ADA, record().document_id)
    second = documents.delete(ADA, record().document_id)

    assert (first.receipt.marker_version_id, second.receipt.marker_version_id) == ("marker-1", "marker-2")
    assert (first.receipt.revision, first.receipt.was_live, first.is_verified) == (3, True, False)
    assert documents.objects.deleted == ["documents/acme/handbook/start.md"] * 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({}, "https://bucket.test/documents/acme/handbook/start.md?versionId=v3&X-Amz-Expires=300"),
        ({"state": DocumentState.DELETED, "live_revision": 0, "live_version_id": ""}, None),
        ({"state": DocumentState.RECEIVED, "live_revision": 0, "live_version_id": ""}, None),
        (
            {"state": DocumentState.INDEXING, "revision": 4, "version_id": "v4"},
            "https://bucket.test/documents/acme/handbook/start.md?versionId=v3&X-Amz-Expires=300",
        ),
    ],
)
def test_a_document_that_is_there_can_be_downloaded(changes: dict[str, object], url: str | None) -> None:
    assert service().download_url(record(**changes)) == url


def test_an_upload_goes_to_the_callers_tenant() -> None:
    upload = service().upload(ADA, "bulk/2026/report.pdf", content_type="application/pdf")

    assert upload.key.object_key == "documents/acme/bulk/2026/report.pdf"
    assert upload.key.is_bulk
    assert upload.form.fields["key"] == "documents/acme/bulk/2026/report.pdf"
    assert upload.form.fields["Content-Type"] == "application/pdf"
    assert (upload.form.max_bytes, upload.form.expires_s) == (1_000, 900)


def test_a_visible_document_may_be_replaced() -> None:
    assert service(record()).upload(ADA, "handbook/start.md").key.document_id == record().document_id


def test_a_restricted_document_may_not_be_replaced_unseen() -> None:
    documents = service(RESTRICTED)

    with pytest.raises(NotAllowed) as refusal:
        documents.upload(ADA, "board.md")

    assert refusal.value.code == "path_not_allowed"
    assert documents.objects.forms == []  # type: ignore[attr-defined]


BAD_PATHS = [
    "",
    "/",
    "/etc/passwd",
    "..",
    ".",
    "../globex/plan.md",
    "a/../../globex/plan.md",
    "a/..",
    "a/./b.md",
    "a//b.md",
    "a/",
    "a\nb.md",
    "a\x00.md",
    "a\x7f.md",
    "a\x85b.md",
    "a\u2028b.md",
    "\ud800.md",
    "${filename}",
    "a/${filename}.md",
    "x" * 1_024,
    "ä" * 510,
]


def stays_inside(make_key: Callable[[str, str], DocumentKey], path: str) -> None:
    """The check: a bad path is refused with its code."""
    with pytest.raises(InvalidInput) as refusal:
        make_key("acme", path)
    assert (refusal.value.code, refusal.value.where) == ("invalid_path", "path")


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_bad_path_is_refused(path: str) -> None:
    stays_inside(document_key, path)


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_key_made_without_looking_fails_the_same_check(path: str) -> None:
    with pytest.raises(pytest.fail.Exception):
        stays_inside(DocumentKey, path)


@pytest.mark.parametrize(
    "path",
    ["a.md", "bulk/a.md", "a b/c.md", "übung/文書.pdf", "...", "..a", "a..b", ".hidden", "a\\b", "x" * 1_009],
)
def test_a_good_path_is_taken(path: str) -> None:
    assert document_key("acme", path).object_key == f"documents/acme/{path}"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40) | st.text(alphabet="./ab\\%\0", max_size=12))
def test_every_accepted_path_is_one_place_of_the_tenant(path: str) -> None:
    try:
        key = document_key("acme", path)
    except InvalidInput:
        return

    assert key.object_key == f"documents/acme/{path}"
    assert DocumentKey.parse(key.object_key) == key
    assert ".." not in key.path.split("/")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/html", "text/plain; charset=utf-8", "application/vnd.ms-excel", "image/svg+xml"],
)
def test_a_content_type_is_taken(content_type: str) -> None:
    assert service().upload(ADA, "a.md", content_type=content_type).key.path == "a.md"


@pytest.mark.parametrize(
    "content_type",
    ["html", "text/", "/html", "text/html\r\nx: y", "text/html; q=1", "a/" + "b" * 99],
)
def test_a_wrong_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        service().upload(ADA, "a.md", content_type=content_type)

    assert refusal.value.code == "invalid_content_type"
