"""Starts an image build for CloudFormation, which waits for an answer at an address that it signed.

The function answers deletions and builds that could not start. Everything else the build answers by running
this file as its last phase, which comes after a failed build too.
"""

import json
import os
import urllib.request
from collections.abc import Mapping
from typing import Any

ECHOED = ("StackId", "RequestId", "LogicalResourceId")
PHYSICAL_ID = "image"


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Takes a custom resource's request; a deletion leaves the images to the repository's own policy."""
    request = {key: event[key] for key in ECHOED}
    if event["RequestType"] == "Delete":
        answer(event["ResponseURL"], request, "SUCCESS", "nothing to delete")
        return
    try:
        start_build(event["ResponseURL"], request)
    except Exception as fault:  # CloudFormation would wait for an hour if nobody answered
        answer(event["ResponseURL"], request, "FAILED", str(fault))


def start_build(url: str, request: Mapping[str, str]) -> None:
    """Starts the build and tells it where and what to answer."""
    import boto3  # noqa: PLC0415  # not there where the build runs

    variables = {"CFN_RESPONSE_URL": url, "CFN_REQUEST": json.dumps(request)}
    boto3.client("codebuild").start_build(
        projectName=os.environ["PROJECT_NAME"],
        environmentVariablesOverride=[
            {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
        ],
    )


def answer(url: str, request: Mapping[str, str], status: str, reason: str) -> None:
    """Puts `SUCCESS` or `FAILED` to the address."""
    body = {**request, "Status": status, "Reason": reason, "PhysicalResourceId": PHYSICAL_ID}
    # An empty type: the address is signed for requests without one.
    answered = urllib.request.Request(  # noqa: S310  # the address comes from CloudFormation
        url, json.dumps(body).encode(), {"Content-Type": ""}, method="PUT"
    )
    with urllib.request.urlopen(answered, timeout=30):  # noqa: S310
        pass


def answer_for_build() -> None:
    """Inside CodeBuild: says how the build ended."""
    is_built = os.environ.get("CODEBUILD_BUILD_SUCCEEDING") == "1"
    reason = f"build {os.environ.get('CODEBUILD_BUILD_ID', '')}"
    request = json.loads(os.environ["CFN_REQUEST"])
    answer(os.environ["CFN_RESPONSE_URL"], request, "SUCCESS" if is_built else "FAILED", reason)


if __name__ == "__main__":
    answer_for_build()
