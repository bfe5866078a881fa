"""Bytes in and out: bounded bodies, OpenAI's error shape, vectors as numbers or base64."""

import asyncio
import base64
import math
from collections.abc import Awaitable
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from haylift_endpoint.errors import BodyTooLarge, CallerGone, EndpointError, InvalidJson, InvalidRequest
from haylift_endpoint.ports import Vector


async def read_body[T](request: Request, shape: TypeAdapter[T], *, max_bytes: int) -> T:
    """The body as `shape`, whatever content type it claims (SageMaker's callers often claim none).

    Raises:
        BodyTooLarge: More than `max_bytes`; the rest is not read.
        InvalidRequest: No JSON, or not of this shape; `param` names the first field at fault.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_bytes:
                raise BodyTooLarge(f"the body is over {max_bytes} bytes")
    except ClientDisconnect as error:
        raise CallerGone("the caller closed the connection") from error
    try:
        return shape.validate_json(bytes(body))
    except ValidationError as error:
        raise _translate(error) from error


def json_response(content: dict[str, Any], *, status: int = 200, request_id: str | None = None) -> Response:
    """JSON with numpy arrays as lists of the shortest digits that read back as the same float32."""
    headers = {"x-request-id": _header_safe(request_id)} if request_id else {}
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def error_response(error: EndpointError, request_id: str | None = None) -> Response:
    """An error in OpenAI's shape; `retry_after_s` is in the body too, since SageMaker strips headers."""
    detail: dict[str, Any] = {
        "message": error.message, "type": error.type, "code": error.code, "param": error.param,
    }  # fmt: skip
    if error.retry_after_s is not None:
        detail["retry_after_s"] = round(error.retry_after_s, 2)
    response = json_response({"error": detail}, status=error.status, request_id=request_id)
    if error.retry_after_s is not None:
        response.headers["retry-after"] = str(math.ceil(error.retry_after_s))
    return response


def encode_vector(vector: Vector, encoding: str) -> Vector | str:
    """The vector for `json_response`: itself, or base64 of little-endian float32."""
    return (
        base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii") if encoding == "base64" else vector
    )


async def unless_gone[T](request: Request, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled as soon as the caller closes the connection.

    Raises:
        CallerGone: The caller left first.
    """
    answer = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            # Its outcome is counted when the work has really left the line, not before.
            answer.cancel()
            await asyncio.wait({answer})
            raise CallerGone("the caller closed the connection")
        return answer.result()
    finally:
        answer.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


def _translate(error: ValidationError) -> InvalidRequest:
    faults = error.errors(include_input=False, include_url=False)
    if faults[0]["type"] == "json_invalid":
        return InvalidJson("the body is no JSON: " + faults[0]["msg"].removeprefix("Invalid JSON: "))
    param = _field(faults[0]["loc"])
    # A union (text or list of texts) has a fault for each of its members; a caller needs them together.
    why = " or ".join(dict.fromkeys(fault["msg"] for fault in faults if _field(fault["loc"]) == param))
    return InvalidRequest(f"{param}: {why}" if param else why, param=param)


def _field(path: tuple[int | str, ...]) -> str | None:
    # Parts of the path that are no field names (a union's member, a discriminator) mean nothing to a caller.
    names = [str(part) for part in path if part not in ("str", "list[str]", "embed", "rerank")]
    return ".".join(names) or None


def _header_safe(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")
