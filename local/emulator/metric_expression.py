"""The syntax of metric math: an expression as a tree. Pure; nothing is evaluated.

Source: "Using metric math", section "Metric math syntax and functions".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<word>[A-Za-z_]\w*)|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>(),\[\]]))"
)
# Weakest first.
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("OR",), ("AND",), ("==", "!=", "<", ">", "<=", ">="), ("+", "-"), ("*", "/"), ("^",),
)  # fmt: skip
_SAME = {"&&": "AND", "||": "OR"}
_MAX_DEPTH = 60


class ExpressionFault(ValueError):
    """The text is no metric math expression, or asks for what alarms do not support."""


@dataclass(frozen=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True)
class Text:
    """A quoted string."""

    value: str


@dataclass(frozen=True)
class Name:
    """The id of a metric or expression, or a keyword such as REPEAT."""

    value: str


@dataclass(frozen=True)
class Operation:
    """Two operands; comparisons and logic give 1 or 0."""

    sign: str
    left: "Tree"
    right: "Tree"


@dataclass(frozen=True)
class Call:
    """A function; `[a, b]` is a call of the function `[]`."""

    function: str
    arguments: "tuple[Tree, ...]"


Tree = Number | Text | Name | Operation | Call


def names(tree: Tree) -> Iterator[str]:
    """Every name in a tree, in order."""
    if isinstance(tree, Name):
        yield tree.value
    elif isinstance(tree, Operation):
        yield from names(tree.left)
        yield from names(tree.right)
    elif isinstance(tree, Call):
        for argument in tree.arguments:
            yield from names(argument)


def parse(text: str) -> Tree:
    """The tree of an expression; `ExpressionFault` names the place where it stops to be one."""
    reader = _Reader(text)
    tree = reader.operation(0)
    reader.expect("")
    return tree


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._scan(text))
        self._depth = 0

    def _scan(self, text: str) -> Iterator[tuple[str, str]]:
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._fault(text[at:].strip())
            kind, at = str(found.lastgroup), found.end()
            word = found[kind]
            yield ("sign" if word in {"AND", "OR"} else kind), _SAME.get(word, word)
        yield "end", ""

    def _fault(self, at: str) -> ExpressionFault:
        return ExpressionFault(f"Error in expression '{self._text}': unexpected {at or 'end'}")

    def expect(self, sign: str) -> None:
        kind, found = self._tokens.pop(0)
        if found != sign or kind not in {"sign", "end"}:
            raise self._fault(found)

    def _takes(self, signs: tuple[str, ...]) -> str | None:
        kind, found = self._tokens[0]
        if kind == "sign" and found in signs:
            self._tokens.pop(0)
            return found
        return None

    def operation(self, level: int) -> Tree:
        """A chain of operations of one strength, grouped from the left."""
        if level == len(_LEVELS):
            return self._operand()
        left = self.operation(level + 1)
        while sign := self._takes(_LEVELS[level]):
            left = Operation(sign, left, self.operation(level + 1))
        return left

    def _operand(self) -> Tree:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._fault("nesting")
        try:
            return self._one_operand()
        finally:
            self._depth -= 1

    def _one_operand(self) -> Tree:
        kind, found = self._tokens.pop(0)
        if kind == "number":
            return Number(float(found))
        if kind == "text":
            return Text(found[1:-1])
        if kind == "word":
            return Call(found.upper(), self._arguments(")")) if self._takes(("(",)) else Name(found)
        if found == "-":
            return Operation("-", Number(0), self.operation(len(_LEVELS) - 1))
        if found == "[":
            return Call("[]", self._arguments("]"))
        if found == "(":
            inner = self.operation(0)
            self.expect(")")
            return inner
        raise self._fault(found)

    def _arguments(self, end: str) -> tuple[Tree, ...]:
        if self._takes((end,)):
            return ()
        arguments = [self.operation(0)]
        while self._takes((",",)):
            arguments.append(self.operation(0))
        self.expect(end)
        return tuple(arguments)
