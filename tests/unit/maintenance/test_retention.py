"""A document whose time is over is deleted the way its user would delete it."""

from dataclasses import replace

import pytest
from haylift.domain.documents import DocumentState
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
