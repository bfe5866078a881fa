"""Rejected files: who may write them, that they start nothing, and how long they stay."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.infra.assembly import Template, resources, templates
from tests.infra.test_intakes import intakes_of

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

PREFIX = "quarantine/"
TEXTS = "text/"
WRITES = {"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"}


def quarantine_faults(stacks: Mapping[str, Template]) -> list[str]:
    """What keeps a rejected file for ever, lets a function write beside it, or starts ingestion by it."""
    faults: list[str] = []
    rules = [
        rule
        for _, _, bucket in resources(stacks, "AWS::S3::Bucket")
        for rule in bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        if rule.get("Prefix") == PREFIX
    ]
    if not any(rule.get("ExpirationInDays") == 30 for rule in rules):
        faults.append("the quarantine is never emptied")
    if not any(rule.get("NoncurrentVersionExpiration") == {"NoncurrentDays": 1} for rule in rules):
        faults.append("what was removed from the quarantine stays")
    for _, _, policy in resources(stacks, "AWS::IAM::Policy"):
        if not any("ingestionRole" in role["Ref"] for role in policy["Roles"]):
            continue
        faults += [
            "ingestion writes outside the quarantine and its texts"
            for statement in policy["PolicyDocument"]["Statement"]
            if _writes(statement) and not _ends_at_its_prefixes(statement)
        ]
    faults += ["a copy starts ingestion" for _ in intakes_of(stacks, f"{PREFIX}acme/a.pdf")]
    return faults


def _writes(statement: Mapping[str, Any]) -> bool:
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    return bool(WRITES & set(actions))


def _ends_at_its_prefixes(statement: Mapping[str, Any]) -> bool:
    """The copies of rejected files, and the texts that it made of files; never the files themselves."""
    named = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    endings = tuple(f'/{prefix}*"]]}}' for prefix in (PREFIX, TEXTS))
    return all(json.dumps(each).endswith(endings) for each in named)


def test_the_quarantine_is_written_by_ingestion_and_emptied_by_itself() -> None:
    assert quarantine_faults(templates("prod")) == []


def test_a_quarantine_that_fills_up_would_be_seen() -> None:
    broken = copy.deepcopy(dict(templates("prod")))
    for _, _, bucket in resources(broken, "AWS::S3::Bucket"):
        bucket.pop("LifecycleConfiguration", None)
    for _, _, rule in resources(broken, "AWS::Events::Rule"):
        place = rule.get("EventPattern", {}).get("detail", {}).get("object", {})
        if "anything-but" in json.dumps(place):
            place["key"] = [{"prefix": ""}]

    assert quarantine_faults(broken) == [
        "the quarantine is never emptied",
        "what was removed from the quarantine stays",
        "a copy starts ingestion",
    ]


def test_a_right_to_write_uploads_would_be_seen() -> None:
    broken = copy.deepcopy(dict(templates("prod")))
    for _, _, policy in resources(broken, "AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if _writes(statement):
                written = json.dumps(statement["Resource"])
                statement["Resource"] = json.loads(written.replace(f"/{TEXTS}*", "/documents/*"))

    assert set(quarantine_faults(broken)) == {"ingestion writes outside the quarantine and its texts"}
