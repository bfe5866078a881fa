"""Each verdict about a document leaves one record, however often its order is delivered."""

from tests.fakes.audit import Written
from tests.unit.ingestion.world import KEY, World


def verdicts(written: Written) -> list[tuple[str, str, str, str, str]]:
    return [
        (one["actor"], one["tenant"], one["action"], one["outcome"], one["code"]) for one in written.records
    ]


def test_a_document_is_indexed_replaced_and_removed(written: Written) -> None:
    world = World()

    world.bucket.put(KEY, b"one")
    world.settle()
    world.bucket.put(KEY, b"two")
    world.settle()
    world.bucket.delete(KEY)
    world.settle()

    row = world.row()
    assert row is not None
    assert {one["resource"] for one in written.records} == {row.document_id}
    assert verdicts(written) == [
        ("system", row.tenant, "document.indexed", "allowed", ""),
        ("system", row.tenant, "document.indexed", "allowed", ""),
        ("system", row.tenant, "document.removed", "allowed", ""),
    ]


def test_a_rejected_document_is_recorded_with_its_reason(written: Written) -> None:
    world = World()

    world.bucket.put(KEY, b"")
    world.settle()

    assert [(action, outcome, code) for _, _, action, outcome, code in verdicts(written)] == [
        ("document.rejected", "refused", "empty")
    ]
