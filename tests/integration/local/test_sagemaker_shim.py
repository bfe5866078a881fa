"""boto3 meets the shim as it would meet SageMaker's runtime."""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import uvicorn
from botocore.config import Config
from botocore.exceptions import ClientError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.polling import until
from local.sagemaker_shim import MAX_BODY_BYTES, build
from tests.integration.local.running_emulator import free_port

ATTRIBUTES = "deadline_ms=1790000000500,class=query,request_id=a1b2"


async def container(request: Request) -> Response:
    """Shows the headers it got, or does what the body asks for."""
    asked = (await request.body()).decode()
    if asked.isdigit():
        return JSONResponse({"error": {"code": "busy", "retry_after_s": 2}}, int(asked))
    if asked == "slow":
        await asyncio.Event().wait()
    return JSONResponse(dict(request.headers), headers={"x-secret": "1"})


def serve(app: Starlette) -> tuple[uvicorn.Server, threading.Thread, int]:
    """Serve in a thread; the caller stops it."""
    port = free_port()
    config = uvicorn.Config(app, "127.0.0.1", port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, what="server", limit_s=10, pause_s=0.01)
    return server, thread, port


@pytest.fixture(scope="module")
def runtime() -> Iterator[Any]:
    """A boto3 client of a shim with the endpoints `embed` and `gone`."""
    behind = serve(Starlette(routes=[Route("/invocations", container, methods=["POST"])]))
    endpoints = {"embed": f"http://127.0.0.1:{behind[2]}", "gone": f"http://127.0.0.1:{free_port()}"}
    shim = serve(build(endpoints, limit_s=0.5))
    client = boto3.client(
        "sagemaker-runtime", endpoint_url=f"http://127.0.0.1:{shim[2]}", region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    yield client
    client.close()
    for server, thread, _ in (shim, behind):
        server.should_exit = True
        thread.join(10)


def invoke(runtime: Any, body: str, endpoint: str = "embed") -> Any:
    """Invoke with every header that a caller can set."""
    return runtime.invoke_endpoint(
        EndpointName=endpoint, Body=body, ContentType="text/plain", Accept="application/json",
        CustomAttributes=ATTRIBUTES,
    )  # fmt: skip


def failure(runtime: Any, body: str, endpoint: str = "embed") -> dict[str, Any]:
    """The error that an invocation raises."""
    with pytest.raises(ClientError) as raised:
        invoke(runtime, body, endpoint)
    return dict(raised.value.response)


def test_only_four_things_reach_the_container(runtime: Any) -> None:
    answer = invoke(runtime, "hello")

    seen = json.loads(answer["Body"].read())
    assert seen["x-amzn-sagemaker-custom-attributes"] == ATTRIBUTES
    assert (seen["content-type"], seen["accept"]) == ("text/plain", "application/json")
    transport = {"host", "content-length", "connection", "accept-encoding"}
    assert set(seen) - transport == {"x-amzn-sagemaker-custom-attributes", "content-type", "accept"}
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert "x-secret" not in answer["ResponseMetadata"]["HTTPHeaders"]


@pytest.mark.parametrize(("status", "side"), [(429, "client"), (400, "client"), (503, "server")])
def test_errors_of_the_container_are_model_errors(runtime: Any, status: int, side: str) -> None:
    found = failure(runtime, str(status))

    assert found["Error"]["Code"] == "ModelError"
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert found["OriginalStatusCode"] == status
    assert json.loads(found["OriginalMessage"]) == {"error": {"code": "busy", "retry_after_s": 2}}
    assert found["LogStreamArn"].endswith(":log-group:/aws/sagemaker/Endpoints/embed")
    assert found["Error"]["Message"].startswith(f"Received {side} error ({status}) from primary")


def test_a_container_that_takes_too_long_is_a_model_error_with_status_0(runtime: Any) -> None:
    found = failure(runtime, "slow")

    assert (found["Error"]["Code"], found["OriginalStatusCode"]) == ("ModelError", 0)


def test_unknown_endpoint_is_a_validation_error(runtime: Any) -> None:
    found = failure(runtime, "hello", "other")

    assert found["Error"]["Code"] == "ValidationError"
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_unreachable_container_is_service_unavailable(runtime: Any) -> None:
    found = failure(runtime, "hello", "gone")

    assert found["Error"]["Code"] == "ServiceUnavailable"
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_bodies_over_six_megabytes_are_refused(runtime: Any) -> None:
    found = failure(runtime, "x" * (MAX_BODY_BYTES + 1))

    assert found["ResponseMetadata"]["HTTPStatusCode"] == 413
