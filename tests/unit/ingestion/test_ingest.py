"""Verdicts, faults and neighbours."""

from typing import Any

import pytest
from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.domain.errors import DeadlineExceeded, IndexUnavailable, ModelUnavailable, StoreUnavailable
from haylift.domain.events import IngestionOrder
from haylift.telemetry import Metric

from tests.unit.ingestion.world import KEY, LEASE_S, World, index_equals_bucket

FAILED: dict[str, Any] = {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
DONE: dict[str, Any] = {"batchItemFailures": []}


def row_of(world: World, key: str = KEY) -> DocumentRecord:
    row = world.row(key)
    assert row is not None
    return row


def ordered(world: World) -> list[IngestionOrder]:
    """Dispatches all events; gives the orders."""
    bodies, world.bucket.bodies = world.bucket.bodies, []
    world.dispatch(*bodies)
    sent, world.lanes.sent = world.lanes.sent, []
    return [order for _, order in sent]


def test_a_searchable_document_knows_its_title_size_and_time() -> None:
    world = World()
    world.bucket.put(KEY, b"one\ntwo", **{"access-groups": "hr, legal"})
    (order,) = ordered(world)
    world.clock.advance(4)

    world.work(order)

    row = row_of(world)
    assert (row.title, row.size_bytes, row.chunk_count, row.percent) == ("a.md", 7, 2, 100)
    assert row.access_groups == frozenset({"hr", "legal"})
    assert world.telemetry.records[-4:] == [
        (Metric.DOCUMENTS, 1, {"state": "SEARCHABLE"}),
        (Metric.DOCUMENT_REJECTIONS, 0, {}),
        (Metric.INDEXING_DURATION, 4.0, {"lane": "interactive"}),
        (Metric.SEARCHABLE_AFTER, 4.0, {"lane": "interactive"}),
    ]


@pytest.mark.parametrize(
    ("data", "metadata", "reason"),
    [
        (b"", {}, "empty"),
        (b"x" * 1_001, {}, "too_large"),
        (b"bad", {}, "damaged"),
        (b"one", {"access-groups": ", ,"}, "invalid_metadata"),
    ],
)
def test_a_bad_file_is_rejected_and_its_neighbours_are_indexed(
    data: bytes, metadata: dict[str, str], reason: str
) -> None:
    world = World()
    world.bucket.put(KEY, data, **metadata)
    world.bucket.put("documents/acme/good.md", b"fine")

    answer = world.work(*ordered(world))

    row = row_of(world)
    assert answer == DONE
    assert (row.state, row.reason, row.live_revision) == (DocumentState.REJECTED, reason, 0)
    assert world.seen("documents/acme/good.md") == ["fine"]
    assert world.telemetry.dimensions_of(Metric.DOCUMENTS_REJECTED) == [{"reason": reason}]


def test_the_same_bytes_are_neither_parsed_nor_embedded_again() -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    world.settle()
    newest = world.bucket.put(KEY, b"one")

    world.settle()

    row = row_of(world)
    assert world.pipeline.runs == 1
    assert (row.revision, row.live_revision, row.version_id) == (2, 1, newest)
    index_equals_bucket(world)


@pytest.mark.parametrize("change", ["groups", "recipe"])
def test_the_same_bytes_under_other_rights_or_another_recipe_are_indexed_again(change: str) -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    world.settle()
    if change == "recipe":
        world.pipeline.recipe = "newer"
    world.bucket.put(KEY, b"one", **({"access-groups": "hr"} if change == "groups" else {}))

    world.settle()

    assert world.pipeline.runs == 2
    assert row_of(world).live_revision == 2


@pytest.mark.parametrize("fault", [IndexUnavailable("down"), StoreUnavailable("down")])
def test_without_a_dependency_the_order_comes_back_and_no_attempt_is_counted(fault: Exception) -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    (order,) = ordered(world)
    faults = [fault] * 20
    world.pipeline.fault = lambda: faults.pop() if faults else None

    answers = [world.work(order) for _ in range(20)]

    assert answers == [FAILED] * 20
    assert (row_of(world).state, row_of(world).attempts) == (DocumentState.RECEIVED, 0)
    assert world.work(order) == DONE
    index_equals_bucket(world)


def test_without_the_model_the_rest_of_the_batch_goes_back_at_once() -> None:
    world = World()
    for name in "abc":
        world.bucket.put(f"documents/acme/{name}.md", b"one")
    world.pipeline.fault = lambda: ModelUnavailable("asleep") if world.pipeline.runs == 2 else None

    answer = world.work(*ordered(world))

    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["message-1", "message-2"]
    assert world.pipeline.runs == 2
    assert row_of(world, "documents/acme/c.md").attempts == 0


def test_without_time_nothing_is_started() -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    (order,) = ordered(world)

    answer = world.work(order, order, remaining_s=20.0)

    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["message-0", "message-1"]
    assert row_of(world).attempts == 0


@pytest.mark.parametrize("fault", [RuntimeError("a bug"), MemoryError(), DeadlineExceeded("too slow")])
def test_a_file_that_breaks_three_attempts_is_rejected(fault: Exception) -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    world.bucket.put("documents/acme/good.md", b"fine")
    order, neighbour = ordered(world)
    world.pipeline.fault = lambda: fault

    for _ in range(3):
        assert world.work(order) == FAILED
        world.clock.advance(LEASE_S + 1)
    answer = world.work(order)
    world.pipeline.fault = lambda: None
    world.work(neighbour)

    assert answer == DONE
    assert (row_of(world).state, row_of(world).reason) == (DocumentState.REJECTED, "repeated_failure")
    assert world.seen("documents/acme/good.md") == ["fine"]


def test_an_exit_in_one_record_does_not_take_the_neighbours_along() -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    world.bucket.put("documents/acme/good.md", b"fine")
    orders = ordered(world)

    def leave_once() -> None:
        if world.pipeline.runs == 1:
            raise SystemExit(3)

    world.pipeline.fault = leave_once  # type: ignore[assignment]  # raises rather than gives

    assert world.work(*orders) == FAILED
    assert world.seen("documents/acme/good.md") == ["fine"]


def test_an_order_of_an_older_revision_is_over() -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    (first,) = ordered(world)
    world.bucket.put(KEY, b"two")
    (second,) = ordered(world)

    assert world.work(first) == DONE
    assert world.pipeline.runs == 0
    assert world.work(second) == DONE
    assert world.work(second) == DONE
    assert world.pipeline.runs == 1


def test_a_document_under_anothers_lease_comes_again_later() -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    (order,) = ordered(world)
    world.ledger.take_lease(order.tenant, order.document_id, 1, "somebody", LEASE_S)

    assert world.work(order) == FAILED
    assert world.pipeline.runs == 0


def test_a_cache_that_is_down_delays_nothing() -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    world.cache.is_down = True

    assert world.work(*ordered(world)) == DONE
    assert row_of(world).state is DocumentState.SEARCHABLE


def test_a_store_that_fails_while_a_lease_is_given_back_hides_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    orders = ordered(world)
    world.pipeline.fault = lambda: IndexUnavailable("down")

    def failing(record: DocumentRecord) -> None:
        raise StoreUnavailable("The ledger does not answer.")

    world.ledger.release = failing  # type: ignore[method-assign]

    assert world.work(*orders) == FAILED
    assert [record.__dict__["code"] for record in caplog.records if "code" in record.__dict__] == [
        "index_unavailable"
    ]
