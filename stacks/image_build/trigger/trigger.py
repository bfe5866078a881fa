"""Starts an image build for CloudFormation; the build answers, here only failures and deletions are."""

import json
import os
import urllib.request
from collections.abc import Mapping
from typing import Any

import boto3

ECHOED = ("StackId", "RequestId", "LogicalResourceId")
PHYSICAL_ID = "image"


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Takes a custom resource's request; a deletion leaves the images to the repository's own policy."""
    if event["RequestType"] == "Delete":
        answer(event, "SUCCESS", "nothing to delete")
        return
    try:
        start_build(event)
    except Exception as fault:  # CloudFormation would wait for an hour if nobody answered
        answer(event, "FAILED", str(fault))


def start_build(event: Mapping[str, Any]) -> None:
    """Starts the build and tells it where and what to answer."""
    request = {key: event[key] for key in ECHOED}
    variables = {"CFN_RESPONSE_URL": event["ResponseURL"], "CFN_REQUEST": json.dumps(request)}
    boto3.client("codebuild").start_build(
        projectName=os.environ["PROJECT_NAME"],
        environmentVariablesOverride=[
            {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
        ],
    )


def answer(event: Mapping[str, Any], status: str, reason: str) -> None:
    """Puts the answer to the address that CloudFormation signed for it."""
    body = {
        **{key: event[key] for key in ECHOED},
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": PHYSICAL_ID,
    }
    request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT")  # noqa: S310
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310  # an address from CloudFormation
        pass
