"""The list of error codes is the code's: each that a caller can meet is explained, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from haylift.domain import errors
from haylift.domain.errors import HayliftError
from haylift.http.problems import status_of

ROOT = Path(__file__).parents[3]
LIST = ROOT / "samples" / "error-codes.txt"
SOURCES = (ROOT / "layers" / "core" / "python" / "haylift", ROOT / "functions")
PROBLEMS = SOURCES[0] / "http" / "problems.py"
GATEWAY = ROOT / "stacks" / "gateway_responses.py"
SENTENCE = re.compile(r"^The code (\w+) with status (\d{3}) ", re.MULTILINE)

NEVER_ANSWERED = {
    # Of an operator's command, which changes the table itself.
    "user_exists", "user_not_found",
    # Of messages and events, whose reader logs them.
    "invalid_event", "foreign_bucket", "invalid_order", "invalid_sequencer", "invalid_key",
    # Of ingestion: a verdict, another worker's turn, a text of a document, a model that has too much to do.
    "document_rejected", "out_of_turn", "text_too_long", "model_refused_input", "model_busy",
    # Of the authorizer, whose refusals the gateway answers as `unauthorized`.
    "token_invalid",
    # The tenant of a verified token always is a name.
    "invalid_name",
    # Callers go on without the cache; the classes above the ones with a name of their own are not raised.
    "cache_unavailable", "dependency_unavailable", "not_found",
}  # fmt: skip
"""Codes that no caller of the API meets."""

type Code = tuple[str, int]


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rsplit(".", 1)[-1], node


def _raised() -> Iterator[Code]:
    """Codes of errors: of each class itself, and those that a `raise` names."""
    kinds = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, HayliftError)
    }
    for kind in kinds.values():
        yield kind.code, status_of(kind.__new__(kind))
    for folder in SOURCES:
        for path in folder.rglob("*.py"):
            for name, call in _calls(path):
                given = next((word.value for word in call.keywords if word.arg == "code"), None)
                code = _text(given) or str(getattr(errors, ast.unparse(given), "")) if given else ""
                if name in kinds and code:
                    yield code, status_of(kinds[name].__new__(kinds[name]))


def _answered() -> Iterator[Code]:
    """Codes that the HTTP layer gives: of a body's fields, and of what never reaches a route."""
    for folder in SOURCES:
        for path in folder.rglob("*.py"):
            for name, call in _calls(path):
                if name == "invalid_field":
                    yield _text(call.args[0]), 400
                if name == "problem" and isinstance(call.args[0], ast.Constant) and _text(call.args[1]):
                    yield _text(call.args[1]), int(str(call.args[0].value))
    for node in ast.walk(ast.parse(PROBLEMS.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Dict):
            for status, value in zip(node.keys, node.values, strict=True):
                if isinstance(value, ast.Tuple) and isinstance(status, ast.Constant):
                    yield _text(value.elts[0]), int(str(status.value))


def _of_the_gateway() -> Iterator[Code]:
    for name, call in _calls(GATEWAY):
        if name == "GatewayProblem":
            words = {word.arg: word.value for word in call.keywords}
            status = words["status"]
            if isinstance(status, ast.Constant) and isinstance(status.value, int):
                yield _text(words["code"]), status.value


def codes() -> set[Code]:
    """Every code with its status that a caller of the API can meet."""
    found = {*_raised(), *_answered(), *_of_the_gateway()}
    return {(code, status) for code, status in found if code not in NEVER_ANSWERED}


def check_the_list(text: str) -> None:
    """The list explains each code with each of its statuses, once, and no other."""
    explained = [(code, int(status)) for code, status in SENTENCE.findall(text)]
    assert sorted(explained) == sorted(codes())


def test_the_list_has_every_code_and_no_other() -> None:
    check_the_list(LIST.read_text(encoding="utf-8"))


def test_the_codes_are_found_where_they_are_written() -> None:
    assert {
        ("invalid_path", 400),
        ("invalid_cursor", 400),
        ("empty_query", 400),
        ("invalid_refresh_token", 401),
        ("method_not_allowed", 405),
        ("timeout", 408),
        ("timeout", 504),
        ("body_too_large", 413),
        ("too_many_requests", 429),
        ("internal_error", 500),
        ("model_sleeping", 503),
        ("store_unavailable", 503),
    } <= codes()
    assert {*_raised()} >= {("user_exists", 400), ("model_busy", 503)}


def test_what_is_never_answered_is_still_there() -> None:
    assert {code for code, _ in _raised()} >= NEVER_ANSWERED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("The code invalid_cursor with status 400 ", "A wrong cursor "),
        ("The code invalid_path with status 400 ", "The code invalid_place with status 400 "),
        ("The code timeout with status 504 ", "The code timeout with status 500 "),
    ],
)
def test_the_check_of_the_list_can_fail(old: str, new: str) -> None:
    text = LIST.read_text(encoding="utf-8")
    assert old in text

    with pytest.raises(AssertionError):
        check_the_list(text.replace(old, new))
