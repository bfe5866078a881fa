"""Attributes that people also write by hand: one that cannot be read counts as absent, and is told."""

import logging
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

type Attributes = Mapping[str, Mapping[str, Any]]

MOST_SEARCHES = 100_000
"""The largest limit of searches a minute that means anything."""

MOST_COUNTED = 10**18
logger = logging.getLogger("haylift.settings")


def setting[D](item: Attributes, name: str, *, default: D, most: int, takes_part: bool = False) -> int | D:
    """A whole number from 0 to `most`; a larger one is `most`.

    Args:
        default: what an absent attribute gives, and one of another type, below 0, or no whole number.
        takes_part: a number with decimals is its whole part, for what only grows: a version must go on.

    Side effects: one warning with the attribute's name for a value that cannot be read.
    """
    if name not in item:
        return default
    number = _number(item[name])
    if number is not None and number >= most:
        return most
    if number is None or number < 0 or (not takes_part and number != int(number)):
        return _default_of(name, default)
    return int(number)


def bounded_setting(item: Attributes, name: str, *, default: int, most: int) -> int:
    """As `setting`, and a number below 0 is 0."""
    number = _number(item.get(name, {}))
    return 0 if number is not None and number < 0 else setting(item, name, default=default, most=most)


def switch(item: Attributes, name: str) -> bool:
    """A switch, off unless it is written as on; a warning as `setting` gives."""
    found = item[name].get("BOOL") if name in item else False
    return found if isinstance(found, bool) else _default_of(name, default=False)


def text(item: Attributes, name: str, *, default: str) -> str:
    """A text that is not empty; a warning as `setting` gives."""
    found = item[name].get("S") if name in item else default
    return found if isinstance(found, str) and found else _default_of(name, default)


def _number(attribute: Mapping[str, Any]) -> Decimal | None:
    """None for what is no number; never more digits than were written, however large the power of ten."""
    try:
        number = Decimal(attribute["N"])
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return None
    return number if number.is_finite() else None


def _default_of[D](name: str, default: D) -> D:
    logger.warning("setting cannot be read, its default holds", extra={"attribute": name})
    return default
