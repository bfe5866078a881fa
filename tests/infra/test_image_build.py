"""Whatever happens to an image build, CloudFormation gets exactly one answer."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from moto import mock_aws

from stacks.image_build.construct import answering_command
from stacks.image_build.trigger import trigger

REQUEST = {"StackId": "stack", "RequestId": "request", "LogicalResourceId": "Image"}


class CloudFormation:
    """A loopback address that keeps what is put there."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, dict[str, Any]]] = []
        answers = self.answers

        class Address(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answers.append((self.headers.get("Content-Type", ""), json.loads(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Address)
        self.url = f"http://127.0.0.1:{self._server.server_port}/answer?signature=x"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    address = CloudFormation()
    yield address
    address.close()


def test_a_deletion_is_answered_at_once(cloudformation: CloudFormation) -> None:
    trigger.handler({"RequestType": "Delete", "ResponseURL": cloudformation.url, **REQUEST}, None)

    expected = {**REQUEST, "Status": "SUCCESS", "Reason": "nothing to delete", "PhysicalResourceId": "image"}
    assert cloudformation.answers == [("", expected)]


def test_a_build_that_cannot_start_is_a_failure(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROJECT_NAME", "no-such-project")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        trigger.handler({"RequestType": "Create", "ResponseURL": cloudformation.url, **REQUEST}, None)

    ((_, answer),) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert "no-such-project" in answer["Reason"]


@pytest.mark.parametrize(("succeeding", "status"), [("1", "SUCCESS"), ("0", "FAILED")])
def test_the_build_answers_how_it_ended(succeeding: str, status: str, cloudformation: CloudFormation) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "CODEBUILD_BUILD_SUCCEEDING": succeeding,
        "CODEBUILD_BUILD_ID": "project:7",
        "CFN_RESPONSE_URL": cloudformation.url,
        "CFN_REQUEST": json.dumps(REQUEST),
    }

    subprocess.run(["sh", "-c", answering_command()], env=environment, check=True, timeout=60)

    expected = {**REQUEST, "Status": status, "Reason": "build project:7", "PhysicalResourceId": "image"}
    assert cloudformation.answers == [("", expected)]
