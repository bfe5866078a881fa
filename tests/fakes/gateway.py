"""What API Gateway's REST proxy integration sends to a function, in process."""

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from haylift.domain.identity import Principal, Role
from haylift.http import gateway_adapter
from haylift.routes import ALL_ROUTES
from haylift.telemetry import Metric, checked_dimensions

TOKEN = {"jti": "token-1", "exp": "1800000900", "stamp": "stamp-1", "typ": "access"}
"""What the authorizer says of the token that was sent."""


def principal(
    role: Role = Role.ADMIN, tenant: str = "acme", groups: frozenset[str] = frozenset()
) -> Principal:
    """A verified caller of `role`."""
    return Principal(
        subject=f"{role}@{tenant}", tenant=tenant, role=role, permissions=role.permissions, groups=groups
    )


@dataclass(frozen=True)
class Answer:
    """A function's answer as the gateway passes it on."""

    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.text)


@dataclass
class Gateway:
    """Calls an application through its Lambda entry, as `caller` (None: no token)."""

    app: FastAPI
    caller: Principal | None = None
    request_id: str = "request-1"
    content_type: str | None = "application/json"
    source_address: str = "127.0.0.1"
    token: dict[str, str] = field(default_factory=lambda: dict(TOKEN))

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        raw: str | bytes | None = None,
        query: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Sends one request; `raw` is a body that is not JSON, bytes one that is no text either."""
        event = self.event(method, path, body, raw=raw, query=query, headers=headers)
        return answer_of(invoke(self.app, event))

    def event(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        raw: str | bytes | None = None,
        query: str = "",
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """What the function is sent for a request."""
        text = raw if raw is not None else (None if body is None else json.dumps(body))
        pairs = [part.split("=", 1) for part in query.split("&") if part]
        sent = {"host": "gateway"}
        if self.content_type is not None:
            sent["content-type"] = self.content_type
        sent |= headers or {}
        return {
            "resource": _resource(path),
            "path": path,
            "httpMethod": method,
            "headers": sent,
            "multiValueHeaders": {name: [value] for name, value in sent.items()},
            "queryStringParameters": dict(pairs) or None,
            "multiValueQueryStringParameters": {name: [value] for name, value in pairs} or None,
            "body": base64.b64encode(text).decode() if isinstance(text, bytes) else text,
            "isBase64Encoded": isinstance(text, bytes),
            "requestContext": {
                "requestId": self.request_id,
                "authorizer": _authorizer_context(self.caller, self.token),
                "identity": {"sourceIp": self.source_address},
                "stage": "api",
                "httpMethod": method,
                "path": f"/api{path}",
            },
        }


def answer_of(answer: dict[str, Any]) -> Answer:
    """A function's answer as the gateway reads it."""
    content = answer["body"]
    if answer.get("isBase64Encoded"):
        content = base64.b64decode(content).decode("latin-1")
    answered = {name.lower(): value for name, value in answer.get("headers", {}).items()}
    answered |= {name.lower(): ", ".join(v) for name, v in answer.get("multiValueHeaders", {}).items()}
    return Answer(answer["statusCode"], answered, content)


def invoke(app: FastAPI, event: dict[str, Any]) -> dict[str, Any]:
    """What the application's Lambda entry answers to an event."""
    with asyncio.Runner() as runner:
        asyncio.set_event_loop(runner.get_loop())
        try:
            return gateway_adapter(app)(event, None)
        finally:
            asyncio.set_event_loop(None)


def _resource(path: str) -> str:
    """The route that the gateway matched; a path of no route reaches a function only in tests."""
    wanted = path.split("/")
    for route in ALL_ROUTES:
        parts = route.path.split("/")
        pairs = zip(parts, wanted, strict=False)
        if len(parts) == len(wanted) and all(
            part in {name, "{document_id}", "{asset}"} for part, name in pairs
        ):
            return route.path
    return "/{proxy+}"


def _authorizer_context(caller: Principal | None, token: dict[str, str]) -> dict[str, str] | None:
    if caller is None:
        return None
    return {
        "sub": caller.subject,
        "tenant": caller.tenant,
        "role": caller.role.value,
        "permissions": ",".join(sorted(caller.permissions)),
        "groups": ",".join(sorted(caller.groups)),
        **token,
    }


@dataclass
class RecordedTelemetry:
    """Keeps what was recorded, checked against the registry as the real one does."""

    records: list[tuple[Metric, float, dict[str, str]]] = field(default_factory=list)

    def record(self, metric: Metric, value: float, **dimensions: str) -> None:
        """Keeps one value."""
        self.records.append((metric, value, checked_dimensions(metric, dimensions)))

    def dimensions_of(self, metric: Metric) -> list[dict[str, str]]:
        """The dimensions of every record of `metric`."""
        return [dimensions for name, _, dimensions in self.records if name is metric]
