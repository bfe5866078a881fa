"""`ops audit`, and what operators' own commands leave there."""

import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from haylift.audit import Outcome

from ops import audit
from ops.cli import main
from ops.deployment import local_deployment
from tests.fakes.ops import TABLES, captured_world, remarked, shown, write_outputs

pytestmark = pytest.mark.usefixtures("aws", "audited_stage")


def run(state_dir: Path, *arguments: str, stdin: str = "") -> tuple[int, Any]:
    world = captured_world(stdin=stdin)
    return main([*arguments, "--state-dir", str(state_dir), "--json"], world), world


def records(state_dir: Path, *options: str) -> list[dict[str, Any]]:
    code, world = run(state_dir, "audit", "--minutes", "10", *options)
    assert code == 0
    found: list[dict[str, Any]] = json.loads(shown(world))
    return found


def test_nothing_recorded_is_no_failure(state_dir: Path) -> None:
    world = captured_world()

    code = main(["audit", "--minutes", "10", "--state-dir", str(state_dir)], world)

    assert (code, shown(world)) == (0, "")
    assert "Nothing of that kind" in remarked(world)


def test_each_change_of_a_user_is_recorded(state_dir: Path) -> None:
    run(state_dir, "user", "add", "mia", "--tenant", "acme", "--role", "reader")
    run(state_dir, "user", "add", "mia", "--role", "editor", "--update")
    run(state_dir, "user", "password", "mia")
    run(state_dir, "user", "disable", "mia")
    run(state_dir, "user", "enable", "mia")

    found = records(state_dir)

    assert [record["action"] for record in found] == [
        "user.add", "user.update", "user.password", "user.disable", "user.enable",
    ]  # fmt: skip
    assert {(record["resource"], record["tenant"], record["outcome"]) for record in found} == {
        ("mia", "acme", "allowed")
    }


def test_an_import_leaves_one_record_for_each_user_and_no_password(state_dir: Path) -> None:
    wanted = [
        {"username": name, "tenant": "acme", "role": "reader", "password": "hunter2-hunter2"}
        for name in ("mia", "noa")
    ]

    run(state_dir, "user", "import", "-", stdin=json.dumps(wanted))

    assert [record["resource"] for record in records(state_dir)] == ["mia", "noa"]
    assert "hunter2" not in json.dumps(records(state_dir))


def test_who_only_looks_leaves_no_record(state_dir: Path) -> None:
    run(state_dir, "user", "list")

    assert records(state_dir) == []


def test_a_generated_password_is_shown_although_the_audit_fails(state_dir: Path) -> None:
    write_outputs(state_dir, outputs=TABLES)

    code, world = run(state_dir, "user", "add", "mia", "--role", "reader")

    assert code == 1
    assert json.loads(shown(world))["password"]
    assert remarked(world).startswith("not_audited: ")


def test_on_aws_the_actor_is_the_operators_identity(state_dir: Path) -> None:
    audit.record(local_deployment(state_dir), "drill.start", "cache", Outcome.ALLOWED)

    (record,) = records(state_dir)
    assert record["actor"] == "arn:aws:sts::123456789012:user/moto"
    assert (record["action"], record["resource"], record["source"]) == ("drill.start", "cache", "ops")


def test_on_this_machine_the_actor_is_its_user(state_dir: Path) -> None:
    write_outputs(state_dir, aws_endpoint_url="http://127.0.0.1:9")

    assert audit.operator(local_deployment(state_dir)) == f"local:{getpass.getuser()}"


FILTERS: list[tuple[list[str], Callable[[dict[str, Any]], bool]]] = [
    (["--tenant", "acme"], lambda record: record["tenant"] == "acme"),
    (["--action", "user."], lambda record: record["action"].startswith("user.")),
    (["--outcome", "denied"], lambda record: record["outcome"] == "denied"),
    (["--actor", "nobody"], lambda _record: False),
]


@pytest.mark.parametrize(("options", "matches"), FILTERS)
def test_a_filter_shows_what_matches(
    state_dir: Path, options: list[str], matches: Callable[[dict[str, Any]], bool]
) -> None:
    deployment = local_deployment(state_dir)
    audit.record(deployment, "user.add", "mia", Outcome.ALLOWED, tenant="acme")
    audit.record(deployment, "flag.set", "shed-load", Outcome.DENIED, code="yes_missing")
    everything = records(state_dir)

    assert len(everything) == 2
    assert records(state_dir, *options) == [record for record in everything if matches(record)]


def test_a_record_that_was_delivered_twice_is_shown_once(state_dir: Path) -> None:
    audit.record(local_deployment(state_dir), "user.add", "mia", Outcome.ALLOWED)
    logs = boto3.client("logs", region_name="eu-central-1")
    (event,) = logs.filter_log_events(logGroupName="/haylift/local/audit")["events"]
    logs.put_log_events(
        logGroupName="/haylift/local/audit",
        logStreamName=event["logStreamName"],
        logEvents=[{"timestamp": event["timestamp"], "message": event["message"]}],
    )

    assert len(records(state_dir)) == 1


def finds_one_changed_byte(state_dir: Path, change: Callable[[str], None]) -> None:
    """The check: after `change` of an object, `--verify` names it and ends with 3."""
    audit.record(local_deployment(state_dir), "user.add", "mia", Outcome.ALLOWED)
    (record,) = records(state_dir)

    change(record["object"])

    code, world = run(state_dir, "audit", "--minutes", "10", "--verify")
    assert (code, json.loads(shown(world))["changed"]) == (3, [record["object"]])


def _flip_a_byte(key: str) -> None:
    s3 = boto3.client("s3", region_name="eu-central-1")
    content = s3.get_object(Bucket="audit", Key=key)["Body"].read()
    s3.put_object(Bucket="audit", Key=key, Body=content.replace(b"mia", b"mib"))


def _remove(key: str) -> None:
    boto3.client("s3", region_name="eu-central-1").delete_object(Bucket="audit", Key=key)


@pytest.mark.parametrize("change", [_flip_a_byte, _remove])
def test_a_changed_object_is_found(state_dir: Path, change: Callable[[str], None]) -> None:
    finds_one_changed_byte(state_dir, change)


def test_an_unchanged_object_is_not_called_changed(state_dir: Path) -> None:
    with pytest.raises(AssertionError):
        finds_one_changed_byte(state_dir, lambda _key: None)
