"""Reads the Containerfile. No engine runs here: this proves what is written, not that it builds."""

import re
from pathlib import Path

import pytest

from haylift_endpoint.settings import PREFIX, Settings, environment_name

TEXT = (Path(__file__).parent.parent / "Containerfile").read_text(encoding="utf-8")

_COMPILERS = re.compile(r"\b(gcc|g\+\+|build-essential|cargo|rustc|cmake)\b")


def stages(text: str) -> dict[str, str]:
    """The body of each stage by its name, continued lines joined, comments dropped."""
    joined = re.sub(
        r"\\\n\s*", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    )
    parts = re.split(r"^FROM (\S+) AS (\S+)$", joined, flags=re.MULTILINE)[1:]
    return {name: f"FROM {source}\n{body}" for source, name, body in zip(*[iter(parts)] * 3, strict=True)}


def faults(text: str) -> set[str]:
    """What is wrong with a Containerfile; empty when all is well."""
    body_by_stage = stages(text)
    base = body_by_stage["base"]
    names = set(re.findall(rf"{PREFIX}\w+", text))
    wrong = {
        "unknown setting": bool(names - {environment_name(field) for field in Settings.model_fields}),
        "user is not 1000": "--uid 1000" not in base or f"{environment_name('run_as_uid')}=1000" not in base,
        "output is buffered": "PYTHONUNBUFFERED=1" not in base,
        "health check differs": "--interval=30s --timeout=10s --start-period=5s --retries=3" not in base,
        "not reachable": f"{environment_name('host')}=0.0.0.0" not in base or "EXPOSE 8080" not in base,
        "does not start with serve": 'ENTRYPOINT ["python", "-m", "haylift_endpoint"]\nCMD ["serve"]'
        not in base,
        "targets missing": not {"cpu", "gpu"} <= set(body_by_stage),
    }
    for target in ("cpu", "gpu"):
        body = body_by_stage.get(target, "")
        wheels = body_by_stage.get(f"wheels-{target}", "")
        wrong[f"{target} is not built on base"] = not body.startswith("FROM base")
        wrong[f"{target} has a compiler"] = bool(_COMPILERS.search(body + base))
        wrong[f"{target} installs more than its wheels"] = f"from=wheels-{target}" not in body or (
            "--no-index" not in body
        )
        wrong[f"{target} wheels are not pinned"] = wheels.count("--require-hashes") != wheels.count(
            "pip wheel"
        )
        wrong[f"{target} wheels miss their lock"] = f"requirements/{target}.txt" not in wheels
    return {name for name, is_wrong in wrong.items() if is_wrong}


def test_the_containerfile_is_as_promised() -> None:
    assert faults(TEXT) == set()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("--interval=30s", "--interval=3s", "health check differs"),
        ("RUN_AS_UID=1000", "RUN_AS_UID=1001", "user is not 1000"),
        ("RUN_AS_UID=1000", "RUN_AS_USER=1000", "unknown setting"),
        ("PYTHONUNBUFFERED=1", "PYTHONUNBUFFERED=", "output is buffered"),
        ("COPY haylift_endpoint", "RUN apt-get install -y gcc\nCOPY haylift_endpoint", "cpu has a compiler"),
        ("--require-hashes --wheel-dir /wheels -r gpu.txt", "-r gpu.txt", "gpu wheels are not pinned"),
        ('CMD ["serve"]', 'CMD ["run"]', "does not start with serve"),
    ],
)
def test_each_fault_is_noticed(old: str, new: str, fault: str) -> None:
    assert old in TEXT

    assert fault in faults(TEXT.replace(old, new))
