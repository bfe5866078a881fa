"""`ops keys` against moto's KMS: what is shown, what asks first, what the audit has."""

import json
from pathlib import Path
from typing import Any

import pytest

from ops.cli import main
from tests.fakes.ops import captured_world, remarked, shown
from tests.fakes.ops_stage import audit_records, client, deploy

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def key(state_dir: Path, aws: None) -> str:  # after moto
    """The signing key of a stage."""
    return deploy(state_dir)["SigningKeyId"]


def _run(state_dir: Path, *command: str) -> tuple[int, str, str]:
    world = captured_world()
    exit_code = main(["keys", *command, "--state-dir", str(state_dir)], world)
    return exit_code, shown(world), remarked(world)


def _state(key: str) -> str:
    return str(client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"])


def test_a_key_that_signs(state_dir: Path, key: str) -> None:
    exit_code, out, _ = _run(state_dir, "list", "--json")

    (row,) = json.loads(out)
    assert (exit_code, row["key_id"], row["state"], row["is_usable"]) == (0, key, "Enabled", True)
    assert row["deleted_at"] == ""


def test_a_disabled_key_exits_with_3(state_dir: Path, key: str) -> None:
    client("kms").disable_key(KeyId=key)

    exit_code, out, _ = _run(state_dir, "list")

    assert exit_code == 3
    assert out.startswith(f"{key}  Disabled  made ")


def test_enabling_asks_first(state_dir: Path, key: str) -> None:
    client("kms").disable_key(KeyId=key)

    exit_code, _, err = _run(state_dir, "enable", key)

    assert (exit_code, _state(key), audit_records()) == (2, "Disabled", [])
    assert "It is Disabled: make sure that nobody switched it off on purpose" in err
    assert err.endswith(f"To do it: python -m ops --state-dir {state_dir} keys enable {key} --yes\n")


def test_a_disabled_key_is_enabled_and_the_audit_has_it(state_dir: Path, key: str) -> None:
    client("kms").disable_key(KeyId=key)

    exit_code, out, _ = _run(state_dir, "enable", key, "--yes", "--json")

    (row,) = json.loads(out)
    assert (exit_code, _state(key), row["state"]) == (0, "Enabled", "Enabled")
    (record,) = audit_records()
    assert (record["action"], record["resource"], record["outcome"]) == ("key.enable", key, "allowed")


def test_a_planned_deletion_is_called_off(state_dir: Path, key: str) -> None:
    client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)

    asked = _run(state_dir, "enable", key)
    done = _run(state_dir, "enable", key, "--yes")

    assert "its deletion on " in asked[2]
    assert (done[0], _state(key)) == (0, "Enabled")


def test_enabling_a_key_that_signs_changes_nothing(state_dir: Path, key: str) -> None:
    assert _run(state_dir, "enable", key)[0] == 0
    assert audit_records() == []


def refuses_foreign_keys(run: Any, state_dir: Path, foreign: str) -> None:
    exit_code, _, err = run(state_dir, "enable", foreign, "--yes")

    assert (exit_code, _state(foreign)) == (2, "Disabled")
    assert err.startswith("key_unknown: ")


def test_a_key_of_something_else_is_left_alone(state_dir: Path, key: str) -> None:
    foreign = str(client("kms").create_key()["KeyMetadata"]["KeyId"])
    client("kms").disable_key(KeyId=foreign)

    refuses_foreign_keys(_run, state_dir, foreign)


def test_without_the_look_at_the_outputs_the_same_check_fails(
    state_dir: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = str(client("kms").create_key()["KeyMetadata"]["KeyId"])
    client("kms").disable_key(KeyId=foreign)
    monkeypatch.setattr("ops.keys._key_ids", lambda _deployment: (key, foreign))

    with pytest.raises(AssertionError):
        refuses_foreign_keys(_run, state_dir, foreign)
