"""What readers may see, who they are, and until when, on every ledger."""

from dataclasses import replace
from typing import Any

import pytest
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.domain.documents import DocumentKey, DocumentState, Lane
from haylift.ports import Ledger
from haylift.ports.ingestion import ClaimTerms

from tests.contract.ledger.events import KEY, event, leased, searchable
from tests.contract.ledger.lost_answers import lose_next_answer
from tests.fakes.identity import ManualClock

STAFF = frozenset({"staff"})


def test_readers_keep_their_version_until_the_next_one_is_live(ledger: Ledger) -> None:
    searchable(ledger)
    first = ledger.get("acme", KEY.document_id)
    assert first is not None

    claimed = ledger.claim(event("02"), "v9", lane=Lane.INTERACTIVE).record
    record = ledger.take_lease("acme", KEY.document_id, claimed.revision, "worker-9", 60)
    ledger.activate(record, live_revision=record.revision)
    second = ledger.get("acme", KEY.document_id)

    assert first.live_version_id == first.version_id != ""
    assert (claimed.version_id, claimed.live_version_id) == ("v9", first.version_id)
    assert second is not None
    assert second.live_version_id == "v9"


def test_a_claim_names_who_may_read_what_waits(ledger: Ledger) -> None:
    staff = frozenset({"staff"})

    restricted = ledger.claim(event("01"), "v1", lane=Lane.INTERACTIVE, groups=staff).record
    deleted = ledger.claim(event("02"), "", lane=Lane.INTERACTIVE).record
    opened = ledger.claim(event("03"), "v3", lane=Lane.INTERACTIVE, groups=frozenset()).record

    assert [row.claimed_groups for row in (restricted, deleted, opened)] == [staff, staff, frozenset()]


def test_readers_of_what_is_live_learn_who_may_read_what_waits(ledger: Ledger) -> None:
    searchable(ledger)
    opened = ledger.live_revisions("acme", [KEY.document_id])

    ledger.claim(event("02"), "v2", lane=Lane.INTERACTIVE, groups=frozenset({"hr", "staff"}))
    tightened = ledger.live_revisions("acme", [KEY.document_id])

    assert opened == tightened == {KEY.document_id: 1}
    assert opened[KEY.document_id].claimed_groups == frozenset()
    assert tightened[KEY.document_id].claimed_groups == {"hr", "staff"}


def test_hiding_a_document_raises_the_content_version(ledger: Ledger) -> None:
    searchable(ledger)
    record = leased(ledger, "02")

    epoch = ledger.activate(record, live_revision=0)

    assert epoch.content_version == 2
    assert ledger.live_revisions("acme", [KEY.document_id]) == {}


def test_live_revisions_answer_for_many_documents_of_one_tenant(ledger: Ledger) -> None:
    asked = [DocumentKey("acme", f"{number}.md").document_id for number in range(205)]
    live = [0, 104, 204]
    for number in live:
        searchable(ledger, key=DocumentKey("acme", f"{number}.md"))
    ledger.claim(event("01", key=DocumentKey("acme", "7.md")), "v1", lane=Lane.INTERACTIVE)
    searchable(ledger, key=DocumentKey("other", "1.md"))

    found = ledger.live_revisions("acme", [*asked, *asked])

    assert found == {asked[number]: 1 for number in live}
    assert ledger.live_revisions("other", asked) == {}


def test_a_claim_that_changes_readers_raises_the_content_version_with_it(ledger: Ledger) -> None:
    searchable(ledger)
    late = ClaimTerms(expires_at=0, seen_revision=1, changes_readers=True)
    claimed = ledger.claim(event("02"), "v2", lane=Lane.INTERACTIVE, groups=STAFF, terms=late)
    again = ledger.claim(event("02"), "v2", lane=Lane.INTERACTIVE, groups=STAFF, terms=late)
    refused = ledger.claim(event("03"), "v3", lane=Lane.INTERACTIVE, groups=frozenset(), terms=late)
    record = ledger.take_lease("acme", KEY.document_id, 2, "worker-2", 150)

    epoch = ledger.activate(record, live_revision=2)

    assert (claimed.is_new, again.is_new, refused.is_new) == (True, False, False)
    assert (claimed.record.revision, claimed.record.claimed_groups) == (2, STAFF)
    assert again.record == claimed.record
    assert refused.record.sequencer == claimed.record.sequencer
    # Once by each activation, and once by the claim.
    assert epoch.content_version == 3


def test_a_claim_that_changes_nobodys_view_leaves_kept_answers_alone(ledger: Ledger) -> None:
    record = searchable(ledger)

    ledger.claim(
        event("02"),
        "v2",
        lane=Lane.INTERACTIVE,
        groups=STAFF,
        terms=ClaimTerms(expires_at=0, seen_revision=1),
    )
    leased_again = ledger.take_lease("acme", KEY.document_id, 2, "worker-2", 150)

    assert ledger.activate(leased_again, live_revision=2).content_version == 2 * record.live_revision


@pytest.mark.parametrize("sooner", [50, 90])
def test_the_earlier_expiry_of_what_is_live_and_what_waits_counts(
    ledger: Ledger, clock: ManualClock, sooner: int
) -> None:
    now = int(clock.now())
    record = leased(ledger)
    ledger.activate(replace(record, expires_at=now + 90), live_revision=1)
    ledger.finish(replace(record, expires_at=now + 90), DocumentState.SEARCHABLE)
    expires_at = now + sooner if sooner < 90 else 0
    ledger.claim(
        event("02"), "", lane=Lane.INTERACTIVE, terms=ClaimTerms(expires_at=expires_at, seen_revision=1)
    )

    clock.advance(sooner - 1)
    before = ledger.live_revisions("acme", [KEY.document_id])
    clock.advance(1)
    after = ledger.live_revisions("acme", [KEY.document_id])

    assert before == {KEY.document_id: 1}
    assert before[KEY.document_id].expires_at == now + sooner
    assert after == {}


def test_the_same_bytes_with_another_expiry_live_as_long_as_it_says(
    ledger: Ledger, clock: ManualClock
) -> None:
    now = int(clock.now())
    record = leased(ledger)
    ledger.activate(replace(record, expires_at=now + 10), live_revision=1)
    ledger.finish(replace(record, expires_at=now + 10), DocumentState.SEARCHABLE)

    again = leased(ledger, "02")
    ledger.finish(replace(again, expires_at=now + 1_000), DocumentState.SEARCHABLE)

    clock.advance(999)
    assert ledger.live_revisions("acme", [KEY.document_id]) == {KEY.document_id: 1}


def test_a_claim_beside_content_whose_answer_was_lost_is_known_as_ones_own(
    dynamodb_ledger: DynamoDbLedger, client: Any
) -> None:
    searchable(dynamodb_ledger)
    lose_next_answer(client, "TransactWriteItems")

    claim = dynamodb_ledger.claim(
        event("02"),
        "v2",
        lane=Lane.INTERACTIVE,
        groups=STAFF,
        terms=ClaimTerms(expires_at=0, seen_revision=1, changes_readers=True),
    )

    assert claim.record.revision == 2
    assert claim.record.claimed_groups == STAFF
    record = dynamodb_ledger.take_lease("acme", KEY.document_id, 2, "worker-2", 150)
    assert dynamodb_ledger.activate(record, live_revision=2).content_version == 3
