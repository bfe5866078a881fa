"""SageMaker's custom attributes: the only header of a caller that reaches the container."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from haylift_endpoint.errors import InvalidRequest
from haylift_endpoint.ports import RequestClass

HEADER = "x-amzn-sagemaker-custom-attributes"

# AWS, InvokeEndpoint: "CustomAttributes", at most 1,024 characters.
_MAX_CHARS = 1024
_MAX_ID_CHARS = 128


@dataclass(frozen=True, slots=True)
class CallAttributes:
    """What a caller says beside the body; each part may be absent. `deadline_ms` is in epoch milliseconds."""

    deadline_ms: int | None = None
    request_class: RequestClass | None = None
    request_id: str | None = None


def read_attributes(header: str | None) -> CallAttributes:
    """Reads `deadline_ms=1790000000000,class=query,request_id=abc`, parts in any order, unknown keys ignored.

    Raises:
        InvalidRequest: A part is no `key=value`, a known key is there twice or has a wrong value, or the
            header is too long.
    """
    header = (header or "").strip()
    if len(header) > _MAX_CHARS:
        raise _wrong(f"has {len(header)} characters, at most {_MAX_CHARS} are allowed")
    found: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in header.split(","))):
        key, separator, value = (piece.strip() for piece in part.partition("="))
        if not separator:
            raise _wrong("has a part without =")
        if key not in _READERS:
            continue
        field, reader = _READERS[key]
        if field in found:
            raise _wrong(f"has {key} twice")
        found[field] = reader(value)
    return CallAttributes(**found)


def _deadline_ms(value: str) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > 15:
        raise _wrong("deadline_ms must be epoch milliseconds")
    return int(value)


def _request_class(value: str) -> RequestClass:
    if value == "query":
        return "query"
    if value == "document":
        return "document"
    raise _wrong("class must be query or document")


def _request_id(value: str) -> str:
    if not value or len(value) > _MAX_ID_CHARS or not value.isprintable():
        raise _wrong(f"request_id must be 1 to {_MAX_ID_CHARS} printable characters")
    return value


def _wrong(why: str) -> InvalidRequest:
    return InvalidRequest(f"custom attributes: {why}", param=HEADER)


_READERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "deadline_ms": ("deadline_ms", _deadline_ms),
    "class": ("request_class", _request_class),
    "request_id": ("request_id", _request_id),
}
