"""DynamoDB in memory: conditional updates, transactions, reads, in as much of its language as is spoken."""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from haylift.adapters.dynamodb_rows import Item

from tests.contract.ledger.tables import LEDGER, TENANTS

KEYS = {LEDGER: ("tenant", "document_id"), TENANTS: ("tenant",)}

type Condition = Callable[[Callable[[str], Any], Callable[[str], bool]], bool]

_TOKENS = re.compile(
    r"attribute_(not_)?exists\((#?\w+)\)|<>|<=|>=|=|\bAND\b|\bOR\b|\bNOT\b|\bIN\b|[#:]?\w+|\S"
)
_CLAUSE = re.compile(r"\b(SET|ADD|REMOVE)\b")
_COMMA = re.compile(r",\s*(?![^()]*\))")


class TransactionCanceledException(ClientError):
    """As the SDK names it."""


class ConditionalCheckFailedException(ClientError):
    """As the SDK names it."""


class _Absent:
    """An attribute that is not there: it equals nothing and is smaller than nothing."""

    def __eq__(self, other: object) -> bool:
        return False

    __lt__ = __gt__ = __le__ = __ge__ = __ne__ = __eq__
    __hash__ = None  # type: ignore[assignment]


_ABSENT = _Absent()


class MemoryDynamoDb:
    """The calls of a `dynamodb` client that the ledger makes, each atomic.

    An attribute is never changed in place, so that a shallow copy of an item stays as it is.
    `on_write` is told the table, the item before and the item after each write.
    """

    exceptions = SimpleNamespace(
        TransactionCanceledException=TransactionCanceledException,
        ConditionalCheckFailedException=ConditionalCheckFailedException,
    )

    def __init__(self) -> None:
        self.tables: dict[str, dict[tuple[str, ...], Item]] = {name: {} for name in KEYS}
        self.on_write: Callable[[str, Item, Item], None] = lambda _table, _before, _after: None

    def get_item(self, **request: Any) -> dict[str, Any]:
        """One item."""
        item = self._item(request)
        return {"Item": dict(item)} if item is not None else {}

    def update_item(self, **request: Any) -> dict[str, Any]:
        """One conditional update; a refusal shows the item."""
        if not self._holds(request):
            answer: Any = {"Error": {"Code": "ConditionalCheckFailedException"}}
            raise ConditionalCheckFailedException(answer | self._shown(request), "UpdateItem")
        return {"Attributes": dict(self._write(request))}

    def transact_write_items(self, TransactItems: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """All updates or none of them."""
        updates = [each["Update"] for each in TransactItems]
        reasons = [
            {"Code": "None"} if self._holds(each) else {"Code": "ConditionalCheckFailed"} | self._shown(each)
            for each in updates
        ]
        if any(reason["Code"] != "None" for reason in reasons):
            raise cancelled(reasons)
        for each in updates:
            self._write(each)
        return {}

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> dict[str, Any]:
        """Items of one table."""
        ((table, wanted),) = RequestItems.items()
        found = (self.tables[table].get(_place(table, key)) for key in wanted["Keys"])
        return {"Responses": {table: [dict(item) for item in found if item is not None]}}

    def query(self, **request: Any) -> dict[str, Any]:
        """All items that the conditions hold for, on one page."""
        condition = request["KeyConditionExpression"]
        if "FilterExpression" in request:
            condition = f"({condition}) AND ({request['FilterExpression']})"
        found = [
            item
            for item in self.tables[request["TableName"]].values()
            if _is_true(item, request | {"ConditionExpression": condition})
        ]
        order = "updated_at" if request.get("IndexName") == "by_updated" else "document_id"
        found.sort(key=lambda item: _plain(item[order]), reverse=not request.get("ScanIndexForward", True))
        start = request.get("ExclusiveStartKey")
        if start:
            found = [item for item in found if _plain(item[order]) > _plain(start[order])]
        page = found[: request.get("Limit", len(found))]
        answer: dict[str, Any] = {"Items": [dict(item) for item in page], "Count": len(page)}
        if len(page) < len(found):
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in KEYS[request["TableName"]]}
        return answer

    def scan(self, **request: Any) -> dict[str, Any]:
        """All items, on one page."""
        return {"Items": [dict(item) for item in self.tables[request["TableName"]].values()]}

    def _item(self, request: Mapping[str, Any]) -> Item | None:
        table = request["TableName"]
        return self.tables[table].get(_place(table, request["Key"]))

    def _holds(self, request: Mapping[str, Any]) -> bool:
        return _is_true(self._item(request) or {}, request)

    def _shown(self, request: Mapping[str, Any]) -> dict[str, Any]:
        item = self._item(request)
        return {"Item": dict(item)} if item is not None else {}

    def _write(self, request: Mapping[str, Any]) -> Item:
        before = self._item(request)
        after = _updated(dict(before or request["Key"]), request)
        self.tables[request["TableName"]][_place(request["TableName"], request["Key"])] = after
        self.on_write(request["TableName"], before or {}, after)
        return after


