"""The lanes' holders, mappings and alarms, at the borders of AWS."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from haylift.adapters.cloudwatch_alarms import CloudWatchAlarms
from haylift.adapters.dynamodb_lane_holds import ROW, DynamoDbLaneHolds
from haylift.adapters.lambda_lanes import LambdaLanes
from haylift.domain.documents import Lane
from haylift.domain.lanes import Holder
from haylift.ports.lanes import LaneHoldStore

from tests.contract.ledger.tables import TENANTS, dynamodb
from tests.fakes.lanes import MemoryHolds
from tests.fakes.search import FakeTime

REGION = "eu-central-1"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with dynamodb() as made:
        yield made


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest, client: Any, time: FakeTime) -> LaneHoldStore:
    if request.param == "memory":
        return MemoryHolds(time)
    return DynamoDbLaneHolds(TENANTS, client, now=time.now)


def test_at_first_nobody_holds_a_lane_and_the_gate_is_on(store: LaneHoldStore) -> None:
    holds = store.read()

    assert (holds.held_by(Holder.GATE), holds.held_by(Holder.OPERATOR)) == ((), ())
    assert holds.is_gate_on


def test_holders_stand_beside_each_other(store: LaneHoldStore) -> None:
    for _ in range(2):
        store.add(Lane.BACKFILL, Holder.GATE)
        store.add(Lane.BACKFILL, Holder.OPERATOR)
    store.add(Lane.INTERACTIVE, Holder.GATE)

    held = store.read()
    left = store.remove(Lane.BACKFILL, Holder.GATE)
    gone = [store.remove(Lane.INTERACTIVE, Holder.GATE) for _ in range(2)]

    assert held.held_by(Holder.GATE) == (Lane.INTERACTIVE, Lane.BACKFILL)
    assert left == {Holder.OPERATOR}
    assert gone == [frozenset(), frozenset()]
    assert store.read().holders(Lane.BACKFILL) == {Holder.OPERATOR}


def test_one_probe_in_its_gap(store: LaneHoldStore, time: FakeTime) -> None:
    first, second = store.take_probe(gap_s=5.0), store.take_probe(gap_s=5.0)
    time.seconds += 5.0

    assert (first, second, store.take_probe(gap_s=5.0)) == (True, False, True)


def test_the_gate_can_be_switched_off(store: LaneHoldStore) -> None:
    store.switch_gate(is_on=False)
    off = store.read().is_gate_on
    store.switch_gate(is_on=True)

    assert (off, store.read().is_gate_on) == (False, True)


def test_it_is_known_since_when_the_gate_is_closed(client: Any, time: FakeTime) -> None:
    store = DynamoDbLaneHolds(TENANTS, client, now=time.now)
    store.add(Lane.INTERACTIVE, Holder.GATE)
    time.seconds += 60.0
    store.add(Lane.BACKFILL, Holder.GATE)
    since = store.read().gate_since
    store.remove(Lane.INTERACTIVE, Holder.GATE)
    still = store.read().gate_since
    store.remove(Lane.BACKFILL, Holder.GATE)

    assert (since, still, store.read().gate_since) == (1_790_000_000.0, 1_790_000_000.0, 0.0)


def test_a_holder_that_nobody_knows_counts_as_an_operator(client: Any) -> None:
    client.put_item(TableName=TENANTS, Item={"tenant": {"S": ROW}, "interactive": {"SS": ["somebody"]}})

    assert DynamoDbLaneHolds(TENANTS, client).read().holders(Lane.INTERACTIVE) == {Holder.OPERATOR}


def _mapping(queue: str) -> str:
    made, sqs = boto3.client("lambda", region_name=REGION), boto3.client("sqs", region_name=REGION)
    arn = sqs.get_queue_attributes(
        QueueUrl=sqs.create_queue(QueueName=queue)["QueueUrl"], AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    return str(made.create_event_source_mapping(FunctionName="ingestion", EventSourceArn=arn)["UUID"])


def test_a_lane_is_switched_by_its_mapping(client: Any) -> None:
    role = boto3.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("handler.py", "")
    made = boto3.client("lambda", region_name=REGION)
    made.create_function(
        FunctionName="ingestion",
        Runtime="python3.13",
        Role=role,
        Handler="handler.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    lanes = LambdaLanes({lane: _mapping(lane.value) for lane in Lane}, made)

    before = lanes.states()
    lanes.switch(Lane.BACKFILL, is_on=False)

    assert before == {Lane.INTERACTIVE: True, Lane.BACKFILL: True}
    assert lanes.states() == {Lane.INTERACTIVE: True, Lane.BACKFILL: False}


def test_only_alarms_of_the_prefix_that_ring_count(client: Any) -> None:
    cloudwatch = boto3.client("cloudwatch", region_name=REGION)
    for name in ("haylift-dev-model-endpoint-failing/calls", "haylift-dev-cache-unhealthy"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="Haylift",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    alarms = CloudWatchAlarms("haylift-dev-model-endpoint-failing", cloudwatch)
    cloudwatch.set_alarm_state(
        AlarmName="haylift-dev-cache-unhealthy", StateValue="ALARM", StateReason="test"
    )
    other = alarms.are_ringing()
    cloudwatch.set_alarm_state(
        AlarmName="haylift-dev-model-endpoint-failing/calls", StateValue="ALARM", StateReason="test"
    )

    assert (other, alarms.are_ringing()) == (False, True)
