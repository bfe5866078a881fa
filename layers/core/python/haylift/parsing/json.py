"""JSON: values as lines `name: value` under the path of names that leads to them."""

import json
from collections.abc import Iterator
from typing import Any

from haylift.domain.chunks import Block
from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import MAX_HEADING_CHARS, Converted, SourceFile
from haylift.parsing.decoding import decode
from haylift.parsing.text import paragraphs

SMALL_CHARS = 400
"""A value that is no longer as text stands whole in one block, with the names inside it before its lines."""

MAX_HEADINGS = 6
"""What lies deeper is named before its lines: a longer path would crowd the text out of the model's input."""

TITLES = ("title", "name", "subject", "label")
"""Names whose value at the top names the document."""


class Members(list[tuple[str, Any]]):
    """An object's names and values; a name that stands twice is kept twice."""


def convert(source: SourceFile) -> Converted:
    """A JSON file's values; what does not parse (comments, another dialect) is read as text.

    Raises:
        DocumentRejected: `parser_limit` when it is nested deeper than Python follows.
    """
    text = decode(source.read_bytes()).removeprefix("\ufeff")
    try:
        value = parse(text)
    except ValueError:
        return Converted(title="", blocks=paragraphs(text))
    return Converted(title=title_of(value), blocks=blocks(value, ()))


def parse(text: str) -> Any:
    """The value, numbers as they are written.

    Raises:
        ValueError: it is no JSON.
        DocumentRejected: `parser_limit` as above.
    """
    try:
        return json.loads(text, object_pairs_hook=Members, parse_int=str, parse_float=str)
    except RecursionError:
        raise DocumentRejected("The JSON is nested too deep.", reason="parser_limit") from None


def title_of(value: Any) -> str:
    """What the document calls itself; empty when it does not say."""
    if not isinstance(value, Members):
        return ""
    names = {name.lower(): found for name, found in value if isinstance(found, str)}
    return next((names[name] for name in TITLES if names.get(name)), "")


def blocks(value: Any, path: tuple[str, ...]) -> Iterator[Block]:
    """The value's blocks, each with its path as headings; small rows of a list share its path."""
    waiting: list[tuple[Any, tuple[str, ...]]] = [(value, path)]
    while waiting:
        value, path = waiting.pop()
        lines = small_lines(value)
        if lines is not None:
            yield from _block(lines, path)
            continue
        plain: list[str] = []
        deeper: list[tuple[Any, tuple[str, ...]]] = []
        is_list = not isinstance(value, Members)
        for name, member in enumerate(value) if is_list else value:
            lines = small_lines(member, "" if is_list else str(name))
            if lines is None and isinstance(member, list):
                deeper.append((member, _under(path, name)))
            elif lines is None:
                plain += [f"{name}: {_scalar(member)}" if not is_list else _scalar(member)]
            elif isinstance(member, Members) and is_list:
                deeper.append((member, path))
            else:
                plain += lines
        yield from _block(plain, path)
        waiting += reversed(deeper)


def _under(path: tuple[str, ...], name: str | int) -> tuple[str, ...]:
    """`items` and 3 are one heading, `items[3]`."""
    if isinstance(name, str):
        return (*path, name)
    return (*path[:-1], f"{path[-1] if path else ''}[{name}]")


def small_lines(value: Any, name: str = "") -> list[str] | None:
    """The value's lines when they are few; None: it must be looked into."""
    lines: list[str] = []
    waiting = [(name, value)]
    chars = 0
    while waiting:
        place, found = waiting.pop()
        if isinstance(found, Members):
            waiting += reversed([(f"{place}.{each}" if place else each, member) for each, member in found])
        elif isinstance(found, list) and any(isinstance(each, list) for each in found):
            waiting += reversed([(place, each) for each in found])
        else:
            text = ", ".join(map(_scalar, found)) if isinstance(found, list) else _scalar(found)
            lines.append(f"{place}: {text}" if place else text)
            chars += len(lines[-1])
        if chars > SMALL_CHARS or len(waiting) > SMALL_CHARS:
            return None
    return lines


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _block(lines: list[str], path: tuple[str, ...]) -> Iterator[Block]:
    text = "\n".join(lines)
    if not text.strip():
        return
    headings = tuple(name for name in path[:MAX_HEADINGS] if name.strip())
    rest = path[MAX_HEADINGS:]
    if rest or any(len(name) > MAX_HEADING_CHARS for name in headings):
        text = f"{' > '.join(path)}\n{text}" if not rest else f"{' > '.join(rest)}\n{text}"
        headings = tuple(name for name in headings if len(name) <= MAX_HEADING_CHARS)
    yield Block(text=text, headings=headings)
