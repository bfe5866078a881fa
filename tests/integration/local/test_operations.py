"""What operators and drills do to a system takes effect here as on AWS."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.local.running_emulator import RunningEmulator, eventually


def test_a_disabled_mapping_leaves_the_queue_alone(system: RunningEmulator) -> None:
    lambdas, sqs = system.client("lambda"), system.client("sqs")
    mapping, url = system.outputs["MappingName"], system.outputs["WorkName"]

    lambdas.update_event_source_mapping(UUID=mapping, Enabled=False)
    before = system.waiting("WorkName")
    sqs.send_message(QueueUrl=url, MessageBody="waits")
    stays = system.stays(lambda: system.waiting("WorkName") == before + 1, 1.5)
    lambdas.update_event_source_mapping(UUID=mapping, Enabled=True)

    assert stays
    eventually(lambda: system.waiting("WorkName") == 0, "consumed", 8)


def test_a_preflight_request_is_answered_without_a_function(system: RunningEmulator) -> None:
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}

    answer = system.call("OPTIONS", "/shared", headers=headers)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-methods"] == "GET"
    assert answer.headers["access-control-max-age"] == "600"


@pytest.fixture
def listener() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of an HTTP listener, and what it has received."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/page", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_topics_keep_mail_addresses_and_call_confirmed_listeners(
    system: RunningEmulator, listener: tuple[str, list[dict[str, Any]]]
) -> None:
    sns, (address, received) = system.client("sns"), listener
    topic = sns.create_topic(Name=f"page-{uuid4().hex[:8]}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="on-call@example.org")
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=address)

    eventually(lambda: received, "the request to confirm", 5)
    sns.confirm_subscription(TopicArn=topic, Token=received[0]["Token"])
    sns.publish(TopicArn=topic, Subject="ALARM", Message="text")
    eventually(lambda: len(received) == 2, "the notification", 5)

    listed = {
        s["Protocol"]: s["Endpoint"] for s in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    }
    assert listed == {"email": "on-call@example.org", "http": address}
    assert [message["Type"] for message in received] == ["SubscriptionConfirmation", "Notification"]
    assert received[1]["Message"] == "text"
