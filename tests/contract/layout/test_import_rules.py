"""The six import contracts hold, and each is broken by one forbidden import."""

import shutil
import tomllib
from pathlib import Path

import pytest

from tests.contract.layout.import_rules import PACKAGES, ROOT, broken_contracts

pytestmark = pytest.mark.timeout(300)

CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
# Which file breaks which contract by one more line.
FAULTS = {
    "inward": ("layers/core/python/haylift/domain/documents.py", "import haylift.services"),
    "pure": ("layers/core/python/haylift/services/__init__.py", "import boto3"),
    "functions": ("functions/auth/contract.py", "import functions.search.contract"),
    "wiring": ("functions/auth/app.py", "import haylift.adapters.aws"),
    "stacks": ("stacks/storage.py", "import functions.auth.app"),
    "gpu": ("layers/core/python/haylift/adapters/aws.py", "import onnxruntime"),
}
FORBIDDEN_SDKS = {
    "boto3", "botocore", "haystack", "fastapi", "mangum", "httpx", "redis", "sqlite3", "opensearchpy",
    "numpy", "requests", "aws_lambda_powertools", "os",
}  # fmt: skip


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_all_contracts_hold() -> None:
    assert broken_contracts(ROOT) == set()


def test_every_contract_has_its_fault() -> None:
    assert set(FAULTS) == set(CONTRACTS)


@pytest.mark.parametrize("contract", FAULTS)
def test_one_forbidden_import_breaks_its_contract(contract: str, copied_tree: Path) -> None:
    file, line = FAULTS[contract]
    module = copied_tree / file
    module.write_text(f"{module.read_text()}\n{line}\n")

    assert CONTRACTS[contract] in broken_contracts(copied_tree)


def test_the_inner_layers_are_denied_every_sdk_and_framework() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

    (pure,) = [contract for contract in contracts if contract["id"] == "pure"]

    assert set(pure["forbidden_modules"]) >= FORBIDDEN_SDKS
    assert pure["source_modules"] == ["haylift.domain", "haylift.ports", "haylift.services"]
