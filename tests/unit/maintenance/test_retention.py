"""A document whose time is over is deleted the way its user would delete it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from haylift.domain.documents import DocumentKey, DocumentState
from haylift.services.retention import RetentionPlace, RetentionService

from tests.unit.ingestion.world import index_equals_bucket
from tests.unit.maintenance.drift_world import KEYS, DriftWorld

KEY = KEYS[0]


def _expires(drifted: DriftWorld, expires_at: float) -> None:
    row = drifted.world.row(KEY)
    assert row is not None
    drifted.ledger.rows[row.tenant, row.document_id] = replace(row, expires_at=int(expires_at))


def _retain(drifted: DriftWorld) -> int:
    service, place = RetentionService(parts=drifted.parts()), RetentionPlace()
    while (here := service.next_place(place)) is not None:
        place = service.step(here)
    return place.expired


def test_an_expired_document_is_deleted() -> None:
    drifted = DriftWorld()
    _expires(drifted, drifted.world.clock.now())

    assert _retain(drifted) == 1

    drifted.world.settle()
    row = drifted.world.row(KEY)
    assert row is not None
    assert row.state is DocumentState.DELETED
    index_equals_bucket(drifted.world, KEY)
    assert _retain(drifted) == 0


@pytest.mark.parametrize("seconds", [1, 1_000])
def test_before_its_time_it_stays(seconds: int) -> None:
    drifted = DriftWorld()
    _expires(drifted, drifted.world.clock.now() + seconds)

    assert _retain(drifted) == 0


def test_a_newer_version_has_a_date_of_its_own() -> None:
    drifted = DriftWorld()
    _expires(drifted, 1.0)
    drifted.world.bucket.put(KEY, b"newer")

    assert _retain(drifted) == 0
    assert drifted.world.bucket.current(KEY) is not None


def _put(drifted: DriftWorld, expires_at: float) -> None:
    moment = datetime.fromtimestamp(expires_at, UTC).isoformat()
    drifted.world.bucket.put(KEY, b"dated", **{"expires-at": moment})
    drifted.world.settle()


def test_a_time_that_was_over_at_the_upload_ends_the_document_at_once() -> None:
    drifted = DriftWorld()
    _put(drifted, drifted.world.clock.now() - 1_000)

    assert drifted.ledger.live_revisions("acme", [DocumentKey.parse(KEY).document_id]) == {}
    assert _retain(drifted) == 1

    drifted.world.settle()
    index_equals_bucket(drifted.world, KEY)


def test_the_newest_date_counts() -> None:
    drifted = DriftWorld()
    soon = drifted.world.clock.now() + 10_000
    _put(drifted, soon)
    _put(drifted, soon + 10_000)

    drifted.world.clock.advance(soon - drifted.world.clock.now())
    before = _retain(drifted)
    drifted.world.clock.advance(10_000)

    assert (before, _retain(drifted)) == (0, 1)


def test_retention_takes_no_version_away_so_that_what_is_held_stays() -> None:
    drifted = DriftWorld()
    _put(drifted, drifted.world.clock.now() - 1_000)
    kept = [stored.version_id for stored in drifted.world.bucket.versions[KEY]]

    _retain(drifted)
    drifted.world.settle()

    stored = drifted.world.bucket.versions[KEY]
    assert [each.version_id for each in stored][:-1] == kept
    assert stored[-1].data is None
