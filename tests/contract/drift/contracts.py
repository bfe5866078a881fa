"""The functions of this checkout and what each agrees on with its stack, found by their folders."""

import importlib
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[3]


def function_names() -> list[str]:
    """Every folder of `functions/` that holds a contract."""
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/contract.py"))


def contract_of(name: str) -> ModuleType:
    """The contract of a function."""
    return importlib.import_module(f"functions.{name}.contract")


def functions_with(attribute: str) -> list[str]:
    """Functions whose contract has `ROUTES` or `SOURCES`."""
    return [name for name in function_names() if hasattr(contract_of(name), attribute)]
