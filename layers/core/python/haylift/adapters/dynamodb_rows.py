"""Rows of DynamoDB tables as dataclasses, and conditional updates written with placeholders only."""

import dataclasses
import functools
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, get_type_hints

type Item = dict[str, dict[str, Any]]
"""An item as the low-level client speaks it: `{"revision": {"N": "3"}}`."""

type Value = str | int | float | frozenset[str] | tuple[str, ...]

_NAME = re.compile(r"#(\w+)")


def attribute(value: Value) -> dict[str, Any]:
    """A value as DynamoDB's attribute; enums are their text, numbers keep all their digits.

    A set of strings is a list: DynamoDB has no empty sets.
    """
    if isinstance(value, frozenset | tuple):
        return {"L": [{"S": text} for text in (value if isinstance(value, tuple) else sorted(value))]}
    if isinstance(value, Enum):
        return {"S": str(value.value)}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": repr(value)}


def to_item(row: Any) -> Item:
    """A dataclass of strings, numbers and enums as an item."""
    return {field.name: attribute(getattr(row, field.name)) for field in dataclasses.fields(row)}


def from_item[R](kind: type[R], item: Mapping[str, Mapping[str, Any]]) -> R:
    """The dataclass of an item; attributes that it does not know are left out, absent ones are defaults."""
    readers = _readers(kind)  # type: ignore[arg-type]  # mypy does not see that a class is hashable
    return kind(**{name: readers[name](item[name]) for name in readers.keys() & item.keys()})


@functools.cache
def _readers(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: functools.partial(_read, hints[field.name]) for field in dataclasses.fields(kind)}


def _read(kind: Any, attribute: Mapping[str, Any]) -> Any:
    if kind is bool:
        return attribute["BOOL"]
    if kind in (int, float):
        return kind(attribute["N"])
    if kind == frozenset[str]:
        return frozenset(item["S"] for item in attribute["L"])
    if kind == tuple[str, ...]:
        return tuple(item["S"] for item in attribute["L"])
    return kind(attribute["S"])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Update:
    """One conditional update.

    Args:
        key: the row's key.
        condition: with `#name` and `:name` placeholders; the values stand in `values` or `assign`.
        assign: attributes to set.
        add: numbers to add; an absent attribute counts as 0.
        append: lines to put at the end of a list; an absent attribute is an empty one.
        remove: attributes to drop.
        begin: attributes to set where there is none yet.
    """

    key: Mapping[str, str]
    condition: str
    assign: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    add: Mapping[str, int] = dataclasses.field(default_factory=dict)
    append: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    remove: tuple[str, ...] = ()
    values: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    begin: Mapping[str, Value] = dataclasses.field(default_factory=dict)

    def request(self, table_name: str) -> dict[str, Any]:
        """The request, for `update_item` and for the updates of a transaction alike."""
        clauses = (
            _clause("SET", [f"#{name} = :{name}" for name in self.assign] + self._appended() + self._begun()),
            _clause("ADD", [f"#{name} :{name}" for name in self.add]),
            _clause("REMOVE", [f"#{name}" for name in self.remove]),
        )
        expression = " ".join(clause for clause in clauses if clause)
        values = {**self.values, **self.assign, **self.add, **self.append, **self.begin}
        if self.append:
            values["nothing"] = ()
        request: dict[str, Any] = {
            "TableName": table_name,
            "Key": {name: attribute(value) for name, value in self.key.items()},
            "UpdateExpression": expression,
            "ExpressionAttributeNames": _names(f"{expression} {self.condition}"),
            "ExpressionAttributeValues": {f":{name}": attribute(value) for name, value in values.items()},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return request | ({"ConditionExpression": self.condition} if self.condition else {})

    def _begun(self) -> list[str]:
        return [f"#{name} = if_not_exists(#{name}, :{name})" for name in self.begin]

    def _appended(self) -> list[str]:
        return [f"#{name} = list_append(if_not_exists(#{name}, :nothing), :{name})" for name in self.append]


def _clause(word: str, actions: list[str]) -> str:
    return f"{word} {', '.join(actions)}" if actions else ""


def _names(expressions: str) -> dict[str, str]:
    return {f"#{name}": name for name in _NAME.findall(expressions)}
