"""Markdown by markdown-it-py: paragraphs, lists, code and tables under their headings."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from haylift.domain.chunks import Block
from haylift.parsing.converter import Converted, Outline, SourceFile
from haylift.parsing.decoding import decode
from haylift.parsing.html import convert_text

MAX_NESTING = 10_000
"""markdown-it leaves out what lies deeper; Python's own limit ends such a file as damaged instead."""

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:[ \t]*[\"']?(.*?)[\"']?[ \t]*$", re.MULTILINE | re.IGNORECASE)
_TOP = 0


def convert(source: SourceFile) -> Converted:
    """A Markdown file's text; its title is the front matter's, else the first heading of level 1."""
    text = decode(source.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    front = _FRONT_MATTER.match(text)
    named = _FRONT_TITLE.search(front.group(1)) if front else None
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
    tokens = parser.parse(text[front.end() :] if front else text)
    title = named.group(1) if named else _first_heading(tokens)
    return Converted(title=title, blocks=_blocks(tokens))


def _first_heading(tokens: Sequence[Token]) -> str:
    for token, following in pairwise(tokens):
        if token.type == "heading_open" and token.tag == "h1":
            return _plain(following)
    return ""


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    """One block for each element of the top level; a list or a quote is one block."""
    outline = Outline()
    for element in _elements(tokens):
        first = element[0]
        if first.type == "heading_open":
            yield from outline.enter(int(first.tag[1]), _plain(element[1]))
        elif first.type == "html_block":
            for block in convert_text(first.content).blocks:
                yield outline.block(block.text, is_table=block.is_table)
        elif first.type == "table_open":
            yield outline.block("\n".join(_rows(element)), is_table=True)
        else:
            text = _text(element)
            if text.strip():
                yield outline.block(text)
    yield from outline.leave()


def _elements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    element: list[Token] = []
    depth = _TOP
    for token in tokens:
        element.append(token)
        depth += token.nesting
        if depth == _TOP:
            yield element
            element = []


def _rows(table: Sequence[Token]) -> Iterator[str]:
    cells: list[str] = []
    for token in table:
        if token.type == "inline":
            cells.append(" ".join(_plain(token).split()))
        elif token.type == "tr_close":
            yield " | ".join(cells)
            cells = []


def _text(element: Sequence[Token]) -> str:
    lines: list[str] = []
    depth = 0
    mark = ""
    for token in element:
        depth += token.nesting if token.type.endswith(("_list_open", "_list_close")) else 0
        if token.type == "list_item_open":
            mark = f"{token.info}{token.markup} " if token.info else "- "
        if token.type == "inline":
            text = _plain(token)
        elif token.type in {"fence", "code_block"}:
            text = token.content.rstrip("\n")
        elif token.type == "html_block":
            text = "\n".join(block.text for block in convert_text(token.content).blocks)
        elif token.type == "tr_close":
            text = ""
        else:
            continue
        if text:
            lines.append(f"{'  ' * max(0, depth - 1)}{mark}{text}" if mark else text)
            mark = ""
    return "\n".join(lines)


def _plain(inline: Token) -> str:
    """What a reader sees of a line: no marks, links as their text, pictures as their description."""
    parts = []
    for token in inline.children or ():
        if token.type in {"softbreak", "hardbreak"}:
            parts.append("\n")
        elif token.type in {"text", "code_inline", "text_special"}:
            parts.append(token.content)
        elif token.type == "image":
            parts.append(_plain(token) if token.children else token.content)
    return "".join(parts)
