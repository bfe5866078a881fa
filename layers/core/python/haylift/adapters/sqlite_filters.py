"""Filters as SQL over the table `fields`, and what a chunk puts there.

A row of `fields` says that a chunk's field has a value of a kind. Kinds keep `True`, `1` and `"1"`
apart; a text that is a date is there twice, as text and as a date in UTC, so that order comparisons
need no parsing while searching. Values are typed columns and not JSON: SQLite reads numbers in JSON
text with its own, not correctly rounded routine.
"""

import hashlib
import math
from collections.abc import Iterator

from haylift.domain.chunks import Chunk, MetaValue
from haylift.domain.errors import InvalidInput
from haylift.domain.filters import (
    ORDERED,
    Comparator,
    Comparison,
    Connective,
    Filter,
    Group,
    Scalar,
    utc_date,
)
from haylift.domain.identity import Scope

type SqlValue = str | int | float | bytes
type FieldRow = tuple[str, str, SqlValue]

TEXT, NUMBER, FLAG, DATE = "text", "number", "flag", "date"
MAX_INLINE_BYTES = 64
"""Longer texts are compared by their SHA-256, so that the text of a chunk is not stored twice."""

_MAX_DATE_CHARS = 40
_SQL_OPERATORS = {
    Comparator.GREATER: ">",
    Comparator.GREATER_OR_EQUAL: ">=",
    Comparator.LESS: "<",
    Comparator.LESS_OR_EQUAL: "<=",
}


def field_rows(chunk: Chunk) -> set[FieldRow]:
    """All (name, kind, value) of a chunk. Numbers that are not finite equal nothing and are left out."""
    named: list[tuple[str, MetaValue | None]] = [
        ("document_id", chunk.document_id),
        ("key", chunk.key),
        ("title", chunk.title),
        ("text", chunk.text),
        ("page", chunk.page),
        *((f"meta.{name}", value) for name, value in chunk.meta.items()),
    ]
    return {
        (name, kind, value)
        for name, values in named
        for single in (values if isinstance(values, list) else [values])
        for kind, value in _typed(single)
    }


def _typed(value: Scalar | None) -> Iterator[tuple[str, SqlValue]]:
    match value:
        case None:
            return
        case bool():
            yield FLAG, int(value)
        case str():
            yield TEXT, comparable_text(value)
            if len(value) <= _MAX_DATE_CHARS:
                try:
                    yield DATE, utc_date(value)
                except InvalidInput:
                    return
        case _ if math.isfinite(value):
            yield NUMBER, value if abs(value) < 2**63 else float(value)


def comparable_text(text: str) -> bytes:
    """Bytes that are equal exactly when the texts are; any text has them, lone surrogates included."""
    encoded = text.encode("utf-8", "surrogatepass")
    return encoded if len(encoded) <= MAX_INLINE_BYTES else b"\xff" + hashlib.sha256(encoded).digest()


def readable_rows(filters: Filter | None, scope: Scope) -> tuple[str, list[SqlValue]]:
    """A query for the row ids that the scope may read and that match the filter.

    The groups are a conjunct of their own around the whole filter: whatever the filter says, it can
    only take away.
    """
    matching, values = ("1", list[SqlValue]()) if filters is None else _condition(filters)
    groups: list[SqlValue] = [comparable_text(name) for name in sorted(scope.groups)]
    return (
        f"SELECT row_id FROM chunks WHERE ({matching}) AND ("  # noqa: S608  # all values are bound
        " row_id NOT IN (SELECT row_id FROM chunk_groups)"
        f" OR row_id IN (SELECT row_id FROM chunk_groups WHERE name IN ({_marks(groups)}))) ORDER BY row_id",
        [*values, *groups],
    )


def _condition(node: Filter) -> tuple[str, list[SqlValue]]:
    if isinstance(node, Group):
        return _group(node)
    match node.operator:
        case Comparator.EQUAL | Comparator.IN:
            return _any_equal(node)
        case Comparator.NOT_EQUAL | Comparator.NOT_IN:
            sql, values = _any_equal(node)
            return f"NOT {sql}", values
        case _:
            return _ordered(node)


def _group(group: Group) -> tuple[str, list[SqlValue]]:
    parts = [_condition(condition) for condition in group.conditions]
    values = [value for _, bound in parts for value in bound]
    if group.operator is Connective.OR:
        return "(" + (" OR ".join(sql for sql, _ in parts) or "0") + ")", values
    conjunction = "(" + (" AND ".join(sql for sql, _ in parts) or "1") + ")"
    return (f"NOT {conjunction}" if group.operator is Connective.NOT else conjunction), values


def _any_equal(comparison: Comparison) -> tuple[str, list[SqlValue]]:
    """`==` and `in`: some element of the field equals some wanted value; None wants a field without any."""
    wanted = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    if wanted == (None,):
        return "(row_id NOT IN (SELECT row_id FROM fields WHERE name = ?))", [comparison.field]
    by_kind: dict[str, set[SqlValue]] = {}
    for value in wanted:
        for kind, stored in _typed(value):
            if kind != DATE:
                by_kind.setdefault(kind, set()).add(stored)
    parts: list[str] = []
    values: list[SqlValue] = []
    for kind, stored_values in by_kind.items():
        parts.append(
            f"row_id IN (SELECT row_id FROM fields WHERE name = ? AND kind = ?"  # noqa: S608
            f" AND value IN ({_marks(stored_values)}))"
        )
        values += [comparison.field, kind, *stored_values]
    return "(" + (" OR ".join(parts) or "0") + ")", values


def _ordered(comparison: Comparison) -> tuple[str, list[SqlValue]]:
    value = comparison.value
    if comparison.operator not in ORDERED or value is None or isinstance(value, tuple | bool):
        raise InvalidInput("Order comparisons take a number or an ISO 8601 date.", code="invalid_filter")
    kind = DATE if isinstance(value, str) else NUMBER
    return (
        "(row_id IN (SELECT row_id FROM fields WHERE name = ? AND kind = ?"  # noqa: S608
        f" AND value {_SQL_OPERATORS[comparison.operator]} ?))",
        [comparison.field, kind, value],
    )


def _marks(values: list[SqlValue] | set[SqlValue]) -> str:
    return ", ".join("?" * len(values))
