"""Filter patterns of CloudWatch Logs: which messages one matches. Pure functions.

Source: "Filter pattern syntax for metric filters, subscription filters, filter log events". Terms, phrases,
`?any`, `-none` and `%expression%` for text; `{ $.property = value }` with && || and parentheses for JSON.
Patterns of space-delimited fields (`[a, b]`) are refused.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from functools import cache
from operator import ge, gt, le, lt
from typing import Any

Matches = Callable[[str], bool]
Condition = Callable[[Any], bool]


class PatternFault(ValueError):
    """CloudWatch Logs refuses this pattern as invalid."""


@cache
def compiled(pattern: str) -> Matches:
    """The test that a pattern stands for; `PatternFault` for none, or a kind that is not known here."""
    text = pattern.strip()
    if text.startswith("{") and text.endswith("}"):
        return _json_test(text)
    if text.startswith(("{", "[")):
        raise PatternFault(f"Invalid filter pattern {pattern}")
    return _text_test(text)


_TERM = re.compile(r'(?P<sign>[-?]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>[^\s"]+))')


def _text_test(text: str) -> Matches:
    """Terms are all needed, unless there are `?` terms: then one of them is, and the others are ignored."""
    by_sign: dict[str, list[Matches]] = {"": [], "?": [], "-": []}
    for found in _TERM.finditer(text):
        by_sign[found["sign"]].append(_term_test(found))
    needed, optional, excluded = by_sign[""], by_sign["?"], by_sign["-"]

    def matches(message: str) -> bool:
        if any(test(message) for test in excluded):
            return False
        if optional:
            return any(test(message) for test in optional)
        return all(test(message) for test in needed)

    return matches


def _term_test(found: re.Match[str]) -> Matches:
    if found["regex"] is not None:
        expression = re.compile(found["regex"])
        return lambda message: expression.search(message) is not None
    phrase, word = found["phrase"], found["word"]
    wanted = word if phrase is None else phrase.replace('\\"', '"')
    return lambda message: wanted in message


_TOKEN = re.compile(
    r'\s*(?:(?P<sign>&&|\|\||!=|>=|<=|=|>|<|\(|\))|(?P<path>\$(?:\.[\w@-]+|\[(?:\d+|\*|"[^"]+")\])*)'
    r'|"(?P<text>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>[^\s()&|=<>!]+))'
)


def _json_test(text: str) -> Matches:
    reader = _Reader(text)
    condition = reader.disjunction()
    reader.expect_end()

    def matches(message: str) -> bool:
        if not message.lstrip().startswith("{"):
            return False
        try:
            return condition(json.loads(message))
        except ValueError:
            return False

    return matches


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._scan(text.strip()[1:-1]))

    def _scan(self, text: str) -> Iterator[tuple[str, str]]:
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._fault()
            at = found.end()
            yield str(found.lastgroup), str(found[str(found.lastgroup)])
        yield "end", ""

    def _fault(self) -> PatternFault:
        return PatternFault(f"Invalid filter pattern {self._text}")

    def _next(self) -> tuple[str, str]:
        if self._tokens[0][0] == "end":
            raise self._fault()
        return self._tokens.pop(0)

    def _takes(self, word: str) -> bool:
        is_next = self._tokens[0][0] in {"sign", "word"} and self._tokens[0][1] == word
        if is_next:
            self._tokens.pop(0)
        return is_next

    def expect_end(self) -> None:
        if self._tokens[0][0] != "end":
            raise self._fault()

    def disjunction(self) -> Condition:
        parts = [self._conjunction()]
        while self._takes("||"):
            parts.append(self._conjunction())
        return lambda record: any(part(record) for part in parts)

    def _conjunction(self) -> Condition:
        parts = [self._operand()]
        while self._takes("&&"):
            parts.append(self._operand())
        return lambda record: all(part(record) for part in parts)

    def _operand(self) -> Condition:
        if self._takes("("):
            inner = self.disjunction()
            if not self._takes(")"):
                raise self._fault()
            return inner
        kind, path = self._next()
        if kind != "path":
            raise self._fault()
        test, is_absence = self._comparison()
        if is_absence:
            return lambda record: not any(True for _ in _found(record, path))
        return lambda record: any(test(value) for value in _found(record, path))

    def _comparison(self) -> tuple[Condition, bool]:
        """The test of a property's value, and whether it is one of absence."""
        if self._takes("IS"):
            kind, word = self._next()
            if kind != "word" or word not in _CONSTANTS:
                raise self._fault()
            return (lambda value: value is _CONSTANTS[word]), False
        if self._takes("NOT"):
            if not self._takes("EXISTS"):
                raise self._fault()
            return (lambda _value: False), True
        if self._takes("EXISTS"):
            return (lambda _value: True), False
        kind, sign = self._next()
        of, wanted = self._next()
        if kind != "sign" or of not in {"text", "word", "regex"}:
            raise self._fault()
        return self._of_sign(sign, of, wanted), False

    def _of_sign(self, sign: str, of: str, wanted: str) -> Condition:
        equals = _equals(of, wanted)
        if sign == "=":
            return equals
        if sign == "!=":
            return lambda value: not equals(value)
        number, compare = _number(wanted), _ORDER.get(sign)
        if math.isnan(number) or compare is None:
            raise self._fault()
        return lambda value: (
            isinstance(value, int | float) and not isinstance(value, bool) and compare(value, number)
        )


_CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}
_ORDER: dict[str, Callable[[float, float], bool]] = {">": gt, "<": lt, ">=": ge, "<=": le}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _equals(of: str, wanted: str) -> Condition:
    """Equality with a value, where `*` stands for any text; a number equals a number."""
    if of == "regex":
        expression = re.compile(wanted)
        return lambda value: isinstance(value, str) and expression.search(value) is not None
    plain = wanted.replace('\\"', '"') if of == "text" else wanted
    whole = re.compile(".*".join(map(re.escape, plain.split("*"))), re.DOTALL)
    number = _number(wanted)

    def equals(value: Any) -> bool:
        if plain == "*":
            return True
        if isinstance(value, bool) or value is None:
            return False
        if isinstance(value, int | float):
            return value == number
        return isinstance(value, str) and whole.fullmatch(value) is not None

    return equals


_STEP = re.compile(r'\.([\w@-]+)|\[(?:(\d+)|(\*)|"([^"]+)")\]')


def _found(record: Any, path: str) -> Iterator[Any]:
    """The values at a path such as `$.a.b[0].c`; nothing where the record has none."""
    values = [record]
    for name, index, every, quoted in _STEP.findall(path):
        values = [below for value in values for below in _below(value, name or quoted, index, every)]
    yield from values


def _below(value: Any, name: str, index: str, every: str) -> list[Any]:
    if isinstance(value, dict):
        return [value[name]] if name in value else []
    if isinstance(value, list):
        return value if every else value[int(index) : int(index) + 1] if index else []
    return []
