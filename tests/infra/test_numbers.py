"""Numbers that must fit together, read from the templates as CloudFormation will."""

import copy
import json
import re
from collections.abc import Iterator, Mapping

import pytest

from tests.infra.assembly import STAGES, Resource, Template, functions, resources, templates

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

GATEWAY_TIMEOUT_S = 29
LEASE_S = 150
TIMEOUTS_PER_VISIBILITY = {"local": 1, "dev": 6, "prod": 6}
"""On AWS six, as it advises. On one machine a message of a dead worker need not wait that long."""

type Stacks = Mapping[str, Template]


def queue_faults(stacks: Stacks, stage: str) -> list[str]:
    """Queues that feed a function too early, too often, or lose what it could not do."""
    queues = {logical_id: properties for _, logical_id, properties in resources(stacks, "AWS::SQS::Queue")}
    faults = []
    for queue_id, timeout_s in _fed_functions(stacks):
        queue = queues[queue_id]
        name = queue["QueueName"]
        if queue["VisibilityTimeout"] < TIMEOUTS_PER_VISIBILITY[stage] * timeout_s:
            faults.append(
                f"{name}: visible again after {queue['VisibilityTimeout']} s, time-out {timeout_s} s"
            )
        if queue["VisibilityTimeout"] <= LEASE_S:
            faults.append(f"{name}: visible again before a lease of {LEASE_S} s ends")
        redrive = queue.get("RedrivePolicy", {})
        if redrive.get("maxReceiveCount") != 10:
            faults.append(f"{name}: maxReceiveCount is {redrive.get('maxReceiveCount')}, not 10")
        if queue["MessageRetentionPeriod"] != 14 * 86_400:
            faults.append(f"{name}: messages stay {queue['MessageRetentionPeriod']} s")
    return faults


def _fed_functions(stacks: Stacks) -> list[tuple[str, int]]:
    """Logical id of each queue with a mapping, and the time-out (s) of the function it feeds."""
    pairs = []
    for stack, _, mapping in _mappings(stacks, "sqs"):
        template = stacks[stack]["Resources"]
        alias = template[_ref_in(mapping["FunctionName"])]["Properties"]
        function = template[alias["FunctionName"]["Ref"]]["Properties"]
        pairs.append((mapping["EventSourceArn"]["Fn::GetAtt"][0], function["Timeout"]))
    return pairs


def _mappings(stacks: Stacks, service: str) -> list[tuple[str, str, Resource]]:
    """Stack, logical id and properties of each mapping of `sqs` (queues) or `dynamodb` (streams)."""
    return [
        (stack, logical_id, mapping)
        for stack, logical_id, mapping in resources(stacks, "AWS::Lambda::EventSourceMapping")
        if ("StartingPosition" in mapping) == (service == "dynamodb")
    ]


def _ref_in(value: object) -> str:
    """The one logical id that an intrinsic function refers to."""
    (found,) = re.findall(r'"Ref": "([^"]+)"', json.dumps(value))
    return str(found)


def mapping_faults(stacks: Stacks) -> list[str]:
    """Mappings that do not invoke `live`, fail whole batches, or reserve what others need."""
    faults = []
    for stack, logical_id, mapping in resources(stacks, "AWS::Lambda::EventSourceMapping"):
        target = stacks[stack]["Resources"][_ref_in(mapping["FunctionName"])]
        if target["Type"] != "AWS::Lambda::Alias" or target["Properties"]["Name"] != "live":
            faults.append(f"{logical_id} does not invoke live")
    for _, logical_id, mapping in _mappings(stacks, "dynamodb"):
        # Changes of a document come in their order: a batch that fails comes again whole, in halves.
        if not mapping.get("BisectBatchOnFunctionError") or mapping["StartingPosition"] != "TRIM_HORIZON":
            faults.append(f"{logical_id} loses changes or holds up all of them by one")
    for _, logical_id, mapping in _mappings(stacks, "sqs"):
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            faults.append(f"{logical_id} fails whole batches")
        if "MaximumConcurrency" not in mapping.get("ScalingConfig", {}):
            faults.append(f"{logical_id} has no MaximumConcurrency")
        if logical_id.startswith("ingestion") and mapping.get("BatchSize") != 1:
            faults.append(f"{logical_id} lets documents wait for each other")
    for _, _, properties in resources(stacks, "AWS::Lambda::Function"):
        if "ReservedConcurrentExecutions" in properties:
            faults.append(f"{properties['FunctionName']} reserves concurrency")
    return faults


@pytest.mark.parametrize("stage", STAGES)
def test_queues_fit_their_functions(stage: str) -> None:
    assert queue_faults(templates(stage), stage) == []
    assert len(_fed_functions(templates(stage))) == 4


@pytest.mark.parametrize(
    ("number", "wrong"), [("VisibilityTimeout", 719), ("MessageRetentionPeriod", 345_600)]
)
def test_a_queue_with_a_wrong_number_would_be_seen(number: str, wrong: int) -> None:
    stacks = copy.deepcopy(templates("prod"))
    for _, _, queue in resources(stacks, "AWS::SQS::Queue"):
        if queue["QueueName"] == "haylift-prod-interactive":
            queue[number] = wrong

    assert len(queue_faults(stacks, "prod")) == 1


@pytest.mark.parametrize("stage", STAGES)
def test_mappings_invoke_live_with_partial_batches(stage: str) -> None:
    assert mapping_faults(templates(stage)) == []


