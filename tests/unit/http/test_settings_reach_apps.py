"""Every function behind the API gives its settings, with origins and hosts, on to its application."""

import ast
from dataclasses import fields

from haylift.settings import HttpSettings

from tests.contract.drift.contracts import ROOT, contract_of, functions_with


def gives_settings(handler: str) -> bool:
    """Whether every `create_app(...)` of a handler's source gets `settings`."""
    calls = [
        node
        for node in ast.walk(ast.parse(handler))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "create_app"
    ]
    given = [[ast.unparse(argument) for argument in call.args] for call in calls]
    return bool(given) and all("settings" in arguments for arguments in given)


def handler_of(name: str) -> str:
    return (ROOT / "functions" / name / "handler.py").read_text(encoding="utf-8")


def test_every_function_behind_the_api_gives_its_settings_on() -> None:
    names = functions_with("ROUTES")

    assert names == ["auth", "documents", "metrics", "reference", "search"]
    assert [name for name in names if not gives_settings(handler_of(name))] == []


def test_a_handler_that_forgets_them_would_be_seen() -> None:
    assert not gives_settings(handler_of("metrics").replace(", settings))", "))"))


def test_every_function_behind_the_api_knows_origins_and_hosts() -> None:
    wanted = {field.name for field in fields(HttpSettings)}

    for name in functions_with("ROUTES"):
        assert wanted <= {field.name for field in fields(contract_of(name).Settings)}
