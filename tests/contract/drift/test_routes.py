"""Lock 5: the routes of the apps, of the contracts and of API Gateway are the same."""

import copy
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from haylift.contract import Access
from haylift.headers import SECURITY_HEADERS
from haylift.routes import ALL_ROUTES

from tests.contract.drift.contracts import contract_of, functions_with
from tests.infra.assembly import STAGES, Template, resources, templates

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

SETTINGS = "settings"
ACCESS_BY_AUTHORIZER = {"WithToken": Access.TOKEN, "Anybody": Access.OPTIONAL}

type Routes = dict[str, tuple[str, str]]
"""`METHOD /path` to function and access."""


class AnyService:
    """Stands for a service while an app is made: routes are declared, nothing is called."""

    def __getattr__(self, name: str) -> "AnyService":
        return AnyService()


def routes_of_contracts() -> Routes:
    """What the contracts promise."""
    return {
        f"{route.method} {route.path}": (name, route.access.value)
        for name in functions_with("ROUTES")
        for route in contract_of(name).ROUTES
    }


def routes_of_app(name: str) -> set[str]:
    """What a function's app answers."""
    create_app = importlib.import_module(f"functions.{name}.app").create_app
    services: list[Any] = [
        AnyService() for word in inspect.signature(create_app).parameters if word != SETTINGS
    ]
    return {
        f"{method} {route.path}"
        for route in create_app(*services).routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def routes_of_gateway(template: Template) -> Routes:
    """What API Gateway lets through, to which function, asking for what."""
    paths = _paths(template)
    return {
        f"{method['HttpMethod']} {paths[method['ResourceId']['Ref']]}": (
            _function_of(template, method),
            _access_of(template, method),
        )
        for _, _, method in resources({"api": template}, "AWS::ApiGateway::Method")
        if method["HttpMethod"] != "OPTIONS"
    }


def preflighted_paths(template: Template) -> set[str]:
    """Paths whose preflights the gateway answers itself."""
    paths = _paths(template)
    return {
        paths[method["ResourceId"]["Ref"]]
        for _, _, method in resources({"api": template}, "AWS::ApiGateway::Method")
        if method["HttpMethod"] == "OPTIONS" and method["Integration"]["Type"] == "MOCK"
    }


def preflights_without_headers(template: Template) -> set[str]:
    """Paths whose preflights lack a header that every answer has."""
    paths, wanted = _paths(template), {*SECURITY_HEADERS, "X-Request-Id"}
    bare = set()
    for _, _, method in resources({"api": template}, "AWS::ApiGateway::Method"):
        if method["HttpMethod"] != "OPTIONS":
            continue
        (mapped,) = method["Integration"]["IntegrationResponses"]
        (declared,) = method["MethodResponses"]
        names = mapped["ResponseParameters"].keys() & declared["ResponseParameters"].keys()
        if not {f"method.response.header.{name}" for name in wanted} <= names:
            bare.add(paths[method["ResourceId"]["Ref"]])
    return bare


def _paths(template: Template) -> dict[str, str]:
    parts = {
        logical_id: (properties["ParentId"].get("Ref"), properties["PathPart"])
        for _, logical_id, properties in resources({"api": template}, "AWS::ApiGateway::Resource")
    }

    def path(logical_id: str | None) -> str:
        if logical_id not in parts:
            return ""
        parent, part = parts[logical_id]
        return f"{path(parent)}/{part}"

    return {logical_id: path(logical_id) for logical_id in parts}


def _function_of(template: Template, method: dict[str, Any]) -> str:
    (alias,) = set(re.findall(r"'Ref': '(\w+Live\w+)'", str(method["Integration"]["Uri"])))
    function = template["Resources"][alias]["Properties"]["FunctionName"]["Ref"]
    name = template["Resources"][function]["Properties"]["FunctionName"]
    return str(re.sub(r"^haylift-[a-z]+-", "", name))


def _access_of(template: Template, method: dict[str, Any]) -> str:
    if method["AuthorizationType"] == "NONE":
        return Access.PUBLIC.value
    name = template["Resources"][method["AuthorizerId"]["Ref"]]["Properties"]["Name"]
    (access,) = [access for part, access in ACCESS_BY_AUTHORIZER.items() if part in name]
    return access.value


def route_faults(contracts: Routes, apps: dict[str, set[str]], gateway: Routes) -> Iterator[str]:
    """Routes that one of the three has otherwise than the contracts."""
    for route in sorted(contracts.keys() | gateway.keys()):
        if contracts.get(route) != gateway.get(route):
            yield f"{route}: contract {contracts.get(route)}, gateway {gateway.get(route)}"
    for name, answered in apps.items():
        promised = {route for route, (function, _) in contracts.items() if function == name}
        for route in sorted(answered ^ promised):
            yield f"{route}: {'only' if route in answered else 'not'} in the app of {name}"


def _apps() -> dict[str, set[str]]:
    return {name: routes_of_app(name) for name in functions_with("ROUTES")}


@pytest.mark.parametrize("stage", STAGES)
def test_app_contract_and_gateway_have_the_same_routes(stage: str) -> None:
    gateway = routes_of_gateway(templates(stage)["search-api"])

    assert list(route_faults(routes_of_contracts(), _apps(), gateway)) == []
    assert len(gateway) == len(ALL_ROUTES)


def test_a_browser_may_ask_for_every_path_where_an_origin_is_allowed() -> None:
    paths = {route.partition(" ")[2] for route in routes_of_contracts()}

    assert preflighted_paths(templates("local")["search-api"]) == paths
    assert preflighted_paths(templates("prod")["search-api"]) == set()


def test_a_preflight_has_the_headers_of_every_answer() -> None:
    assert preflights_without_headers(templates("local")["search-api"]) == set()


def test_a_preflight_without_its_id_would_be_seen() -> None:
    template = copy.deepcopy(templates("local")["search-api"])
    for _, _, method in resources({"api": template}, "AWS::ApiGateway::Method"):
        if method["HttpMethod"] == "OPTIONS":
            del method["MethodResponses"][0]["ResponseParameters"]["method.response.header.X-Request-Id"]

    assert preflights_without_headers(template) == preflighted_paths(template)


def test_a_route_that_lost_its_authorizer_would_be_seen() -> None:
    template = copy.deepcopy(templates("prod")["search-api"])
    for _, _, method in resources({"api": template}, "AWS::ApiGateway::Method"):
        if method["HttpMethod"] == "DELETE":
            method["AuthorizationType"] = "NONE"

    faults = list(route_faults(routes_of_contracts(), _apps(), routes_of_gateway(template)))

    assert faults == [
        "DELETE /v1/documents/{document_id}: contract ('documents', 'token'), gateway ('documents', 'public')"
    ]


def test_a_route_that_only_the_app_has_would_be_seen() -> None:
    apps = _apps()
    apps["search"].add("GET /debug")

    faults = list(route_faults(routes_of_contracts(), apps, routes_of_contracts()))

    assert faults == ["GET /debug: only in the app of search"]
