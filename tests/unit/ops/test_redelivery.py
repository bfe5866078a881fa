"""`ops audit --redeliver` and the drill of a delivery that is given up."""

import json
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from ops import redelivery
from ops.cli import main
from ops.deployment import Deployment
from ops.drill.audit_drills import UnreadableDelivery
from ops.drill.ground import Ground
from ops.flow_rules import dead_letters
from ops.session import Session
from ops.sources import queues
from ops.state import Snapshot
from ops.terminal import Terminal
from tests.fakes.audit import delivery
from tests.fakes.audit_function import AuditedDeployment, AuditLambda
from tests.fakes.ops import captured_world, remarked, shown
from tests.fakes.ops_stage import AUDIT_GROUP, client, deploy

pytestmark = pytest.mark.usefixtures("aws")

RECORD = {
    "audit": {
        "actor": "ada", "tenant": "acme", "action": "login", "resource": "", "outcome": "allowed", "code": "",
        "source_address": "203.0.113.7", "request_id": "r-1",
    }
}  # fmt: skip
GONE = {"errorMessage": "the archive does not answer", "errorType": "RuntimeError"}


@dataclass(frozen=True, kw_only=True)
class StageSession(Session):
    """A session whose deployment is given."""

    stage: AuditedDeployment

    def deployment(self) -> Deployment:
        """The given one."""
        return self.stage


@pytest.fixture
def stage(state_dir: Path, aws: None) -> AuditedDeployment:  # after moto
    outputs = deploy(state_dir)
    function = AuditLambda(dead_queue_url=outputs["AuditDeadQueueUrl"])
    return AuditedDeployment(stage="local", region="eu-central-1", outputs=outputs, audit_lambda=function)


def redeliver(stage: AuditedDeployment, *, yes: bool = True) -> tuple[int, list[dict[str, Any]]]:
    world = captured_world()
    terminal = Terminal(out=world.out, err=world.err, is_json=True)
    session = StageSession(options=Namespace(yes=yes), world=world, terminal=terminal, stage=stage)
    code = redelivery.run(session)
    return code, json.loads(shown(world))["deliveries"]


def letters(stage: AuditedDeployment) -> int:
    """Messages that anybody can receive now."""
    url = stage.output("AuditDeadQueueUrl")
    names = ["ApproximateNumberOfMessages"]
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(found["ApproximateNumberOfMessages"])


def audited(action: str) -> list[str]:
    events = boto3.client("logs", region_name="eu-central-1").filter_log_events(logGroupName=AUDIT_GROUP)
    records = [json.loads(event["message"]) for event in events["events"]]
    return [record["resource"] for record in records if record["action"] == action]


def arrives_once(stage: AuditedDeployment, run: Callable[[AuditedDeployment], object]) -> None:
    """The check: after two runs the archive has the delivery, its letter is gone, one record tells of it."""
    stage.audit_lambda.give_up(delivery([RECORD]), GONE)

    run(stage)
    run(stage)

    assert len(stage.audit_lambda.archive.content_by_key) == 1
    assert letters(stage) == 0
    assert len(audited("audit.redeliver")) == 1


def test_what_was_given_up_arrives_once_and_is_audited(stage: AuditedDeployment) -> None:
    arrives_once(stage, redeliver)


def test_a_command_that_only_looks_would_be_seen(stage: AuditedDeployment) -> None:
    with pytest.raises(AssertionError):
        arrives_once(stage, lambda there: redeliver(there, yes=False))


def test_looking_takes_nothing_away(stage: AuditedDeployment) -> None:
    stage.audit_lambda.give_up(delivery([RECORD, RECORD]), GONE)

    code, (row,) = redeliver(stage, yes=False)

    assert (code, letters(stage), stage.audit_lambda.tries) == (3, 1, 0)
    assert (row["state"], row["source"], row["lines"]) == ("waits", "/aws/lambda/haylift-local-search", 2)
    assert row["why"] == "the archive does not answer"


