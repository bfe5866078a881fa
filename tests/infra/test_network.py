"""Functions inside the network reach only what has an endpoint there: S3, DynamoDB, SageMaker, SQS."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.assembly import ROOT, functions, resources, templates

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

REACHABLE = {"s3", "dynamodb", "sagemaker-runtime"}
CLIENT_MAKERS = {"make_client", "client", "resource"}
CORE = ROOT / "layers" / "core" / "python"


def clients_of(module: Path) -> set[str]:
    """The AWS services whose clients a module or anything it imports of ours makes."""
    trees = [ast.parse(path.read_text()) for path in _with_imports(module)]
    return {name for tree in trees for name in _clients(tree)}


def _clients(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in CLIENT_MAKERS and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def _with_imports(module: Path) -> set[Path]:
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        waiting += [file for name in _imports(path) if (file := _file_of(name)) is not None]
    return found


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _file_of(name: str) -> Path | None:
    for root in (CORE, ROOT):
        place = root.joinpath(*name.split("."))
        for candidate in (place.with_suffix(".py"), place / "__init__.py"):
            if candidate.is_file() and name.split(".", maxsplit=1)[0] in {"haylift", "functions"}:
                return candidate
    return None


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_search_and_ingestion_are_inside(stage: str) -> None:
    inside = {name for name, p in functions(templates(stage), stage).items() if "VpcConfig" in p}

    assert inside == {"search", "ingestion", "maintenance"}


@pytest.mark.parametrize("name", ["search", "ingestion"])
def test_functions_inside_call_only_what_they_can_reach(name: str) -> None:
    clients = clients_of(ROOT / "functions" / name / "handler.py")

    assert "dynamodb" in clients
    assert clients <= REACHABLE


def test_maintenance_sends_orders_too() -> None:
    clients = clients_of(ROOT / "functions" / "maintenance" / "handler.py")

    assert clients == {"s3", "dynamodb", "sqs"}


def test_a_client_out_of_reach_would_be_seen() -> None:
    clients = clients_of(ROOT / "functions" / "dispatch" / "handler.py")

    assert clients - REACHABLE == {"sqs"}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_network_has_these_endpoints_and_no_way_out(stage: str) -> None:
    stacks = templates(stage)
    endpoints = [p for _, _, p in resources(stacks, "AWS::EC2::VPCEndpoint")]

    kinds = sorted(endpoint["VpcEndpointType"] for endpoint in endpoints)

    assert kinds == ["Gateway", "Gateway", "Interface", "Interface"]
    for way_out in ("AWS::EC2::NatGateway", "AWS::EC2::InternetGateway", "AWS::EC2::EIP"):
        assert list(resources(stacks, way_out)) == []
    assert len(list(resources(stacks, "AWS::EC2::Subnet"))) == 2
