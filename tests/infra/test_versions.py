"""A changed layer publishes a new version of every function that has it, or `live` would keep old code."""

import json
from pathlib import Path

import pytest

from tests.contract.drift.contracts import function_names
from tests.infra.assembly import LOCAL_CONTEXT, ROOT, Synthesis, resources, synthesise, validated

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

LOCAL = {"stage": "local", **LOCAL_CONTEXT}
RECOGNISED = "@aws-cdk/aws-lambda:recognizeLayerVersion"
CHANGED_CORE = """
import shutil, sys, tempfile, zipfile
from pathlib import Path
from stacks import layers

bundled = layers.layer_archive

def changed(name, target):
    archive = bundled(name, target)
    if name != "core":
        return archive
    copy = Path(sys.argv[1]) / "core.zip"
    shutil.copy(archive, copy)
    with zipfile.ZipFile(copy, "a") as packed:
        packed.writestr("python/haylift/one_more.py", "")
    return copy

layers.layer_archive = changed
import app
app.main()
"""


def versions(synthesis: Synthesis) -> set[str]:
    """Logical ids of the published versions; a new id is a new version."""
    assert synthesis.exit_status == 0, synthesis.output
    found = resources(synthesis.templates, "AWS::Lambda::Version")
    return {f"{stack}/{logical_id}" for stack, logical_id, _ in found}


def test_a_changed_layer_makes_new_versions(tmp_path: Path) -> None:
    before = versions(validated()["local"])

    after = versions(synthesise(LOCAL, app=("-c", CHANGED_CORE, str(tmp_path))))

    assert len(before) == len(function_names())
    assert before & after == set()


def test_without_the_flag_live_would_keep_old_code(tmp_path: Path) -> None:
    context = {**LOCAL, RECOGNISED: False}
    before = versions(synthesise(context))

    after = versions(synthesise(context, app=("-c", CHANGED_CORE, str(tmp_path))))

    assert before == after


def test_the_flag_is_set_where_the_command_line_reads_it() -> None:
    assert json.loads((ROOT / "cdk.json").read_text())["context"][RECOGNISED] is True
