"""The free attributes of a document's metadata file: flat, few and short, so that an index can keep them."""

import math
import re
from collections.abc import Mapping
from typing import TypeGuard

from haylift.domain.chunks import MetaValue
from haylift.domain.errors import DocumentRejected

MAX_ATTRIBUTES = 20
MAX_VALUE_CHARS = 256
MAX_LIST_VALUES = 50
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
RESERVED = frozenset({"language", "media_type"})
"""Meta fields that Haylift sets itself."""

type Attributes = Mapping[str, MetaValue]


def attributes_of(said: object) -> Attributes:
    """The attributes of a metadata file.

    Raises:
        DocumentRejected: `invalid_metadata`.
    """
    if isinstance(said, dict) and len(said) <= MAX_ATTRIBUTES:
        found = {name: value for name, value in said.items() if _is_name(name) and is_value(value)}
        if len(found) == len(said):
            return found
    raise DocumentRejected(
        "Attributes are at most 20 lower-case names with texts, numbers, true, false or lists of texts.",
        reason="invalid_metadata",
    )


def is_text_list(value: object) -> TypeGuard[list[str]]:
    """Says whether it is a list of texts."""
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def is_value(value: object) -> TypeGuard[MetaValue]:
    """Says whether an attribute may have it."""
    if is_text_list(value):
        return len(value) <= MAX_LIST_VALUES and all(is_value(text) for text in value)
    if isinstance(value, str):
        return len(value) <= MAX_VALUE_CHARS and value.isprintable()
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**53)


def _is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None and name not in RESERVED
