"""The checks behind `make lint`, `test`, `synth`, `verify` and `lock`, each printed with its time.

All checks of a target run even when one has failed, so that one run shows everything there is to repair.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.toolchain import BIN, ROOT, cdk_environment

STAGES = ("local", "dev", "prod")
# What the stage `local` asks for; the others do not read it.
LOCAL_CONTEXT = ("-c", "cache_endpoint=127.0.0.1:6379", "-c", "index_dir=/var/lib/haylift/index")
# Each lock may constrain the next, so the order matters.
LOCKS = ("api", "search", "parsing", "ocr", "runtime", "dev")
GPU_ENDPOINT = ROOT / "gpu_endpoint"
TEST_PROCESSES = 2
"""The smallest machine has so many cores; a file's tests stay together, and so do their fixtures."""


@dataclass(frozen=True)
class Check:
    """One command that must succeed."""

    name: str
    command: Sequence[str | Path]
    folder: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)


def lint() -> list[Check]:
    """Format, lint rules, types, import contracts."""
    return [
        Check("format", [BIN / "ruff", "format", "--check", "--quiet", "."]),
        Check("lint", [BIN / "ruff", "check", "--quiet", "."]),
        Check("imports", [BIN / "lint-imports"]),
        Check("types", [BIN / "mypy"]),
        Check("types of gpu_endpoint", [GPU_ENDPOINT / ".venv" / "bin" / "mypy"], GPU_ENDPOINT),
    ]


def tests(**environment: str) -> list[Check]:
    """The project's tests, and those of the model endpoint under its own environment.

    Those of the running system have the machine for themselves: drills measure how soon alarms ring.
    """
    endpoint_python = GPU_ENDPOINT / ".venv" / "bin" / "python"
    pytest: list[str | Path] = [BIN / "python", "-m", "pytest"]
    parts = [*pytest, "tests", "--ignore=tests/e2e", f"--numprocesses={TEST_PROCESSES}", "--dist=loadfile"]
    return [
        Check("tests of the parts", parts, ROOT, environment),
        Check("tests of the system", [*pytest, "tests/e2e"], ROOT, environment),
        Check("tests of gpu_endpoint", [endpoint_python, "-m", "pytest"], GPU_ENDPOINT),
    ]


def synth() -> list[Check]:
    """`cdk synth` of every stage with CDK's own template validation on."""
    cdk = ROOT / "node_modules" / ".bin" / "cdk"
    environment = {**cdk_environment(), "CDK_VALIDATION": "true"}
    return [
        Check(
            f"synth {stage}",
            [cdk, "synth", "-q", "-c", f"stage={stage}", *LOCAL_CONTEXT, "-o", f"cdk.out.{stage}"],
            ROOT,
            environment,
        )
        for stage in STAGES
    ]


def lock() -> list[Check]:
    """Resolve the requirements again; no registry address is written into the files."""
    compile_lock: list[str | Path] = [ROOT / ".tools" / "uv" / "bin" / "uv", "pip", "compile", "-q"]
    compile_lock += ["--generate-hashes", "--no-header", "--no-emit-index-url", "--universal"]
    compile_lock += ["--python-version", "3.13"]
    files = {name: (f"requirements/{name}.in", f"requirements/{name}.txt") for name in LOCKS}
    return [
        Check(f"lock {name}", [*compile_lock, here, "-o", there]) for name, (here, there) in files.items()
    ]


TARGETS = {
    "lint": lint,
    "test": lambda: [*lint(), *tests()],
    "synth": synth,
    # The API is asked for 2,000 cases of its document and more, instead of a sample; the lab runs 10,000
    # interleavings instead of 500.
    "verify": lambda: [*lint(), *synth(), *tests(HAYLIFT_CONFORMANCE="full", HAYLIFT_LAB="full")],
    "lock": lock,
}


def run(check: Check) -> bool:
    """Run one check with its output passed through; print its verdict and time; true when it succeeded."""
    print(f"\n==> {check.name}", flush=True)
    started = time.monotonic()
    environment = {**os.environ, **check.environment}
    words = [str(word) for word in check.command]
    status = subprocess.run(words, cwd=check.folder, env=environment, check=False).returncode
    verdict = "ok" if status == 0 else f"FAILED (exit status {status})"
    print(f"<== {check.name}: {verdict}, {time.monotonic() - started:.1f} s", flush=True)
    return status == 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all checks of one target; exit status 1 when any failed, with their names at the end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", choices=TARGETS)
    checks = TARGETS[parser.parse_args(arguments).target]()
    failed = [check.name for check in checks if not run(check)]
    if failed:
        print(f"\nFAILED: {', '.join(failed)}", file=sys.stderr)
        return 1
    print("\nall checks passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
