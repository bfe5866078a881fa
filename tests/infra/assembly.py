"""Cloud assemblies: what `cdk synth` writes, made by the app itself once per test run and stage."""

import atexit
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from local.toolchain import cdk_environment

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("local", "dev", "prod")
LOCAL_CONTEXT = {"cache_endpoint": "127.0.0.1:6379", "index_dir": "/var/lib/haylift/index"}
OFFLINE = {"UV_OFFLINE": "1", "UV_NO_CACHE": "1", "HTTPS_PROXY": "http://127.0.0.1:9"}
"""No package can be had with these: what passes under them bundled nothing."""

type Template = dict[str, Any]
type Resource = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """One run of the app. `folder` holds the assembly, unless the run failed."""

    stage: str
    folder: Path
    exit_status: int
    output: str

    @property
    def templates(self) -> dict[str, Template]:
        """Templates by the stack's name without `haylift-<stage>-`."""
        prefix = f"haylift-{self.stage}-"
        return {
            path.name.removeprefix(prefix).removesuffix(".template.json"): json.loads(path.read_text())
            for path in sorted(self.folder.glob("*.template.json"))
        }

    def report(self) -> dict[str, Any]:
        """The validation report of this run; FileNotFoundError when it wrote none."""
        return dict(json.loads((self.folder / "validation-report.json").read_text()))


def synthesise(
    context: Mapping[str, Any], *, app: Sequence[str] = ("app.py",), **environment: str
) -> Synthesis:
    """Runs the app as the CDK command line does, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="haylift-synth-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return _synthesise(folder, context, app, environment)


def _synthesise(
    folder: Path, context: Mapping[str, Any], app: Sequence[str], environment: Mapping[str, str]
) -> Synthesis:
    settings = json.loads((ROOT / "cdk.json").read_text())["context"]
    variables = {
        **cdk_environment(),
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps({**settings, **context}),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers" / "core" / "python")]),
        **environment,
    }
    done = subprocess.run(
        [sys.executable, *app], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    return Synthesis(
        stage=context.get("stage", ""),
        folder=folder,
        exit_status=done.returncode,
        output=done.stdout + done.stderr,
    )


@cache
def validated() -> dict[str, Synthesis]:
    """Every stage with CDK's own template validation, the AwsSolutions rules where they must hold.

    The processes of one test run share it: who comes second waits for the first one's.
    """
    shared = Path(os.environ["HAYLIFT_TEST_RUN_DIR"]) / "synth"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = shared / "result.json"
        if not result.exists():
            runs = _every_stage({"CDK_VALIDATION": "true"}, shared)
            result.write_text(json.dumps({stage: asdict(run) for stage, run in runs.items()}, default=str))
    return {
        stage: Synthesis(**{**run, "folder": Path(run["folder"])})
        for stage, run in json.loads(result.read_text()).items()
    }


@cache
def synthesised_again() -> dict[str, Synthesis]:
    """Every stage once more, with the layers there and no network."""
    validated()
    return _every_stage(OFFLINE)


def templates(stage: str) -> dict[str, Template]:
    """The templates of a stage by short stack name; AssertionError when it does not synthesise."""
    synthesis = validated()[stage]
    assert synthesis.exit_status == 0, synthesis.output
    return synthesis.templates


def resources(stacks: Mapping[str, Template], kind: str) -> Iterator[tuple[str, str, Resource]]:
    """Stack, logical id and properties of each resource of a type."""
    for stack, template in stacks.items():
        for logical_id, resource in template["Resources"].items():
            if resource["Type"] == kind:
                yield stack, logical_id, resource.get("Properties", {})


def functions(stacks: Mapping[str, Template], stage: str) -> dict[str, Resource]:
    """The properties of our functions by folder; CDK's own and the image trigger have no such name."""
    prefix = f"haylift-{stage}-"
    return {
        properties["FunctionName"].removeprefix(prefix): properties
        for _, _, properties in resources(stacks, "AWS::Lambda::Function")
        if str(properties.get("FunctionName", "")).startswith(prefix)
    }


def _every_stage(environment: Mapping[str, str], shared: Path | None = None) -> dict[str, Synthesis]:
    def run_of(stage: str) -> Synthesis:
        context = {"stage": stage, **(LOCAL_CONTEXT if stage == "local" else {})}
        if shared is None:
            return synthesise(context, **environment)
        folder = shared / stage
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return _synthesise(folder, context, ("app.py",), environment)

    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(run_of, STAGES))
    return {run.stage: run for run in runs}
