"""Reconcile finds every kind of drift and ends where the bucket is, wherever its process dies."""

import os

import pytest
from haylift.domain.documents import DocumentKey, ObjectVersion
from haylift.domain.drift import DriftKind
from haylift.domain.metadata import DocumentMetadata
from haylift.services.reconcile_place import ALL_KINDS
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.maintenance.drift_injections import INJECTIONS, finds_and_repairs
from tests.unit.maintenance.drift_world import LONG_S, DriftWorld

EXAMPLES = 500 if os.environ.get("HAYLIFT_LAB") == "full" else 12

names = st.lists(st.sampled_from(sorted(INJECTIONS)), min_size=1, max_size=6, unique=True)
kills = st.lists(st.integers(min_value=1, max_value=60), max_size=5)


def test_a_world_without_drift_has_none() -> None:
    assert DriftWorld().reconcile(repair=False) == ()


@pytest.mark.parametrize("name", INJECTIONS)
def test_each_kind_is_found_and_repaired(name: str) -> None:
    finds_and_repairs(DriftWorld(), [name])


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(names=names, kills=kills)
def test_any_drift_is_found_and_repaired_by_processes_that_die(names: list[str], kills: list[int]) -> None:
    finds_and_repairs(DriftWorld(), names, kills=kills)


@pytest.mark.parametrize("name", INJECTIONS)
def test_a_reconcile_that_ignores_its_kind_fails_the_same_check(name: str) -> None:
    blind = DriftWorld(kinds=ALL_KINDS - {INJECTIONS[name][0]})

    with pytest.raises(AssertionError):
        finds_and_repairs(blind, [name])


def test_every_kind_is_put_in_somewhere() -> None:
    assert {kind for kind, _ in INJECTIONS.values()} == set(DriftKind)


class Unread:
    """A reader of metadata that finds nothing, as one that looks at the wrong place would."""

    def read(self, key: DocumentKey, version: ObjectVersion) -> DocumentMetadata:
        return DocumentMetadata()


def a_repair_keeps_rights(drifted: DriftWorld) -> None:
    """The check: a row that was lost is for the same readers from the moment of its repair."""
    drifted.world.bucket.put("documents/acme/staff.md", b"secret", **{"access-groups": "staff"})
    drifted.world.settle()
    drifted.world.clock.advance(LONG_S)
    del drifted.ledger.rows["acme", DocumentKey("acme", "staff.md").document_id]

    drifted.reconcile(repair=True)

    row = drifted.world.row("documents/acme/staff.md")
    assert row is not None
    assert row.claimed_groups == {"staff"}


def test_a_document_that_is_claimed_by_a_repair_keeps_its_readers() -> None:
    a_repair_keeps_rights(DriftWorld())


def test_a_repair_that_does_not_read_metadata_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        a_repair_keeps_rights(DriftWorld(metadata=Unread()))
