"""The OpenAPI document says what is true, and nothing else is committed."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from haylift.contract import Access
from haylift.routes import ALL_ROUTES
from jsonschema import Draft202012Validator

from local.api_reference import TARGET, document, text

METHODS = {"get", "post", "delete"}
PROBLEM = "application/problem+json"


def drift(committed: str) -> list[str]:
    """Where the committed document differs from the code; empty when it is up to date."""
    said, true = json.loads(committed), document()
    parts = [(part, said.get(part), true.get(part)) for part in sorted(said.keys() | true.keys())]
    paths = said["paths"].keys() | true["paths"].keys()
    parts += [(path, said["paths"].get(path), true["paths"].get(path)) for path in sorted(paths)]
    return [name for name, here, there in parts if here != there]


def test_the_committed_document_is_that_of_the_code() -> None:
    committed = TARGET.read_text(encoding="utf-8")

    assert drift(committed) == [], "run: .venv/bin/python -m local.api_reference"
    assert committed == text()


def test_a_committed_document_that_is_out_of_date_would_be_seen() -> None:
    outdated = document()
    del outdated["paths"]["/v1/search"]["post"]["responses"]["429"]

    assert drift(json.dumps(outdated)) == ["paths", "/v1/search"]


def operations(of: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in of["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_route_is_there_with_the_access_it_has() -> None:
    made = document()

    assert {name for name, _ in operations(made)} == {f"{route.method} {route.path}" for route in ALL_ROUTES}
    by_access = {Access.TOKEN: [{"token": []}], Access.OPTIONAL: [{}, {"token": []}], Access.PUBLIC: []}
    for route in ALL_ROUTES:
        operation = made["paths"][route.path][route.method.lower()]
        assert operation["security"] == by_access[route.access]
        assert {"summary", "description", "operationId", "tags"} <= operation.keys()


def test_addresses_are_relative_so_that_every_stage_prefix_works() -> None:
    assert [server["url"] for server in document()["servers"]] == ["."]


def undescribed(of: dict[str, Any]) -> list[str]:
    """Failures that are no problem documents, and FastAPI's own 422."""
    faults = []
    for name, operation in operations(of):
        for status, answer in operation["responses"].items():
            if "$ref" in answer:
                answer = of["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]  # noqa: PLW2901
            if status == "422" or (status >= "400" and PROBLEM not in answer.get("content", {})):
                faults.append(f"{name} {status}")
    return faults


def test_every_failure_is_a_problem_document() -> None:
    made = document()

    assert undescribed(made) == []
    for name, operation in operations(made):
        assert {"400", "429", "500", "502", "503", "504"} <= operation["responses"].keys(), name
        if operation["security"] == [{"token": []}]:
            assert {"401", "403"} <= operation["responses"].keys(), name
        if "requestBody" in operation:
            assert {"413", "415"} <= operation["responses"].keys(), name


def test_a_failure_that_is_no_problem_would_be_seen() -> None:
    made = document()
    made["paths"]["/v1/search"]["post"]["responses"]["422"] = {"description": "Validation Error"}
    made["paths"]["/v1/query"]["post"]["responses"]["408"] = {"description": "Late"}

    assert undescribed(made) == ["POST /v1/search 422", "POST /v1/query 408"]


def wrong_examples(of: dict[str, Any]) -> list[str]:
    """Examples that their own schema refuses."""
    faults = []
    for name, schema, example in _examples(of):
        errors = Draft202012Validator({**schema, "components": of["components"]}).iter_errors(example)
        faults += [f"{name}: {error.message}" for error in errors]
    return faults


def _examples(of: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], object]]:
    for name, operation in operations(of):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            for content in body.get("content", {}).values():
                examples = [entry["value"] for entry in content.get("examples", {}).values()]
                examples += [content["example"]] if "example" in content else []
                for example in examples:
                    yield name, content["schema"], example


def test_every_example_fits_its_schema() -> None:
    made = document()

    assert wrong_examples(made) == []
    assert len(list(_examples(made))) >= 30


def test_an_example_that_does_not_fit_would_be_seen() -> None:
    made = copy.deepcopy(document())
    examples = made["paths"]["/v1/search"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    examples["example1"]["value"]["top_k"] = "many"

    assert wrong_examples(made) == ["POST /v1/search: 'many' is not of type 'integer'"]
