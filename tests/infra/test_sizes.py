"""What a function unpacks to, with its layers; Lambda's limit is 262 MB."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stacks.layer_recipe import CORE, ROOT, BundleTarget, layer_archive, requirements_of, unpacked_bytes
from stacks.layers import API_LAYERS, INGESTION_LAYERS, SEARCH_LAYERS
from tests.contract.drift.contracts import function_names
from tests.infra.assembly import validated

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

ARM = BundleTarget(architecture="arm64", platform="aarch64-manylinux_2_28")
LIMITS_MB = {"api": (API_LAYERS, 60), "search": (SEARCH_LAYERS, 190), "ingestion": (INGESTION_LAYERS, 240)}
OWN_CODE_MB = 1
LAMBDA_RUNTIME = ROOT / ".tools" / "lambda-runtime" / "bin" / "python"


def too_large(sizes_mb: dict[str, float]) -> list[str]:
    """Packages above their limit."""
    return [name for name, size_mb in sizes_mb.items() if size_mb > LIMITS_MB[name][1]]


def sizes_of_packages() -> dict[str, float]:
    """Megabytes by kind of function, own code rounded up."""
    return {
        name: round(sum(unpacked_bytes(layer_archive(layer, ARM)) for layer in layers) / 1e6 + OWN_CODE_MB, 1)
        for name, (layers, _) in LIMITS_MB.items()
    }


def test_packages_stay_within_their_limits(capsys: pytest.CaptureFixture[str]) -> None:
    validated()

    sizes_mb = sizes_of_packages()

    with capsys.disabled():
        print(f"\nunpacked, with layers and .pyc (MB): {sizes_mb}")
    assert too_large(sizes_mb) == []


def test_a_large_package_would_be_seen() -> None:
    assert too_large({"api": 61.0, "search": 190.0, "ingestion": 241.0}) == ["api", "ingestion"]


def test_functions_hold_their_own_folder_only() -> None:
    synthesis = validated()["local"]
    folders = [path for path in synthesis.folder.glob("asset.*") if path.is_dir()]

    contents = {
        tuple(sorted(entry.name for entry in (folder / "functions").iterdir())): sum(
            file.stat().st_size for file in folder.rglob("*") if file.is_file()
        )
        for folder in folders
    }

    assert set(contents) == {("__init__.py", name) for name in function_names()}
    assert max(contents.values()) < OWN_CODE_MB * 1e6


def test_what_the_runtime_brings_is_not_packed() -> None:
    packed = {name for layer in ("api", "search", "parsing") for name in _packages(layer_archive(layer, ARM))}

    assert {"boto3", "botocore", "awslambdaric"} & packed == set()


def test_a_layer_repeats_nothing_of_the_layers_below() -> None:
    below = {line.split("==")[0] for line in requirements_of("api").splitlines() if "==" in line}
    search = {line.split("==")[0] for line in requirements_of("search").splitlines() if "==" in line}

    assert "pydantic" in below
    assert below & search == set()


def test_modules_are_compiled_with_unchecked_hashes_and_no_path_of_this_machine() -> None:
    archive = layer_archive(CORE, ARM)

    with zipfile.ZipFile(archive) as packed:
        compiled = [packed.read(name) for name in packed.namelist() if name.endswith(".pyc")]
        dates = {entry.date_time for entry in packed.infolist()}

    assert len(compiled) > 20
    # PEP 552: flags 1 say "hash-based, not checked".
    assert {module[4:8] for module in compiled} == {b"\x01\x00\x00\x00"}
    assert not any(str(ROOT).encode() in module for module in compiled)
    assert dates == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.skipif(not LAMBDA_RUNTIME.exists(), reason="the runtime's environment comes with `make setup`")
@pytest.mark.parametrize(
    ("function", "layers"),
    [
        ("auth", API_LAYERS),
        ("authorizer", API_LAYERS),
        ("documents", API_LAYERS),
        ("dispatch", API_LAYERS),
        ("search", SEARCH_LAYERS),
        ("ingestion", INGESTION_LAYERS),
    ],
)
def test_every_handler_imports_from_its_layers_alone(
    function: str, layers: tuple[str, ...], tmp_path: Path
) -> None:
    target = BundleTarget(architecture=_architecture_of_local(), platform=None)
    for layer in layers:
        with zipfile.ZipFile(layer_archive(layer, target)) as packed:
            packed.extractall(tmp_path)
    command = f"import functions.{function}.handler"

    done = subprocess.run(
        [LAMBDA_RUNTIME, "-W", "ignore", "-c", command],
        cwd=ROOT,
        env={"PYTHONPATH": f"{tmp_path / 'python'}", "HAYSTACK_TELEMETRY_ENABLED": "False", "HOME": "/tmp"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def _architecture_of_local() -> str:
    template = validated()["local"].templates["search-api"]
    architectures = {
        json.dumps(r["Properties"]["Architectures"])
        for r in template["Resources"].values()
        if r["Type"] == "AWS::Lambda::Function"
    }
    assert len(architectures) == 1, sys.platform
    return str(json.loads(architectures.pop())[0])


def _packages(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as packed:
        return {name.split("/")[1] for name in packed.namelist()}
