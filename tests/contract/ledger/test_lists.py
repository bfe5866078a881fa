"""A list's pages have every document that its filter matches, once, newest change first."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_rows import to_item
from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState
from haylift.domain.listing import DocumentFilter
from haylift.ports.ingestion import DocumentPage
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.contract.ledger.tables import LEDGER, TENANTS

BACKENDS = ("moto",)
TYPES = ("", "text/plain", "application/pdf")
REASONS = ("", "encrypted", "damaged")
PATHS = ("", "a", "a/", "b/ü", "ab")
MOMENTS = st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.25])

records = st.builds(
    lambda tenant, path, number, state, reason, media_type, updated_at: DocumentRecord(
        tenant=tenant,
        document_id=DocumentKey(tenant, f"{path}{number}").document_id,
        key=f"documents/{tenant}/{path}{number}",
        sequencer="01",
        revision=1,
        state=state,
        reason=reason,
        media_type=media_type,
        updated_at=updated_at,
    ),
    st.sampled_from(["acme", "acme", "acme", "globex"]),
    st.sampled_from(PATHS),
    st.integers(0, 30),
    st.sampled_from(DocumentState),
    st.sampled_from(REASONS),
    st.sampled_from(TYPES),
    MOMENTS,
)
shelves = st.lists(
    records, min_size=6, max_size=14, unique_by=lambda record: (record.tenant, record.document_id)
)
# Mostly unset, so that enough rows match for several pages.
filters = st.builds(
    DocumentFilter,
    state=st.sampled_from([None, None, None, *DocumentState]),
    reason=st.sampled_from(["", "", *REASONS]),
    path_prefix=st.sampled_from(["", "", "", *PATHS]),
    media_type=st.sampled_from(["", "", "", *TYPES]),
    changed_since=st.sampled_from([0.0, 0.0, 1.5, 2.0]),
)


def wanted_of(shelf: Iterable[DocumentRecord], wanted: DocumentFilter) -> set[str]:
    """The oracle: every row, asked one question after the other."""
    found = set()
    for row in shelf:
        if row.tenant != "acme" or not row.key.startswith(f"documents/acme/{wanted.path_prefix}"):
            continue
        if row.state is not wanted.state and (wanted.state or row.state is DocumentState.DELETED):
            continue
        if (wanted.reason and row.reason != wanted.reason) or row.updated_at < wanted.changed_since:
            continue
        if not wanted.media_type or row.media_type == wanted.media_type:
            found.add(row.document_id)
    return found


def lists_each_once(ledger: DynamoDbLedger, client: Any, examples: int) -> None:
    """The check, for any rows, filter and size of the pages."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(shelf=shelves, wanted=filters, limit=st.integers(1, 3))
    def check(shelf: list[DocumentRecord], wanted: DocumentFilter, limit: int) -> None:
        for item in client.scan(TableName=LEDGER)["Items"]:
            key = {name: item[name] for name in ("tenant", "document_id")}
            client.delete_item(TableName=LEDGER, Key=key)
        for row in shelf:
            client.put_item(TableName=LEDGER, Item=to_item(row))

        found = _pages(lambda cursor: ledger.list("acme", limit=limit, cursor=cursor, wanted=wanted), limit)

        assert sorted(row.document_id for row in found) == sorted(wanted_of(shelf, wanted))
        assert [row.updated_at for row in found] == sorted((row.updated_at for row in found), reverse=True)

    check()


def _pages(page_at: Callable[[str | None], DocumentPage], limit: int) -> list[DocumentRecord]:
    found: list[DocumentRecord] = []
    cursor = None
    for _ in range(100):
        page = page_at(cursor)
        assert len(page.documents) <= limit
        found += page.documents
        cursor = page.cursor
        if cursor is None:
            return found
    raise AssertionError("the list does not end")


def test_a_list_has_each_document_once(dynamodb_ledger: DynamoDbLedger, client: Any) -> None:
    lists_each_once(dynamodb_ledger, client, examples=40)


class _SkipsAfterEachPage(DynamoDbLedger):
    def list(self, *args: Any, **named: Any) -> DocumentPage:
        named["limit"] += 1
        page = super().list(*args, **named)
        return replace(page, documents=page.documents[: named["limit"] - 1])


class _ForgetsTheReason(DynamoDbLedger):
    def list(self, *args: Any, **named: Any) -> DocumentPage:
        named["wanted"] = replace(named["wanted"], reason="")
        return super().list(*args, **named)


@pytest.mark.parametrize("faulty", [_SkipsAfterEachPage, _ForgetsTheReason])
def test_a_list_that_skips_or_shows_more_fails_the_same_check(
    faulty: type[DynamoDbLedger], client: Any
) -> None:
    with pytest.raises(AssertionError):
        lists_each_once(faulty(LEDGER, TENANTS, client), client, examples=40)
