"""HTML by selectolax: headings, paragraphs, lists and tables of what a reader sees."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from haylift.domain.chunks import Block
from haylift.parsing.converter import Converted, Outline, SourceFile
from haylift.parsing.decoding import decode

UNSEEN_TAGS = ("head", "script", "style", "nav", "noscript", "template", "iframe", "svg", "object")
HEADING_LEVELS = {f"h{level}": level for level in range(1, 7)}
BLOCK_TAGS = frozenset(HEADING_LEVELS) | {
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "dialog", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "li",
    "main", "ol", "option", "p", "pre", "section", "select", "summary", "table", "textarea", "ul",
}  # fmt: skip
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_CLOSED = re.compile(r"<(title|script|style|textarea|iframe|noscript|template|object)\b([^<>]*)/>", re.I)
_SPACE = re.compile(r"\s+")
DECLARATION_BYTES = 1_024
"""Where HTML wants its encoding declared (WHATWG, "Determining the character encoding")."""


def convert(source: SourceFile) -> Converted:
    """A page's text; its title is `<title>`, else the first `<h1>`."""
    data = source.read_bytes()
    declared = _CHARSET.search(data[:DECLARATION_BYTES])
    html = decode(data, declared.group(1).decode("ascii", "replace") if declared else "")
    return convert_xhtml(html) if html.lstrip("\ufeff \r\n").startswith("<?xml") else convert_text(html)


def convert_xhtml(xhtml: str) -> Converted:
    """The same for XHTML, where `<title/>` is whole: HTML would take the rest of the page for the title."""
    return convert_text(_CLOSED.sub(r"<\1\2></\1>", xhtml))


def convert_text(html: str) -> Converted:
    """The same for HTML that is text already."""
    tree = LexborHTMLParser(html)
    title = tree.css_first("title") or tree.css_first("h1")
    name = " ".join(title.text().split()) if title else ""
    for unseen in tree.css(", ".join(UNSEEN_TAGS)):
        unseen.decompose()
    return Converted(title=name, blocks=_Reading().read(tree.body or tree.root))


class _Reading:
    """Walks the tree once without recursion, however deep it is."""

    def __init__(self) -> None:
        self._outline = Outline()
        self._parts: list[str] = []
        self._table_depth = 0
        self._pre_depth = 0

    def read(self, root: LexborNode | None) -> Iterator[Block]:
        node, depth = root, 0
        while node is not None:
            yield from self._start(node)
            if node.child is not None:
                node, depth = node.child, depth + 1
                continue
            yield from self._end(node)
            while depth and node.next is None:
                node, depth = _parent(node), depth - 1
                yield from self._end(node)
            node = node.next if depth else None
        yield from self._flush()
        yield from self._outline.leave()

    def _start(self, node: LexborNode) -> Iterator[Block]:
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            self._parts.append(text if self._pre_depth else _SPACE.sub(" ", text))
        elif tag == "br":
            self._parts.append("\n")
        elif tag in BLOCK_TAGS and self._table_depth:
            self._parts.append(" ")
        elif tag in BLOCK_TAGS:
            yield from self._flush()
        self._table_depth += tag == "table"
        self._pre_depth += tag in {"pre", "textarea"}
        if tag == "li" and not self._table_depth:
            self._parts.append("- ")

    def _end(self, node: LexborNode) -> Iterator[Block]:
        tag = node.tag or ""
        if tag == "table":
            yield from self._flush(is_table=self._table_depth == 1)
        elif self._table_depth and tag in {"td", "th"}:
            self._parts.append(" | ")
        elif self._table_depth and tag == "tr":
            self._parts.append("\n")
        elif self._table_depth and tag in BLOCK_TAGS:
            self._parts.append(" ")
        elif tag in HEADING_LEVELS:
            yield from self._outline.enter(HEADING_LEVELS[tag], self._taken())
        elif tag in BLOCK_TAGS:
            yield from self._flush()
        self._table_depth -= tag == "table"
        self._pre_depth -= tag in {"pre", "textarea"}

    def _taken(self) -> str:
        text = "".join(self._parts)
        self._parts = []
        return text

    def _flush(self, *, is_table: bool = False) -> Iterator[Block]:
        if self._table_depth > 1:
            return
        lines = [line.strip() if is_table or not self._pre_depth else line for line in self._lines()]
        if is_table:
            lines = [" ".join(line.removesuffix("|").split()) for line in lines]
            lines = [line for line in lines if line]
        text = "\n".join(lines).strip("\n") if self._pre_depth else "\n".join(lines).strip()
        if text.strip() not in {"", "-"}:
            yield self._outline.block(text, is_table=is_table)

    def _lines(self) -> list[str]:
        return self._taken().split("\n")


def _parent(node: LexborNode) -> LexborNode:
    if node.parent is None:
        raise ValueError("a node below the root has a parent")
    return node.parent
