"""Lock 2: a function's folder is its name, its handler's path, and what is packed."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.contract.drift.contracts import ROOT, function_names
from tests.infra.assembly import STAGES, Resource, functions, templates

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]


def handler_faults(deployed: Mapping[str, Resource], folders: Path) -> list[str]:
    """Functions whose handler is not the one of their folder."""
    faults = []
    for name, function in deployed.items():
        expected = f"functions.{name}.handler.handler"
        if function["Handler"] != expected:
            faults.append(f"{name}: the handler is {function['Handler']}, not {expected}")
        module = folders / name / "handler.py"
        if not module.is_file() or "\ndef handler(" not in module.read_text():
            faults.append(f"{name}: there is no handler in functions/{name}/handler.py")
    return faults


@pytest.mark.parametrize("stage", STAGES)
def test_every_folder_is_deployed_with_its_own_handler(stage: str) -> None:
    deployed = functions(templates(stage), stage)

    assert sorted(deployed) == function_names()
    assert handler_faults(deployed, ROOT / "functions") == []


def test_a_handler_of_another_folder_would_be_seen() -> None:
    deployed = {"search": {"Handler": "functions.auth.handler.handler"}}

    assert len(handler_faults(deployed, ROOT / "functions")) == 1


def test_a_folder_without_a_handler_would_be_seen(tmp_path: Path) -> None:
    deployed = {"search": {"Handler": "functions.search.handler.handler"}}

    assert handler_faults(deployed, tmp_path) == [
        "search: there is no handler in functions/search/handler.py"
    ]
