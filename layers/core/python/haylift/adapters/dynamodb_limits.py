"""A sliding window in one DynamoDB item: for limits that must hold where no cache is in reach."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from haylift.adapters.aws import error_code, translated
from haylift.ports.limits import Allowance, Limit
from haylift.services.sliding_window import MICROSECONDS, microseconds, taken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from haylift.ports import Clock

KEPT_S = 60.0
"""How long a row outlives its window, so that clocks that differ a little never drop a counting entry."""

BUSY_RETRY_S = 1.0
logger = logging.getLogger("haylift.limits")


class DynamoDbRateLimiter:
    """Implements `RateLimiter`: rows `<kind>#<name>` of a table whose key is `token_hash`.

    A row holds the moments of the requests that were let in (`entries_us`), its `version` and the TTL
    attribute `expires_at`. Each write asks that the version is still the one that was read, so that of
    processes that come together one writes, and the others count it in. Whoever loses has lost to a
    request that was let in, therefore at most `limit.requests` tries lose before the window is full; a
    refusal writes nothing. Made for limits of some tens: every entry is read and written with the row.

    DynamoDB has no clock for callers: the time is this process's, which AWS keeps within milliseconds of
    the others'. A clock that is behind the newest entry counts as being at it.

    Args:
        table_name: for example the tokens table.
        client: a `dynamodb` client.
        kind: what is limited; the first part of every row's key.
    """

    def __init__(self, table_name: str, client: Any, clock: Clock, *, kind: str = "login") -> None:
        self._table_name = table_name
        self._client = client
        self._clock = clock
        self._kind = kind

    def take(self, name: str, limit: Limit, cost: int = 1) -> Allowance:
        """Counts `cost` requests of `name` if all of them fit, else none.

        When other processes change the row faster than this one can, the request is refused: whoever
        tries to guess passwords must not gain by coming in crowds.

        Raises:
            StoreUnavailable: the table does not answer; a retry helps.
        """
        row = f"{self._kind}#{name}"
        item = self._read(row)
        for _ in range(limit.requests + 1):
            allowance, entries = taken(_entries(item), limit, cost, microseconds(self._clock.now()))
            if not allowance.is_allowed:
                return allowance
            lost_to = self._replace(row, item, entries, limit)
            if lost_to is None:
                return allowance
            item = lost_to
        logger.warning(
            "limit refuses: its row is written faster than it can be read", extra={"limit": self._kind}
        )
        wait_s = min(BUSY_RETRY_S, limit.window_s)
        return Allowance(
            limit=limit,
            is_allowed=False,
            remaining=0,
            reset_after_s=wait_s,
            retry_after_s=wait_s,
        )

    def _read(self, row: str) -> Mapping[str, Any]:
        with translated("limits table"):
            answer = self._client.get_item(
                TableName=self._table_name, Key={"token_hash": {"S": row}}, ConsistentRead=True
            )
        return answer.get("Item", {})  # type: ignore[no-any-return]  # the client is untyped here

    def _replace(
        self, row: str, item: Mapping[str, Any], entries: Sequence[int], limit: Limit
    ) -> Mapping[str, Any] | None:
        """Writes the entries; None when done, else the row that another process wrote meanwhile."""
        version = int(item.get("version", {}).get("N", 0))
        expires_at = entries[-1] // MICROSECONDS + limit.window_s + KEPT_S
        values: dict[str, Any] = {
            ":entries": {"L": [{"N": str(moment)} for moment in entries]},
            ":next": {"N": str(version + 1)},
            ":expires_at": {"N": str(int(expires_at))},
        }
        condition = "attribute_not_exists(#version)"
        if version:
            condition = "#version = :read"
            values[":read"] = {"N": str(version)}
        try:
            with translated("limits table"):
                self._client.update_item(
                    TableName=self._table_name,
                    Key={"token_hash": {"S": row}},
                    UpdateExpression="SET entries_us = :entries, #version = :next, expires_at = :expires_at",
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#version": "version"},
                    ExpressionAttributeValues=values,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as fault:
            if error_code(fault) != "ConditionalCheckFailedException":
                raise
            won: dict[str, Any] = dict(fault.response).get("Item", {})  # type: ignore[assignment]  # any value
            return won
        return None


def _entries(item: Mapping[str, Any]) -> list[int]:
    return [int(entry["N"]) for entry in item.get("entries_us", {}).get("L", [])]
