"""The audit function behind Lambda's API: the real handler's code, archives in memory, tries at once."""

import io
import json
from dataclasses import dataclass, field
from typing import Any

from haylift.services.audit import AuditKeeper

from functions.audit.app import consume
from ops.deployment import Deployment, Patience
from tests.fakes.audit import MemoryArchive, MemoryTrail
from tests.fakes.ops_stage import client

TRIES = 3


@dataclass
class AuditLambda:
    """Lambda's client, as far as commands use it.

    Args:
        is_broken: every invocation fails.
        dead_queue_url: where events go that failed `TRIES` times.
    """

    dead_queue_url: str
    is_broken: bool = False
    archive: MemoryArchive = field(default_factory=MemoryArchive)
    tries: int = 0

    def invoke(
        self, *, FunctionName: str, Qualifier: str, Payload: bytes, InvocationType: str = "RequestResponse"
    ) -> dict[str, Any]:
        """Runs the function, or keeps what it gives up."""
        assert (FunctionName, Qualifier) == ("haylift-local-audit", "live")
        event = json.loads(Payload)
        if InvocationType == "RequestResponse":
            return self._answer(event)
        answers = [self._answer(event) for _ in range(TRIES)]
        if "FunctionError" in answers[-1]:
            self.give_up(event, json.loads(answers[-1]["Payload"].read()))
        return {"StatusCode": 202}

    def _answer(self, event: dict[str, Any]) -> dict[str, Any]:
        self.tries += 1
        try:
            if self.is_broken:
                raise RuntimeError("the archive does not answer")
            consume(event, AuditKeeper(archive=self.archive, trail=MemoryTrail()))
        except Exception as fault:  # as the runtime does, whatever it is
            error = {"errorMessage": str(fault), "errorType": type(fault).__name__}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(error).encode())}
        return {"StatusCode": 200, "Payload": io.BytesIO(b"null")}

    def give_up(self, event: dict[str, Any], error: dict[str, Any]) -> None:
        """What Lambda sends to a destination on failure."""
        record = {
            "version": "1.0",
            "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": TRIES},
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
            "responsePayload": error,
        }
        client("sqs").send_message(QueueUrl=self.dead_queue_url, MessageBody=json.dumps(record))


@dataclass(frozen=True)
class AuditedDeployment(Deployment):
    """A deployment in moto whose Lambda is the one above."""

    audit_lambda: AuditLambda = field(kw_only=True)

    def client(self, service: str, patience: Patience | None = None) -> Any:
        """moto's clients, but for Lambda."""
        return self.audit_lambda if service == "lambda" else super().client(service, patience)
