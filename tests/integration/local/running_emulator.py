"""What the conformance tests do with an emulator: deploy, call, look, switch a patch off."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
import httpx
from botocore.config import Config

from local.polling import TooLate, until

REGION = "us-east-1"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningEmulator:
    """An emulator in a process of its own."""

    def __init__(self, port: int, pid: int) -> None:
        """The emulator need not answer yet."""
        self.url = f"http://127.0.0.1:{port}"
        self.pid = pid
        self.outputs: dict[str, str] = {}
        self.http = httpx.Client(base_url=self.url, timeout=40)
        self.client = cache(self._client)
        self._made: list[Any] = []

    def _client(self, service: str) -> Any:
        made = boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="test",
            aws_secret_access_key="test", config=Config(retries={"max_attempts": 0}, read_timeout=40),
        )  # fmt: skip
        self._made.append(made)
        return made

    def close(self) -> None:
        """Close all connections."""
        self.http.close()
        for made in self._made:
            made.close()

    def wait_until_ready(self) -> None:
        """Return when the emulator answers."""

        def is_ready() -> bool:
            try:
                return self.http.get("/_haylift/ready").status_code == 200
            except httpx.TransportError:
                return False

        until(is_ready, what="emulator", limit_s=30)

    def deploy(self, stack: str, template: dict[str, Any]) -> dict[str, str]:
        """Create a stack and return its outputs; AssertionError when it ends in any other state."""
        cloudformation = self.client("cloudformation")
        try:
            cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
        except cloudformation.exceptions.ClientError as error:
            raise AssertionError(str(error)) from error

        def finished() -> dict[str, Any] | None:
            found: dict[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
            return None if found["StackStatus"].endswith("IN_PROGRESS") else found

        found = until(finished, what=f"stack {stack}", limit_s=60)
        assert found is not None
        assert found["StackStatus"] == "CREATE_COMPLETE", found
        outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}
        self.outputs.update(outputs)
        return outputs

    def delete(self, stack: str) -> None:
        """Delete a stack without waiting."""
        self.client("cloudformation").delete_stack(StackName=stack)

    @contextmanager
    def without(self, patch: str) -> Iterator[None]:
        """Switch one patch off for a while."""
        self._switch(patch, "off")
        try:
            yield
        finally:
            self._switch(patch, "on")

    @contextmanager
    def throttled(self, function: str) -> Iterator[None]:
        """Let a function run nothing for a while."""
        lambdas = self.client("lambda")
        lambdas.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
        try:
            yield
        finally:
            lambdas.delete_function_concurrency(FunctionName=function)

    def _switch(self, patch: str, state: str) -> None:
        self.http.post(f"/_haylift/patches/{patch}", params={"state": state}).raise_for_status()

    def patches(self) -> set[str]:
        """Names of all patches."""
        return set(self.http.get("/_haylift/ready").json()["patches"])

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Call the fixture's REST API."""
        address = f"/_aws/execute-api/{self.outputs['ApiName']}/v{path}"
        return self.http.request(method, address, **request)

    def invoke(self, function: str, event: Any, **options: Any) -> dict[str, Any]:
        """Invoke a function and return its payload; errors come back as their payload."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event), **options)
        payload = json.loads(answer["Payload"].read())
        return payload if isinstance(payload, dict) else {"payload": payload}

    def received(self, queue_output: str, limit_s: float = 5.0) -> dict[str, Any]:
        """The next message of a queue, taken off it; AssertionError when none comes."""
        sqs, url = self.client("sqs"), self.outputs[queue_output]

        def message() -> Any:
            return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages")

        try:
            found = until(message, what="message", limit_s=limit_s)[0]
        except TimeoutError as error:
            raise AssertionError(str(error)) from error
        sqs.delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])
        body: dict[str, Any] = json.loads(found["Body"])
        return body

    def pages(self, operation: str, **request: Any) -> list[dict[str, Any]]:
        """All pages of a CloudWatch operation."""
        return list(self.client("cloudwatch").get_paginator(operation).paginate(**request))

    def records(self, namespace: str, name: str, dimensions: dict[str, str]) -> int:
        """How many records the emulator keeps of a metric."""
        query = {"namespace": namespace, "name": name, **dimensions}
        return int(self.http.get("/_haylift/records", params=query).raise_for_status().json()["records"])

    def waiting(self, queue_output: str) -> int:
        """How many messages of a queue can be received."""
        attributes = self.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs[queue_output], AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    def stays(self, question: Callable[[], bool], for_s: float) -> bool:
        """Whether the answer stays true for so long."""
        try:
            until(lambda: not question(), what="change", limit_s=for_s, pause_s=0.1)
        except TooLate:
            return True
        return False

    def metric_sum(
        self, namespace: str, name: str, dimensions: dict[str, str], statistic: str = "Sum"
    ) -> float:
        """A metric's statistic over the last hour; 0 when there is none."""
        from datetime import UTC, datetime, timedelta  # noqa: PLC0415

        now = datetime.now(UTC)
        answer = self.client("cloudwatch").get_metric_statistics(
            Namespace=namespace, MetricName=name, Period=7200, Statistics=[statistic],
            Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()],
            StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1),
        )  # fmt: skip
        return sum(point[statistic] for point in answer["Datapoints"])


def eventually(question: Callable[[], Any], what: str, limit_s: float = 3.0) -> None:
    """AssertionError unless the answer becomes true in time."""
    try:
        until(question, what=what, limit_s=limit_s, pause_s=0.05)
    except TooLate as error:
        raise AssertionError(str(error)) from error


Check = Callable[[RunningEmulator], None]
