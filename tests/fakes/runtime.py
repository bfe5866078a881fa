"""SageMaker's runtime client, in memory: answers in turn, and what was asked."""

import base64
import io
import json
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

type Answer = dict[str, Any] | Exception


def model_error(status: int, code: str = "", **error: object) -> ClientError:
    """What boto3 raises when the container answered with an error status."""
    message = json.dumps({"error": {"message": "no", "type": "server_error", "code": code, **error}})
    response = {
        "Error": {"Code": "ModelError", "Message": "Received an error from the container."},
        "OriginalStatusCode": status,
        "OriginalMessage": message,
        "ResponseMetadata": {"HTTPStatusCode": 424},
    }
    return ClientError(response, "InvokeEndpoint")  # type: ignore[arg-type]  # ModelError's own members


def service_error(code: str, status: int = 400) -> ClientError:
    """What boto3 raises when SageMaker itself answered with an error."""
    response = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "InvokeEndpoint")  # type: ignore[arg-type]  # no more members are needed


def encoded(numbers: Iterable[float]) -> str:
    """A vector as the container sends it."""
    return base64.b64encode(array("f", numbers).tobytes()).decode()


def embeddings(*vectors: Iterable[float]) -> dict[str, Any]:
    """The container's answer to an embeddings request."""
    rows = [
        {"object": "embedding", "index": index, "embedding": encoded(vector)}
        for index, vector in enumerate(vectors)
    ]
    return {"object": "list", "model": "m", "data": rows}


@dataclass
class FakeRuntime:
    """Gives its answers in turn; the last one again and again."""

    answers: list[Answer]
    calls: list[dict[str, Any]] = field(default_factory=list)
    on_call: Callable[[], None] = lambda: None

    def invoke_endpoint(self, **call: Any) -> dict[str, Any]:
        self.calls.append(call)
        self.on_call()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {"Body": io.BytesIO(json.dumps(answer).encode())}

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies sent, decoded."""
        return [json.loads(call["Body"]) for call in self.calls]
