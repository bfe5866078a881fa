"""`python -m local.sagemaker_shim`: SageMaker's runtime API in front of containers on this machine.

Behaves as InvokeEndpoint does where a caller can notice: headers are stripped, errors of the container
become ModelError, and an answer takes at most 60 s. Source: SageMaker Runtime API reference.
"""

import argparse
import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

INVOCATION_LIMIT_S = 60.0
MAX_BODY_BYTES = 6 * 1024 * 1024
MAX_ORIGINAL_MESSAGE_CHARACTERS = 4096
# What reaches the container; everything else the caller sent does not.
FORWARDED = ("content-type", "accept", "x-amzn-sagemaker-custom-attributes")
RETURNED = ("content-type", "x-amzn-sagemaker-custom-attributes")
REGION, ACCOUNT = "us-east-1", "000000000000"


def error(status: int, code: str, message: str, **details: object) -> Response:
    """An error as SageMaker's runtime words it; boto3 raises it under its code, with the details."""
    body = json.dumps({"Message": message, **details})
    headers = {"x-amzn-errortype": code, "content-type": "application/json"}
    return Response(body, status, headers)


def model_error(endpoint: str, status: int, text: str) -> Response:
    """What a caller gets for an error of the container; status 0: it gave no answer in time."""
    side = "client" if 400 <= status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    return error(
        424,
        "ModelError",
        f'Received {side} error ({status}) from primary with message "{text}". See log group {group}.',
        ErrorCode=f"{side.upper()}_ERROR_FROM_MODEL",
        OriginalStatusCode=status,
        OriginalMessage=text[:MAX_ORIGINAL_MESSAGE_CHARACTERS],
        LogStreamArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}",
    )


class Runtime:
    """Invokes the containers that stand behind endpoint names."""

    def __init__(
        self, containers: Mapping[str, str], client: httpx.AsyncClient, limit_s: float = INVOCATION_LIMIT_S
    ) -> None:
        """`containers` gives each endpoint's address; `client` is closed by its owner."""
        self._containers = containers
        self._client = client
        self._limit_s = limit_s

    async def invoke(self, request: Request) -> Response:
        """`POST /endpoints/{name}/invocations`."""
        name = request.path_params["name"]
        if name not in self._containers:
            return error(400, "ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            return error(413, "ValidationError", f"The body is larger than {MAX_BODY_BYTES} bytes.")
        headers = {key: request.headers[key] for key in FORWARDED if key in request.headers}
        try:
            async with asyncio.timeout(self._limit_s):
                answer = await self._client.post(
                    f"{self._containers[name]}/invocations", content=body, headers=headers
                )
        except TimeoutError:
            text = "Your invocation timed out while waiting for a response from container primary."
            return model_error(name, 0, text)
        except httpx.TransportError:
            text = (
                "A transient exception occurred while retrieving variant instances. Please try again later."
            )
            return error(503, "ServiceUnavailable", text)
        if answer.status_code >= 400:
            return model_error(name, answer.status_code, answer.text)
        returned = {key: answer.headers[key] for key in RETURNED if key in answer.headers}
        variant = {"x-amzn-invoked-production-variant": "AllTraffic"}
        return Response(answer.content, 200, {**returned, **variant})

    async def ping(self, _request: Request) -> Response:
        """`GET /ping`: this process answers; says nothing of the containers."""
        return Response(status_code=200)


def build(containers: Mapping[str, str], limit_s: float = INVOCATION_LIMIT_S) -> Starlette:
    """The application for these endpoints."""
    # Default headers of the client must not reach the container either.
    client = httpx.AsyncClient(timeout=None, trust_env=False, limits=httpx.Limits(max_connections=256))  # noqa: S113
    client.headers.clear()
    runtime = Runtime(containers, client, limit_s)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    invocations = Route("/endpoints/{name}/invocations", runtime.invoke, methods=["POST"])
    return Starlette(routes=[invocations, Route("/ping", runtime.ping)], lifespan=lifespan)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve on 127.0.0.1 until SIGTERM."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument(
        "--endpoint", action="append", required=True, metavar="NAME=URL", help="a container; may be repeated"
    )
    given = parser.parse_args(arguments)
    containers = dict(item.split("=", 1) for item in given.endpoint)
    uvicorn.run(
        build(containers), host="127.0.0.1", port=given.port, log_level="warning", timeout_keep_alive=75
    )


if __name__ == "__main__":
    main()
