"""Drills of what nobody asks for: the index drifts away from the bucket."""

import json
import time
from dataclasses import dataclass
from typing import Any, override

from haylift.domain.documents import DocumentKey, DocumentState

from ops.drill import uploads
from ops.drill.drill import EVERYWHERE, Drill
from ops.drill.faults import Fault, Known
from ops.drill.ground import Ground
from ops.faults import OpsFault
from ops.reconcile import ALIAS, FUNCTION

SEARCHABLE_S = 90.0


@dataclass(frozen=True)
class RowChanged(Fault):
    """A document's row is changed by hand: it says more chunks than the index holds."""

    @override
    def learn(self, ground: Ground) -> Known:
        """Where the document will lie."""
        return {"path": uploads.new_path("drifting.md")}

    @override
    def inject(self, ground: Ground, known: Known) -> None:
        """Uploads it, waits until it is searchable, and changes its row."""
        uploads.put(ground, known["path"], uploads.small_text("drift"))
        ends_at = time.monotonic() + SEARCHABLE_S
        while self._state(ground, known) != DocumentState.SEARCHABLE:
            if time.monotonic() > ends_at or not ground.pause(0.5):
                raise OpsFault(
                    "not_searchable", f"The drill's file is not searchable after {SEARCHABLE_S:.0f} s."
                )
        ground.client("dynamodb").update_item(
            **self._row(ground, known),
            UpdateExpression="ADD chunk_count :more",
            ExpressionAttributeValues={":more": {"N": "3"}},
        )

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Lets the system repair the tenant, and takes the file away."""
        asked = {"task": "reconcile", "repair": True, "tenant": uploads.tenant(ground)}
        ground.client("lambda").invoke(
            FunctionName=ground.prefix + FUNCTION, Qualifier=ALIAS, Payload=json.dumps(asked).encode()
        )
        uploads.remove_all(ground)

    def _row(self, ground: Ground, known: Known) -> dict[str, Any]:
        key = DocumentKey(uploads.tenant(ground), known["path"])
        return {
            "TableName": ground.deployment.output("LedgerTableName"),
            "Key": {"tenant": {"S": key.tenant}, "document_id": {"S": key.document_id}},
        }

    def _state(self, ground: Ground, known: Known) -> str:
        answer = ground.client("dynamodb").get_item(**self._row(ground, known), ConsistentRead=True)
        return str(answer.get("Item", {}).get("state", {}).get("S", ""))


DRIFT_DRILLS = (
    Drill(
        name="index-drift",
        breaks="a document's row is changed by hand, and says more chunks than the index holds",
        felt="nothing at once; the document may be found in part only",
        fault=RowChanged,
        traffic=(),
        rings={"index-drift": 6},
        causes=("index-drift",),
        clear_min=6,
        parts=frozenset({"flow", "intake", "interactive", "index"}),
        stages=EVERYWHERE,
    ),
)