def test_what_fails_again_stays_and_others_are_not_held_up(stage: AuditedDeployment) -> None:
    stage.audit_lambda.give_up({"awslogs": {"data": "no archive"}}, GONE)
    client("sqs").send_message(QueueUrl=stage.output("AuditDeadQueueUrl"), MessageBody="hello")
    for number in range(12):
        stage.audit_lambda.give_up(delivery([RECORD], group=f"/aws/lambda/{number}"), GONE)

    code, rows = redeliver(stage)

    assert (code, letters(stage)) == (3, 2)
    assert sorted(row["state"] for row in rows) == ["delivered"] * 12 + ["stays"] * 2
    assert "it is no record of a delivery" in {row["why"] for row in rows}


def test_while_the_function_fails_nothing_is_lost(stage: AuditedDeployment) -> None:
    stage.audit_lambda.is_broken = True
    stage.audit_lambda.give_up(delivery([RECORD]), GONE)

    code, (row,) = redeliver(stage)

    assert (code, row["state"], letters(stage)) == (3, "stays", 1)
    assert row["why"] == "the archive does not answer"
    assert audited("audit.redeliver") == []


def test_nothing_given_up_is_well(stage: AuditedDeployment, state_dir: Path) -> None:
    world = captured_world()

    code = main(["audit", "--redeliver", "--state-dir", str(state_dir)], world)

    assert (code, shown(world), remarked(world)) == (0, "", "Nothing was given up.\n")


def test_the_command_says_what_to_do_next(stage: AuditedDeployment, state_dir: Path) -> None:
    stage.audit_lambda.give_up({"awslogs": {"data": "no archive"}}, GONE)
    world = captured_world()

    code = main(["audit", "--redeliver", "--state-dir", str(state_dir)], world)

    assert code == 3
    assert "unreadable  the archive does not answer" in shown(world)
    assert "ops audit --redeliver --yes" in remarked(world)


def test_status_says_what_is_missing_and_how_to_deliver_it(stage: AuditedDeployment) -> None:
    stage.audit_lambda.give_up(delivery([RECORD]), GONE)

    cause = dead_letters(Snapshot(stage="local", at_s=0.0, minutes=5, queues=queues(stage)))

    assert cause is not None
    assert (cause.felt, cause.because) == ("Records of the audit are missing", "dead letters: audit 1")
    assert cause.commands == ("python -m ops audit --redeliver",)


@pytest.fixture
def ground(stage: AuditedDeployment, state_dir: Path) -> Ground:
    world = captured_world()
    terminal = Terminal(out=world.out, err=world.err)
    options = Namespace(state_dir=str(state_dir), tenant="acme", stage="local")
    return Ground(Session(options=options, world=world, terminal=terminal), stage, minute_s=0.01)


def test_the_drills_delivery_is_tried_three_times_and_seen_by_status(
    ground: Ground, stage: AuditedDeployment
) -> None:
    fault = UnreadableDelivery()
    known = json.loads(json.dumps(fault.learn(ground)))

    fault.inject(ground, known)

    assert (stage.audit_lambda.tries, letters(stage)) == (3, 1)
    assert {queue.name: queue.dead for queue in queues(stage)}["audit"] == 1


def test_the_drill_takes_exactly_its_own_letter_away(ground: Ground, stage: AuditedDeployment) -> None:
    stage.audit_lambda.give_up({"awslogs": {"data": "drill-of-somebody-else"}}, GONE)
    stage.audit_lambda.give_up(delivery([RECORD]), GONE)
    fault = UnreadableDelivery()
    known = json.loads(json.dumps(fault.learn(ground)))
    fault.inject(ground, known)

    fault.repair(ground, known)
    fault.repair(ground, known | {"until_s": 0.0})

    assert letters(stage) == 2


def test_a_repair_before_the_letter_comes_waits_for_it(ground: Ground, stage: AuditedDeployment) -> None:
    fault = UnreadableDelivery()
    known = fault.learn(ground)

    class ComesLate(type(ground.is_stopping)):  # type: ignore[misc]  # threading.Event
        def wait(self, timeout: float | None = None) -> bool:
            fault.inject(ground, known)
            return False

    fault.repair(replace(ground, is_stopping=ComesLate()), known)

    assert (stage.audit_lambda.tries, letters(stage)) == (3, 0)


def test_repairing_what_was_never_broken_ends(ground: Ground, stage: AuditedDeployment) -> None:
    fault = UnreadableDelivery()

    fault.repair(ground, {**fault.learn(ground), "until_s": 0.0})

    assert letters(stage) == 0
