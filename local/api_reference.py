"""The one OpenAPI document over all functions: `python -m local.api_reference` writes it again.

What a function answers comes from its FastAPI application; who may call, the aliases and what the gateway
answers come from the table of routes. Functions do not know each other, so it is put together here.
"""

import importlib
import inspect
import json
import sys
from collections.abc import Iterator
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from haylift import __version__
from haylift.contract import Access, Route
from haylift.http.operations import Problem
from haylift.routes import ALL_ROUTES

from local.gateway_answers import ANSWERS_BY_STATUS, HEADERS, statuses_of

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "functions" / "reference" / "openapi.json"
FUNCTIONS = ("auth", "search", "documents", "metrics", "reference")
ALIASES = "Names of the production guides"
METHODS = ("get", "post", "delete")

INTRODUCTION = """\
Search and ask questions over documents that were dropped into a bucket.

**Log in** with `POST /v1/auth/login` and send the access token as `Authorization: Bearer <token>`; on the
page `docs` the button *Log in* does that. Every failure is a problem document (RFC 9457) with a stable
`code`.
Every answer has an `X-Request-Id`: quote it when you report a failure."""

TAGS = {
    "Searching": "Find passages, get answers with citations, rate them.",
    "Documents": "Upload, list, look at and delete documents of your tenant.",
    "Logging in": "Tokens and keys.",
    "Watching": "Whether it works, and how well.",
    "Reference": "This document and the page that shows it.",
    ALIASES: "The same routes under the names that Haystack's production guides use.",
}


class _Nothing:
    """Stands for services while an application is made: routes are declared, nothing is called."""

    def __getattr__(self, name: str) -> "_Nothing":
        return _Nothing()


class Undocumented(Exception):
    """A route lacks something that the reference must say; the text names both."""


def document() -> dict[str, Any]:
    """The document; equal code gives equal bytes.

    Raises:
        Undocumented: a route has no description, or no function answers it.
    """
    parts = [_described(application(name)) for name in FUNCTIONS]
    operations = {(method, path): found for part in parts for method, path, found in _operations(part)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Haylift",
            "version": __version__,
            "summary": "Search and question answering over your documents.",
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        # Relative to where this document lies, so it holds behind every stage prefix and every domain.
        "servers": [{"url": ".", "description": "The deployment that this document came from"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "security": [],
        "paths": _paths(operations),
        "components": {
            "schemas": _schemas(parts) | _extra_schemas(),
            "responses": dict(ANSWERS_BY_STATUS.values()),
            "headers": HEADERS,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The `access_token` that `POST /v1/auth/login` gives for a user name and "
                    "a password. It lives for 15 minutes; `POST /v1/auth/refresh` gives the next.",
                }
            },
        },
    }


def application(name: str) -> FastAPI:
    """A function's application over no services."""
    create_app = importlib.import_module(f"functions.{name}.app").create_app
    required = [p for p in inspect.signature(create_app).parameters.values() if p.default is p.empty]
    app: FastAPI = create_app(*[_Nothing() for _ in required])
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """What FastAPI says of an application, with the examples as they were given: it drops every null."""
    part = app.openapi()
    for route in app.routes:
        if not isinstance(route, APIRoute):
            continue
        for method in route.methods or ():
            answers = part["paths"][route.path][method.lower()]["responses"]
            for status, declared in route.responses.items():
                for media_type, content in declared.get("content", {}).items():
                    if "example" in content:
                        answers[str(status)]["content"][media_type]["example"] = content["example"]
    return part


def _operations(part: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in part.get("paths", {}).items():
        for method in METHODS:
            if method in methods:
                yield method.upper(), path, methods[method]


def _paths(operations: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in ALL_ROUTES:
        target = (route.method, route.alias_of or route.path)
        if target not in operations:
            raise Undocumented(f"{route.method} {route.path}: no function answers it")
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(
            route, deepcopy(operations[target])
        )
    return paths


def _operation(route: Route, found: dict[str, Any]) -> dict[str, Any]:
    if not found.get("description") or not found.get("tags"):
        raise Undocumented(f"{route.method} {route.path}: no description")
    description = found["description"]
    if route.permission is not None:
        description += f"\n\nNeeds the permission `{route.permission}`."
    if route.alias_of:
        description = f"Another name of `{route.method} {route.alias_of}`.\n\n{description}"
    parameters = [_without_titles(parameter) for parameter in found.get("parameters", [])]
    return {
        "operationId": _operation_id(route),
        "tags": [ALIASES] if route.alias_of else found["tags"],
        "summary": found["summary"],
        "description": description,
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": found["requestBody"]} if "requestBody" in found else {}),
        "responses": _responses(route, found),
        "security": {
            Access.TOKEN: [{"token": []}],
            Access.OPTIONAL: [{}, {"token": []}],
            Access.PUBLIC: [],
        }[route.access],
    }


def _responses(route: Route, found: dict[str, Any]) -> dict[str, Any]:
    """The function's own answers and, for statuses it does not describe, those that any route can have."""
    own = {status: answer for status, answer in found["responses"].items() if status != "422"}
    for answer in own.values():
        answer["headers"] = {
            **{name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS if name != "Retry-After"},
            **answer.get("headers", {}),
        }
    common = {
        str(status): {"$ref": f"#/components/responses/{ANSWERS_BY_STATUS[status][0]}"}
        for status in statuses_of(route, has_body="requestBody" in found)
    }
    return dict(sorted((common | own).items()))


def _operation_id(route: Route) -> str:
    words = route.path.translate(str.maketrans("/{}.-", "     ")).split()
    return "_".join([route.method.lower(), *words])


def _schemas(parts: list[dict[str, Any]]) -> dict[str, Any]:
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = {**problem.pop("$defs", {}), "Problem": problem}
    for part in parts:
        for name, schema in part.get("components", {}).get("schemas", {}).items():
            if name in {"HTTPValidationError", "ValidationError"}:
                continue  # FastAPI's own 422, which nothing here answers
            if schemas.setdefault(name, schema) != schema:
                raise Undocumented(f"two schemas are called {name}")
    return {name: _without_titles(schemas[name]) for name in sorted(schemas)}


def _extra_schemas() -> dict[str, Any]:
    """What functions say of their requests beyond what types can."""
    modules = [f"functions.{name}.schemas" for name in FUNCTIONS]
    found = [importlib.import_module(module) for module in modules if find_spec(module)]
    return {name: schema for module in found for name, schema in module.SCHEMAS.items()}


def _without_titles(schema: Any) -> Any:
    """Pydantic repeats each field's name as its title."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_titles(value)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str)
    }


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Writes the document to where the reference function reads it."""
    TARGET.write_text(text(), encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(ALL_ROUTES)} routes, {TARGET.stat().st_size / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
