"""A user's filter: the Haystack filter syntax, parsed into a small tree with defined meaning.

Meaning: a list field matches when any element does; a missing field is not equal to any value, and a
field with an empty list is missing; `!=` and `not in` are the negations of `==` and `in`;
an empty OR is false, an empty AND is true; bool is not int; dates are compared in UTC; an unknown
operator or field is an error. A filter can only narrow: tenant and groups are added by the index port.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from haylift.domain.errors import InvalidInput

MAX_FILTER_DEPTH = 8
MAX_FILTER_CONDITIONS = 100
MAX_LIST_VALUES = 200
MAX_VALUE_CHARS = 1_000
FIELDS = frozenset({"document_id", "key", "title", "page", "text"})
"""Fields of the chunk itself; everything else is `meta.<name>`. Tenant and groups are not fields."""

META_FIELD_PATTERN = re.compile(r"meta\.(?=.*[A-Za-z0-9])[A-Za-z0-9_-]{1,64}")
"""A name without `meta.` is an error and no metadata: a misspelt field would silently match nothing."""

type Scalar = str | int | float | bool
type Filter = Comparison | Group


class Comparator(StrEnum):
    """The comparisons of Haystack's filter syntax."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    IN = "in"
    NOT_IN = "not in"


class Connective(StrEnum):
    """How the conditions of a group are joined; NOT is true when not all of them hold."""

    AND = "AND"
    OR = "OR"
    NOT = "NOT"


@dataclass(frozen=True)
class Comparison:
    """`field operator value`; `value` is a tuple for `in` and `not in`, None means missing."""

    field: str
    operator: Comparator
    value: Scalar | tuple[Scalar, ...] | None


@dataclass(frozen=True)
class Group:
    """Conditions joined by a connective."""

    operator: Connective
    conditions: tuple[Filter, ...]


ORDERED = frozenset(
    {Comparator.GREATER, Comparator.GREATER_OR_EQUAL, Comparator.LESS, Comparator.LESS_OR_EQUAL}
)


def parse_filter(raw: object) -> Filter | None:
    """Reads a filter in Haystack's syntax; `None` and `{}` are no filter.

    Raises:
        InvalidInput: `invalid_filter`, with `where` naming the place.

    >>> parse_filter({"field": "meta.lang", "operator": "==", "value": "en"})
    Comparison(field='meta.lang', operator=<Comparator.EQUAL: '=='>, value='en')
    """
    if raw is None or raw == {}:
        return None
    return _FilterReader().read(raw, "filters", 1)


class _FilterReader:
    """Counts the conditions of one filter while reading it."""

    def __init__(self) -> None:
        self._count = 0

    def read(self, raw: object, where: str, depth: int) -> Filter:
        self._count += 1
        if self._count > MAX_FILTER_CONDITIONS:
            raise _error(f"A filter has at most {MAX_FILTER_CONDITIONS} conditions.", where)
        if depth > MAX_FILTER_DEPTH:
            raise _error(f"A filter is nested at most {MAX_FILTER_DEPTH} deep.", where)
        if not isinstance(raw, dict):
            raise _error("A condition is an object.", where)
        return self._group(raw, where, depth) if "conditions" in raw else _comparison(raw, where)

    def _group(self, raw: dict[str, Any], where: str, depth: int) -> Group:
        _only_keys(raw, {"operator", "conditions"}, where)
        operator = _member(Connective, raw.get("operator"), where)
        if not isinstance(raw["conditions"], list):
            raise _error("`conditions` is a list.", where)
        conditions = [
            self.read(condition, f"{where}.conditions[{position}]", depth + 1)
            for position, condition in enumerate(raw["conditions"])
        ]
        return Group(operator, tuple(conditions))


def _comparison(raw: dict[str, Any], where: str) -> Comparison:
    _only_keys(raw, {"field", "operator", "value"}, where)
    missing = {"field", "operator", "value"} - raw.keys()
    if missing:
        raise _error(f"A condition needs {', '.join(sorted(missing))}.", where)
    operator = _member(Comparator, raw["operator"], where)
    return Comparison(_field(raw["field"], where), operator, _value(raw["value"], operator, where))


def _field(raw: object, where: str) -> str:
    if not isinstance(raw, str):
        raise _error("`field` is a string.", f"{where}.field")
    if raw not in FIELDS and META_FIELD_PATTERN.fullmatch(raw) is None:
        raise _error(f"Fields are {', '.join(sorted(FIELDS))} and meta.<name>.", f"{where}.field")
    return raw


def _value(raw: object, operator: Comparator, where: str) -> Scalar | tuple[Scalar, ...] | None:
    where = f"{where}.value"
    if operator in {Comparator.IN, Comparator.NOT_IN}:
        if not isinstance(raw, list) or len(raw) > MAX_LIST_VALUES:
            raise _error(f"`{operator}` takes a list of at most {MAX_LIST_VALUES} values.", where)
        return tuple(_scalar(item, f"{where}[{position}]") for position, item in enumerate(raw))
    if raw is None and operator in {Comparator.EQUAL, Comparator.NOT_EQUAL}:
        return None
    value = _scalar(raw, where)
    if operator in ORDERED:
        return _ordered(value, where)
    return value


def _ordered(value: Scalar, where: str) -> Scalar:
    if isinstance(value, bool):
        raise _error("Order comparisons take a number or an ISO 8601 date.", where)
    if isinstance(value, str):
        return utc_date(value, where)
    return value


def utc_date(text: str, where: str = "value") -> str:
    """An ISO 8601 date or time as `YYYY-MM-DDTHH:MM:SS.ffffffZ` in UTC; without an offset it is UTC.

    Raises:
        InvalidInput: `invalid_filter` when it is no ISO 8601 date.

    >>> utc_date("2026-01-01T02:00:00+02:00")
    '2026-01-01T00:00:00.000000Z'
    """
    try:
        moment = datetime.fromisoformat(text)
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _error("Order comparisons take a number or an ISO 8601 date.", where) from None
    return aware.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _scalar(raw: object, where: str) -> Scalar:
    if isinstance(raw, str):
        if len(raw) > MAX_VALUE_CHARS:
            raise _error(f"A value has at most {MAX_VALUE_CHARS} characters.", where)
        return raw
    if isinstance(raw, bool | int | float) and (isinstance(raw, bool) or abs(raw) < 2**63):
        return raw
    raise _error("A value is a string, a number or a boolean.", where)


def _member[E: StrEnum](kind: type[E], raw: object, where: str) -> E:
    try:
        return kind(raw)  # type: ignore[arg-type]  # any object may arrive; a wrong one is a ValueError
    except ValueError:
        known = ", ".join(kind)
        raise _error(f"Unknown operator; known here: {known}.", f"{where}.operator") from None


def _only_keys(raw: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(str(key) for key in raw.keys() - known)
    if unknown:
        raise _error(f"Unknown entry {unknown[0][:64]!r}.", where)


def _error(detail: str, where: str) -> InvalidInput:
    return InvalidInput(detail, code="invalid_filter", where=where)
