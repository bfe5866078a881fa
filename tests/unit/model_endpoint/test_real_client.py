"""The real boto3 client against a server on this machine: what a fake client could get wrong."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from haylift.adapters.model_endpoint import SageMakerModels
from haylift.adapters.model_invocation import CallPolicy, ModelInvoker
from haylift.domain.errors import InvalidInput, ModelUnavailable
from haylift.resilience import Deadline, RetryBudget

from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.runtime import embeddings
from tests.fakes.search import FakeTime


@dataclass
class Service:
    """Answers every call alike, and keeps what was asked; it can be told to hang."""

    status: int = 200
    body: dict[str, object] = field(default_factory=dict)
    hangs: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                attributes = self.headers["X-Amzn-SageMaker-Custom-Attributes"]
                service.asked.append((self.path, attributes))
                if service.hangs.is_set():
                    service.released.wait(30)
                    return
                content = json.dumps(service.body).encode()
                self.send_response(service.status)
                if service.status == 424:
                    self.send_header("x-amzn-ErrorType", "ModelError")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Prints nothing."""

        return Handler


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    made = Service()
    server = ThreadingHTTPServer(("127.0.0.1", 0), made.handler())
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    yield made
    made.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def models() -> SageMakerModels:
    policy = CallPolicy(budget=RetryBudget(ratio=0.0, saved=0.0))
    return SageMakerModels(ModelInvoker("haylift-embed", RecordedTelemetry(), policy=policy), "bge")


def test_a_question_gets_its_vector(service: Service) -> None:
    service.body = embeddings([0.5, 0.5])

    vector = models().embed_query("why?", Deadline.after(10))

    assert list(vector) == [0.5, 0.5]
    path, attributes = service.asked[0]
    assert path == "/endpoints/haylift-embed/invocations"
    assert attributes is not None
    assert ",class=query" in attributes


def test_an_error_of_the_container_is_read(service: Service) -> None:
    error = {
        "message": "too long",
        "type": "invalid_request_error",
        "code": "input_too_long",
        "param": "input[1]",
    }
    service.status = 424
    service.body = {
        "Message": "Received client error (400) from primary.",
        "OriginalStatusCode": 400,
        "OriginalMessage": json.dumps({"error": error}),
    }

    with pytest.raises(InvalidInput) as caught:
        models().embed_documents(["a", "b"], Deadline.after(10))

    assert (caught.value.code, caught.value.where) == ("text_too_long", "1")


def test_a_server_that_hangs_is_given_up(service: Service) -> None:
    service.hangs.set()

    with pytest.raises(ModelUnavailable):
        models().embed_query("why?", FakeTime().deadline(0.6))

    assert len(service.asked) == 1


def test_nobody_listening_is_an_outage(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:1")

    with pytest.raises(ModelUnavailable):
        models().embed_query("why?", Deadline.after(10))
