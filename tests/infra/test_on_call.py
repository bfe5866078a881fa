"""Whom alarms tell, and what happens to records of who did what."""

import copy
from collections.abc import Mapping

import pytest

from tests.infra.assembly import LOCAL_CONTEXT, STAGES, Template, resources, synthesise, templates

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

type Stacks = Mapping[str, Template]


def subscriptions(stacks: Stacks) -> set[tuple[str, str, str]]:
    """Topic, protocol and address of each subscription; the inbox by its protocol alone."""
    return {
        (
            "Page" if "Page" in properties["TopicArn"]["Ref"] else "Ticket",
            properties["Protocol"],
            properties["Endpoint"] if isinstance(properties["Endpoint"], str) else "",
        )
        for _, _, properties in resources(stacks, "AWS::SNS::Subscription")
    }


def deaf_topics(stacks: Stacks) -> list[str]:
    """Topics whose policy does not let CloudWatch's alarms in."""
    allowed = {
        topic["Ref"]
        for _, _, policy in resources(stacks, "AWS::SNS::TopicPolicy")
        for topic in policy["Topics"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        and statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        and statement["Action"] == "sns:Publish"
    }
    topics = {logical_id for _, logical_id, _ in resources(stacks, "AWS::SNS::Topic")}
    return sorted(topics - allowed)


@pytest.mark.parametrize("stage", STAGES)
def test_pages_and_tickets_reach_the_inbox(stage: str) -> None:
    assert subscriptions(templates(stage)) == {("Page", "sqs", ""), ("Ticket", "sqs", "")}
    assert deaf_topics(templates(stage)) == []


def test_a_topic_that_refuses_alarms_would_be_seen() -> None:
    stacks = copy.deepcopy(templates("prod"))
    for _, _, policy in resources(stacks, "AWS::SNS::TopicPolicy"):
        statements = policy["PolicyDocument"]["Statement"]
        policy["PolicyDocument"]["Statement"] = [s for s in statements if s["Effect"] == "Deny"]

    assert len(deaf_topics(stacks)) == 2


def test_recipients_come_from_the_context() -> None:
    context = {
        "page_mail": "a@example.com,b@example.com",
        "page_https": "https://pager.example.com/haylift",
        "ticket_mail": "team@example.com",
        "allowed_origins": "https://app.example.com",
    }

    stacks = synthesise({"stage": "dev", **LOCAL_CONTEXT, **context}, CDK_VALIDATION="false").templates

    assert subscriptions(stacks) == {
        ("Page", "sqs", ""), ("Ticket", "sqs", ""),
        ("Page", "email", "a@example.com"), ("Page", "email", "b@example.com"),
        ("Page", "https", "https://pager.example.com/haylift"), ("Ticket", "email", "team@example.com"),
    }  # fmt: skip
    headers = [p["ResponseParameters"] for _, _, p in resources(stacks, "AWS::ApiGateway::GatewayResponse")]
    assert {h["gatewayresponse.header.Access-Control-Allow-Origin"] for h in headers} == {
        "'https://app.example.com'"
    }


def test_audit_records_of_prod_cannot_be_removed_for_a_year() -> None:
    locked = {
        stage: [
            bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
            for _, _, bucket in resources(templates(stage), "AWS::S3::Bucket")
            if bucket.get("ObjectLockEnabled")
        ]
        for stage in STAGES
    }

    assert locked == {"local": [], "dev": [], "prod": [{"Days": 365, "Mode": "COMPLIANCE"}]}


@pytest.mark.parametrize("stage", STAGES)
def test_every_log_but_its_own_is_heard_by_audit(stage: str) -> None:
    filters = [p for _, _, p in resources(templates(stage), "AWS::Logs::SubscriptionFilter")]

    patterns = sorted(properties["FilterPattern"] for properties in filters)

    assert patterns == ["{ $.audit.action = * }"] * 11 + ['{ $.errorType != "-" }']


@pytest.mark.parametrize("stage", STAGES)
def test_a_clock_searches_every_minute(stage: str) -> None:
    clocks = {
        rule["Name"]: rule
        for _, _, rule in resources(templates(stage), "AWS::Events::Rule")
        if "ScheduleExpression" in rule
    }
    rule = clocks.pop(f"haylift-{stage}-heartbeat")

    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert [target["Input"] for target in rule["Targets"]] == ['{"source":"haylift.heartbeat"}']
    assert len({each["Input"] for clock in clocks.values() for each in clock["Targets"]}) == len(clocks)
    assert rule["Targets"][0]["Input"] not in str(clocks)