def cancelled(reasons: Sequence[Mapping[str, Any]]) -> TransactionCanceledException:
    """The SDK's error of a transaction that was not done."""
    answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": list(reasons)}
    return TransactionCanceledException(answer, "TransactWriteItems")


def _place(table: str, key: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(key[name]["S"] for name in KEYS[table])


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    if kind == "N":
        return float(content)
    return tuple(each["S"] for each in content) if kind == "L" else content


def _is_true(item: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    text = request.get("ConditionExpression", "")
    if not text:
        return True
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})

    def value(word: str) -> Any:
        if word[0] == ":":
            return _plain(values[word])
        stored = item.get(names.get(word, word))
        return _ABSENT if stored is None else _plain(stored)

    return bool(_condition(text)(value, lambda word: names.get(word, word) in item))


@functools.cache
def _condition(text: str) -> Condition:
    """A condition as Python's own; `NOT a = b` reads the same in both."""
    words = []
    for match in _TOKENS.finditer(text):
        word = match[0]
        if match[2]:
            words.append(f"{'not ' if match[1] else ''}has({match[2]!r})")
        elif word in {"AND", "OR", "NOT", "IN"}:
            words.append(word.lower())
        elif word in {"=", "<>"}:
            words.append("==" if word == "=" else "!=")
        else:
            words.append(f"value({word!r})" if re.match(r"[#:]?\w", word) else word)
    compiled: Condition = eval(f"lambda value, has: {' '.join(words)}")
    return compiled


@functools.cache
def _actions(text: str) -> tuple[tuple[str, str], ...]:
    parts = _CLAUSE.split(text)[1:]
    return tuple(
        (word, action.strip())
        for word, actions in zip(parts[::2], parts[1::2], strict=True)
        for action in _COMMA.split(actions)
    )


def _updated(item: Item, request: Mapping[str, Any]) -> Item:
    names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
    for word, action in _actions(request["UpdateExpression"]):
        if word == "REMOVE":
            item.pop(names[action], None)
        elif word == "ADD":
            name, value = action.split()
            number = item.get(names[name], {"N": "0"})["N"]
            item[names[name]] = {"N": str(int(number) + int(values[value]["N"]))}
        else:
            name, _, value = action.partition(" = ")
            item[names[name]] = _assigned(item, value, names, values)
    return item


def _assigned(item: Item, value: str, names: Mapping[str, str], values: Mapping[str, Any]) -> Any:
    words = re.findall(r"[#:]\w+", value)
    if value.startswith("list_append"):
        known = item.get(names[words[0]], values[words[1]])
        return {"L": [*known["L"], *values[words[2]]["L"]]}
    if value.startswith("if_not_exists"):
        return item.get(names[words[0]], values[words[1]])
    return values[value]
