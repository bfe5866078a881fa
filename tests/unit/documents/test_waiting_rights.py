"""Who sees a restricted document before it is indexed, and whom an update leaves it to."""

import pytest
from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.domain.errors import InvalidInput, NotFound
from haylift.domain.identity import Principal
from haylift.services.documents import DocumentsService

from tests.unit.documents.shelf import ADA, record, service

WAITING = record(
    "board.md", state=DocumentState.RECEIVED, live_revision=0, claimed_groups=frozenset({"board"})
)
TIGHTENED = record("board.md", state=DocumentState.INDEXING, claimed_groups=frozenset({"board"}))
OPENED = record("board.md", state=DocumentState.INDEXING, access_groups=frozenset({"board"}))


def stays_hidden(kind: type[DocumentsService], row: DocumentRecord) -> None:
    documents = service(row, kind=kind)

    assert documents.list(ADA, limit=10).documents == ()
    for act in (documents.get, documents.delete):
        with pytest.raises(NotFound):
            act(ADA, row.document_id)
    assert documents.objects.deleted == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("row", [WAITING, TIGHTENED, OPENED], ids=["waiting", "tightened", "opened"])
def test_a_document_that_waits_is_seen_by_its_groups_only(row: DocumentRecord) -> None:
    stays_hidden(DocumentsService, row)


class _LooksAtWhatIsLive(DocumentsService):
    def _may_see(self, record: DocumentRecord, principal: Principal) -> bool:
        return not record.access_groups or bool(record.access_groups & principal.groups)


@pytest.mark.parametrize("row", [WAITING, TIGHTENED], ids=["waiting", "tightened"])
def test_rights_of_the_live_version_alone_fail_the_same_check(row: DocumentRecord) -> None:
    with pytest.raises(AssertionError):
        stays_hidden(_LooksAtWhatIsLive, row)


def test_an_update_keeps_the_groups_of_the_file() -> None:
    restricted = record("team.md", claimed_groups=frozenset({"staff", "board"}))

    kept = service(restricted).upload(ADA, "team.md").form.fields
    changed = service(restricted).upload(ADA, "team.md", access_groups=frozenset({"staff"})).form.fields
    opened = service(restricted).upload(ADA, "team.md", access_groups=frozenset()).form.fields

    assert kept["x-amz-meta-access-groups"] == "board,staff"
    assert changed["x-amz-meta-access-groups"] == "staff"
    assert "x-amz-meta-access-groups" not in opened


@pytest.mark.parametrize("groups", [{"board"}, {"staff", "a,b"}, {"staff", ""}, {"staff", "a\nb"}])
def test_groups_that_lock_the_uploader_out_or_cannot_be_read_are_refused(groups: set[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        service().upload(ADA, "a.md", access_groups=frozenset(groups))

    assert refusal.value.code == "invalid_access_groups"
