"""Which queue an upload's event takes, by EventBridge's rules as the emulator reads them."""

import copy
import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ministack.services import eventbridge

from tests.infra.assembly import Template, resources, templates

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

names = st.text(
    st.characters(codec="utf-8", exclude_characters="/", exclude_categories=("Cs", "Cc")), min_size=1
)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


def intakes_of(stacks: Mapping[str, Template], key: str, kind: str = "Object Created") -> list[str]:
    """The queues that hear of an upload under the key."""
    event = {"Source": "aws.s3", "DetailType": kind}
    found = []
    for _, _, rule in resources(stacks, "AWS::Events::Rule"):
        pattern = rule.get("EventPattern", {})
        if pattern.get("source") != ["aws.s3"]:
            continue
        # The bucket's name is a reference until the stage is deployed.
        there = {"detail-type": pattern["detail-type"], "detail": {"object": pattern["detail"]["object"]}}
        detail = json.dumps({"object": {"key": key}})
        if eventbridge._matches_pattern(json.dumps(there), {**event, "Detail": detail}):
            (target,) = rule["Targets"]
            found.append("intake-bulk" if "intakebulk" in json.dumps(target["Arn"]) else "intake")
    return sorted(found)


def lane_faults(stacks: Mapping[str, Template], tenant: str, path: str) -> list[str]:
    """What is wrong with the ways of one tenant's uploads and of the system's own objects."""
    ways = {
        f"documents/{tenant}/{path}": ["intake-bulk" if "/bulk/" in f"/{path}" else "intake"],
        f"documents/{tenant}/bulk/{path}": ["intake-bulk"],
        f"text/{tenant}/{path}": [],
        f"quarantine/{tenant}/{path}": [],
    }
    return [key for key, wanted in ways.items() if intakes_of(stacks, key) != wanted]


@pytest.mark.parametrize(
    ("kind", "intakes"),
    [("Object Created", ["intake"]), ("Object Deleted", ["intake"]), ("Object Tags Added", [])],
)
def test_creations_and_deletions_are_heard_and_our_own_tags_are_not(kind: str, intakes: list[str]) -> None:
    assert intakes_of(templates("prod"), "documents/acme/a.md", kind) == intakes


@settings(max_examples=60, deadline=None)
@given(path=paths)
def test_every_upload_takes_one_way_and_the_systems_own_objects_none(path: str) -> None:
    assert lane_faults(templates("prod"), "acme", path) == []


def test_a_rule_that_takes_bulk_files_too_would_be_seen() -> None:
    broken = copy.deepcopy(dict(templates("prod")))
    for _, _, rule in resources(broken, "AWS::Events::Rule"):
        place = rule.get("EventPattern", {}).get("detail", {}).get("object", {})
        if "anything-but" in json.dumps(place):
            place["key"] = [{"prefix": ""}]

    assert len(lane_faults(broken, "acme", "a.md")) == 3