def test_a_mapping_that_fails_whole_batches_would_be_seen() -> None:
    stacks = copy.deepcopy(templates("prod"))
    _, _, mapping = _mappings(stacks, "sqs")[0]
    mapping["FunctionResponseTypes"] = []

    assert len(mapping_faults(stacks)) == 1


def test_a_stream_that_is_held_up_by_one_change_would_be_seen() -> None:
    stacks = copy.deepcopy(templates("prod"))
    _, _, mapping = _mappings(stacks, "dynamodb")[0]
    mapping["BisectBatchOnFunctionError"] = False

    assert len(mapping_faults(stacks)) == 1


def test_a_lane_that_brings_several_documents_at_once_would_be_seen() -> None:
    stacks = copy.deepcopy(templates("prod"))
    for _, _, mapping in _mappings(stacks, "sqs"):
        mapping["BatchSize"] = 5

    faults = mapping_faults(stacks)

    assert [fault.partition(" ")[2] for fault in faults] == ["lets documents wait for each other"] * 2


def delivery_faults(stacks: Stacks) -> list[str]:
    """How the log of a function could be lost on its way: nobody is told when Lambda gives an event up."""
    imported = {
        subscription["DestinationArn"]["Fn::ImportValue"]
        for _, _, subscription in resources(stacks, "AWS::Logs::SubscriptionFilter")
    }
    kept = {
        (config["FunctionName"]["Ref"], config["Qualifier"]): config
        for _, _, config in resources(stacks, "AWS::Lambda::EventInvokeConfig")
    }
    faults = []
    for stack, logical_id, alias in resources(stacks, "AWS::Lambda::Alias"):
        if any(f":ExportsOutputRef{logical_id}" in name for name in imported):
            config = kept.get((alias["FunctionName"]["Ref"], alias["Name"]), {})
            faults += [f"{logical_id}: {fault}" for fault in _losses(config, stacks[stack])]
    return faults


def _losses(config: Resource, template: Template) -> Iterator[str]:
    tries = (config.get("MaximumRetryAttempts"), config.get("MaximumEventAgeInSeconds"))
    if tries != (2, 6 * 3_600):
        yield f"retries, age (s): {tries}"
    arn = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", {})
    queue = template["Resources"].get(arn.get("Fn::GetAtt", [""])[0])
    if queue is None:
        yield "what was given up is gone"
    elif queue["Properties"]["MessageRetentionPeriod"] != 14 * 86_400:
        yield "what was given up does not stay for 14 days"


@pytest.mark.parametrize("stage", STAGES)
def test_no_delivery_of_a_log_is_lost(stage: str) -> None:
    assert delivery_faults(templates(stage)) == []


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("MaximumRetryAttempts", 0),
        ("MaximumEventAgeInSeconds", 60),
        ("DestinationConfig", {}),
        ("Qualifier", "$LATEST"),
    ],
)
def test_a_delivery_that_can_be_lost_would_be_seen(field: str, wrong: object) -> None:
    stacks = copy.deepcopy(templates("prod"))
    _, _, config = next(resources(stacks, "AWS::Lambda::EventInvokeConfig"))
    config[field] = wrong

    assert {fault.partition(":")[0] for fault in delivery_faults(stacks)} == {"auditLive251BDA9F"}


@pytest.mark.parametrize("stage", STAGES)
def test_functions_behind_the_api_answer_before_the_gateway_gives_up(stage: str) -> None:
    timeouts = {name: p["Timeout"] for name, p in functions(templates(stage), stage).items()}

    slow = {name for name, timeout_s in timeouts.items() if timeout_s > GATEWAY_TIMEOUT_S}

    assert slow == {"announcer", "audit", "dispatch", "gate", "ingestion", "maintenance"}
    assert timeouts["ingestion"] == 120


@pytest.mark.parametrize("stage", STAGES)
def test_the_authorizer_is_cached_for_five_seconds_and_never_for_anybody(stage: str) -> None:
    authorizers = [p for _, _, p in resources(templates(stage), "AWS::ApiGateway::Authorizer")]

    cached = {p.get("IdentitySource", ""): p["AuthorizerResultTtlInSeconds"] for p in authorizers}

    assert cached == {"method.request.header.Authorization": 5, "": 0}


@pytest.mark.parametrize("stage", STAGES)
def test_versions_stay_so_that_live_can_go_back(stage: str) -> None:
    versions = [
        resource
        for template in templates(stage).values()
        for resource in template["Resources"].values()
        if resource["Type"] in {"AWS::Lambda::Version", "AWS::Lambda::LayerVersion"}
    ]

    assert {resource["DeletionPolicy"] for resource in versions} == {"Retain"}


@pytest.mark.parametrize(("stage", "expected"), [("local", set()), ("dev", set()), ("prod", {"search"})])
def test_only_search_in_prod_starts_from_a_snapshot(stage: str, expected: set[str]) -> None:
    snapped = {name for name, p in functions(templates(stage), stage).items() if "SnapStart" in p}

    assert snapped == expected


def test_prod_keeps_its_data_when_a_stack_is_deleted() -> None:
    kept = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key"}

    policies = {
        resource["DeletionPolicy"]
        for resource in templates("prod")["storage"]["Resources"].values()
        if resource["Type"] in kept
    }

    assert policies == {"Retain"}


def test_tables_of_prod_can_be_brought_back_to_any_second() -> None:
    tables = [p for _, _, p in resources(templates("prod"), "AWS::DynamoDB::Table")]

    recovery = [t["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] for t in tables]

    assert recovery == [True] * 6
