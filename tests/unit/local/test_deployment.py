"""What a killed CDK command has left does not reach the next one."""

import os
from pathlib import Path

import pytest

from local.deployment import Deployment
from local.faults import LocalFault
from local.layout import Layout
from local.ports import free_ports

CDK = """#!/bin/sh
while [ "$1" != -o ]; do shift; done
# As the CDK does: a lock is honoured while there is a process of its number; assets there are not copied.
for lock in "$2"/*.lock; do [ -e "$lock" ] && exit 7; done
mkdir -p "$2/asset.1"
[ -n "$CUT_OFF" ] && { echo half > "$2/asset.1/code"; exit 9; }
[ -e "$2/asset.1/code" ] || echo whole > "$2/asset.1/code"
"""


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """A deployment whose CDK command line is a script."""
    cdk = tmp_path / "cdk"
    cdk.write_text(CDK)
    cdk.chmod(0o755)
    monkeypatch.setattr("local.toolchain.CDK", cdk)
    layout = Layout(tmp_path / "system")
    layout.create()
    return Deployment(layout, free_ports())


def check_code_is_whole(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A synthesis after one that was cut off gives whole assets; AssertionError otherwise."""
    monkeypatch.setenv("CUT_OFF", "1")
    with pytest.raises(LocalFault, match="cdk synth"):
        deployment.synthesise()
    monkeypatch.delenv("CUT_OFF")

    deployment.synthesise()

    assert (deployment.layout.assembly / "asset.1" / "code").read_text() == "whole\n"


def test_half_an_assembly_is_made_again(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    check_code_is_whole(deployment, monkeypatch)


def test_a_synthesis_that_trusts_half_an_assembly_is_found_out(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deployment, "_prepare_assembly", lambda _self: None)

    with pytest.raises(AssertionError):
        check_code_is_whole(deployment, monkeypatch)


def test_a_whole_assembly_is_kept_and_its_locks_are_not(deployment: Deployment) -> None:
    deployment.synthesise()
    code = deployment.layout.assembly / "asset.1" / "code"
    code.write_text("as it was")
    # The number of a process that is there: this one.
    for name in ("synth.lock", f"read.{os.getpid()}.1.lock"):
        (deployment.layout.assembly / name).write_text(str(os.getpid()))

    deployment.synthesise()

    assert code.read_text() == "as it was"
    assert list(deployment.layout.assembly.glob("*.lock")) == []
