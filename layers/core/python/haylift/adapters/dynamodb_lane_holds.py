"""Who holds which lane: one row of the tenants' table, whose name no tenant can have."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from haylift.adapters.aws import error_code, translated
from haylift.domain.documents import Lane
from haylift.domain.lanes import Holder, LaneHolds

ROW = "#lanes"
GATE_SINCE, PROBED_AT, GATE_OFF = "gate_since", "probed_at", "gate_off"


class DynamoDbLaneHolds:
    """Implements `LaneHoldStore`: a lane's holders are a set, so that adding one cannot lose another.

    Args:
        table_name: the tenants' table (key `tenant`).
        client: a `dynamodb` client.
        now: epoch seconds.
    """

    def __init__(self, table_name: str, client: Any, *, now: Callable[[], float] = time.time) -> None:
        self._table_name = table_name
        self._client = client
        self._now = now

    def read(self) -> LaneHolds:
        """The holds as they stand, strongly consistent; a holder of an unknown name counts as an operator."""
        with translated("tenants table"):
            answer = self._client.get_item(TableName=self._table_name, Key=_KEY, ConsistentRead=True)
        item: Mapping[str, Any] = answer.get("Item", {})
        return LaneHolds(
            holders_by_lane={lane: _holders(item, lane) for lane in Lane},
            is_gate_on=not item.get(GATE_OFF, {}).get("BOOL", False),
            gate_since=_seconds(item, GATE_SINCE),
            probed_at=_seconds(item, PROBED_AT),
        )

    def add(self, lane: Lane, holder: Holder) -> None:
        """Somebody holds the lane from now on."""
        if holder is Holder.GATE:
            self._update(
                f"ADD {lane.value} :holder SET {GATE_SINCE} = if_not_exists({GATE_SINCE}, :now)",
                {":holder": {"SS": [holder.value]}, ":now": {"N": repr(self._now())}},
            )
            return
        self._update(f"ADD {lane.value} :holder", {":holder": {"SS": [holder.value]}})

    def remove(self, lane: Lane, holder: Holder) -> frozenset[Holder]:
        """Somebody does not hold the lane any more; gives who still does."""
        item = self._update(f"DELETE {lane.value} :holder", {":holder": {"SS": [holder.value]}})
        if not any(Holder.GATE in _holders(item, one) for one in Lane):
            self._update(f"REMOVE {GATE_SINCE}", {})
        return _holders(item, lane)

    def take_probe(self, *, gap_s: float) -> bool:
        """Whether a probe may be made now: none was in the last `gap_s` seconds, by whatever process."""
        now = self._now()
        try:
            self._update(
                f"SET {PROBED_AT} = :now",
                {":now": {"N": repr(now)}, ":latest": {"N": repr(now - gap_s)}},
                ConditionExpression=f"attribute_not_exists({PROBED_AT}) OR {PROBED_AT} <= :latest",
            )
        except ClientError as fault:
            if error_code(fault) != "ConditionalCheckFailedException":
                raise
            # Also when the answer of our own write was lost: then the next minute's probe is the next one.
            return False
        return True

    def switch_gate(self, *, is_on: bool) -> None:
        """Lets the gate act, or not."""
        self._update(f"SET {GATE_OFF} = :off", {":off": {"BOOL": not is_on}})

    def _update(self, expression: str, values: Mapping[str, Any], **more: str) -> Mapping[str, Any]:
        request = {"TableName": self._table_name, "Key": _KEY, "UpdateExpression": expression, **more}
        if values:
            request["ExpressionAttributeValues"] = values
        with translated("tenants table"):
            answer = self._client.update_item(**request, ReturnValues="ALL_NEW")
        item: Mapping[str, Any] = answer.get("Attributes", {})
        return item


_KEY = {"tenant": {"S": ROW}}


def _holders(item: Mapping[str, Any], lane: Lane) -> frozenset[Holder]:
    known = {holder.value for holder in Holder}
    names = item.get(lane.value, {}).get("SS", ())
    return frozenset(Holder(name) if name in known else Holder.OPERATOR for name in names)


def _seconds(item: Mapping[str, Any], name: str) -> float:
    return float(item.get(name, {}).get("N", 0.0))
