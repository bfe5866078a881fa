"""What API Gateway learns from the authorizer, for every role and route."""

import importlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from haylift.contract import Access, Route
from haylift.domain.errors import StoreUnavailable
from haylift.domain.identity import Permission, Role
from haylift.ports import User
from haylift.routes import ALL_ROUTES
from haylift.services.authorize import AuthorizeService
from haylift.services.login import LoginService

from functions.authorizer.app import allowed_resources, consume
from tests.fakes.identity import (
    CountingHasher,
    ManualClock,
    MemoryCallers,
    MemoryRefreshTokens,
    MemoryRevocations,
    MemorySigner,
    MemoryUsers,
    user,
)

STAGE_ARN = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/api"
USERS = {role: user(f"{role}@acme", role=role) for role in Role}


class Deployment:
    """A login and an authorizer that share users and keys."""

    def __init__(self) -> None:
        clock = ManualClock(time.time())
        self.users = MemoryUsers({row.username: row for row in USERS.values()})
        signer = MemorySigner("https://haylift.test", "haylift", clock)
        self.login = LoginService(
            users=self.users,
            hasher=CountingHasher(),
            refresh_tokens=MemoryRefreshTokens(),
            signer=signer,
            clock=clock,
            access_token_ttl_s=900,
            refresh_token_ttl_s=3_600,
        )
        self.revocations = MemoryRevocations()
        callers = MemoryCallers(self.users, self.revocations)
        self.service = AuthorizeService(signer=signer, callers=callers)

    def token(self, role: Role) -> str:
        return self.login.login(USERS[role].username, "correct horse").access_token

    def ask(self, authorization: str | None, method: str = "GET", path: str = "/v1/documents") -> Any:
        return consume(event(authorization, method, path), self.service)


def event(authorization: str | None, method: str = "GET", path: str = "/v1/documents") -> dict[str, Any]:
    """A REQUEST authorizer's input as API Gateway's developer guide shows it."""
    headers = {} if authorization is None else {"Authorization": authorization}
    return {
        "type": "REQUEST",
        "methodArn": f"{STAGE_ARN}/{method}{path}",
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": {"requestId": "request-1", "stage": "api"},
    }


@pytest.fixture
def deployment() -> Deployment:
    return Deployment()


def allows(resources: Sequence[str], arn: str) -> bool:
    """IAM's matching: `*` is any text, slashes included, and `?` any character."""
    patterns = [re.escape(resource).replace(r"\*", ".*").replace(r"\?", ".") for resource in resources]
    return any(re.fullmatch(pattern, arn) for pattern in patterns)


def called(route: Route) -> str:
    return f"{STAGE_ARN}/{route.method}{re.sub(r'{[^/]+}', 'abcdefghijklmnopqrstuvwx23', route.path)}"


type PolicyMaker = Callable[[str, frozenset[Permission], Sequence[Route]], list[str]]

DECISIONS = [(role, route) for role in Role for route in ALL_ROUTES]


def decides_by_permission(make_policy: PolicyMaker, role: Role, route: Route) -> None:
    """The check: a policy made while calling any one route decides rightly about this one."""
    for other in ALL_ROUTES:
        resources = make_policy(called(other), role.permissions, ALL_ROUTES)

        expected = route.access is Access.OPTIONAL or route.permission in role.permissions
        assert allows(resources, called(route)) is expected


def decides_everywhere(make_policy: PolicyMaker) -> None:
    for role, route in DECISIONS:
        decides_by_permission(make_policy, role, route)


@pytest.mark.parametrize(("role", "route"), DECISIONS, ids=lambda value: str(getattr(value, "path", value)))
def test_a_role_opens_exactly_its_routes(role: Role, route: Route) -> None:
    decides_by_permission(allowed_resources, role, route)


def _only_the_called(arn: str, permissions: frozenset[Permission], routes: Sequence[Route]) -> list[str]:
    return [arn]


def _everything(arn: str, permissions: frozenset[Permission], routes: Sequence[Route]) -> list[str]:
    return [f"{STAGE_ARN}/*"]


def _any_method(arn: str, permissions: frozenset[Permission], routes: Sequence[Route]) -> list[str]:
    return [re.sub("/(GET|POST|DELETE)/", "/*/", it) for it in allowed_resources(arn, permissions, routes)]


@pytest.mark.parametrize("broken", [_only_the_called, _everything, _any_method])
def test_a_wrong_policy_fails_the_same_check(broken: PolicyMaker) -> None:
    with pytest.raises(AssertionError):
        decides_everywhere(broken)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "arn",
    [
        f"{STAGE_ARN}/GET/v1/unknown",
        f"{STAGE_ARN}/PUT/v1/documents",
        f"{STAGE_ARN}/PATCH/v1/documents/abc",
        f"{STAGE_ARN}/GET/",
        f"{STAGE_ARN}/POST/v1/search/other",
        STAGE_ARN.replace("/api", "/other") + "/GET/v1/documents",
        STAGE_ARN.replace("a1b2c3", "zzzzzz") + "/GET/v1/documents",
        "arn:aws:execute-api:eu-central-1:999999999999:a1b2c3/api/GET/v1/documents",
    ],
)
def test_nothing_else_is_open(role: Role, arn: str) -> None:
    assert not allows(allowed_resources(called(ALL_ROUTES[0]), role.permissions, ALL_ROUTES), arn)


def test_a_route_without_a_permission_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="a permission is given exactly"):
        Route(method="GET", path="/v1/secrets")


@pytest.mark.parametrize("function", ["auth", "documents", "search"])
def test_the_table_holds_every_functions_routes(function: str) -> None:
    contract = importlib.import_module(f"functions.{function}.contract")

    assert contract.ROUTES
    assert set(contract.ROUTES) <= set(ALL_ROUTES)


def test_no_route_is_there_twice() -> None:
    assert len({(route.method, route.path) for route in ALL_ROUTES}) == len(ALL_ROUTES)


def test_the_policy_fits_into_api_gateways_limit(deployment: Deployment) -> None:
    answer = deployment.ask(f"Bearer {deployment.token(Role.ADMIN)}")

    assert len(str(answer["policyDocument"])) < 8_192


def test_a_caller_is_described_in_texts(deployment: Deployment) -> None:
    token = deployment.token(Role.EDITOR)

    answer = deployment.ask(f"Bearer {token}")

    assert answer["principalId"] == "editor@acme"
    claims = deployment.service.signer.verify(token)
    assert answer["context"] == {
        "sub": "editor@acme",
        "tenant": "acme",
        "role": "editor",
        "permissions": "read,write",
        "groups": "staff",
        "typ": "access",
        "jti": claims["jti"],
        "exp": str(claims["exp"]),
        "stamp": "stamp-1",
    }
    assert answer["policyDocument"]["Version"] == "2012-10-17"
    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Action"], statement["Effect"]) == ("execute-api:Invoke", "Allow")


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer x.y.z", "Basic YTpi"])
@pytest.mark.parametrize("path", ["/v1/documents", "/v1/search"])
def test_without_a_valid_token_the_gateway_says_401(
    deployment: Deployment, authorization: str | None, path: str
) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        deployment.ask(authorization, path=path)


def test_anybody_may_ask_for_health_and_for_nothing_else(deployment: Deployment) -> None:
    answer = deployment.ask(None, path="/health")

    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Resource"] == [f"{STAGE_ARN}/GET/health"]
    assert answer["context"] == {"typ": "anonymous"}


def test_a_token_opens_health_and_its_other_routes(deployment: Deployment) -> None:
    answer = deployment.ask(f"Bearer {deployment.token(Role.READER)}", path="/health")

    (statement,) = answer["policyDocument"]["Statement"]
    assert allows(statement["Resource"], f"{STAGE_ARN}/GET/health")
    assert allows(statement["Resource"], f"{STAGE_ARN}/POST/v1/search")


@pytest.mark.parametrize(
    ("changes", "is_let_in"),
    [
        ({"multiValueHeaders": None}, True),
        ({"headers": None}, True),
        ({"headers": None, "multiValueHeaders": None}, False),
        ({"headers": {}, "multiValueHeaders": {}}, False),
    ],
)
def test_headers_come_in_either_form(
    deployment: Deployment, changes: Mapping[str, Any], is_let_in: bool
) -> None:
    request = event(f"Bearer {deployment.token(Role.READER)}") | changes

    if is_let_in:
        assert consume(request, deployment.service)["principalId"] == "reader@acme"
    else:
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            consume(request, deployment.service)


def test_the_headers_name_is_read_in_any_case(deployment: Deployment) -> None:
    token = deployment.token(Role.READER)
    request = event(None) | {"multiValueHeaders": {"aUTHORIZATION": [f"Bearer {token}"]}}

    assert consume(request, deployment.service)["principalId"] == "reader@acme"


def test_a_disabled_user_is_out_at_the_next_question(deployment: Deployment) -> None:
    token = deployment.token(Role.READER)
    deployment.users.put(user("reader@acme", role=Role.READER, is_disabled=True))

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        deployment.ask(f"Bearer {token}")


class _NoTable(MemoryUsers):
    def get(self, username: str) -> User | None:
        raise StoreUnavailable("The users table does not answer.")


def test_without_the_table_nobody_is_refused_and_nobody_let_in(deployment: Deployment) -> None:
    token = deployment.token(Role.READER)
    blind = AuthorizeService(signer=deployment.service.signer, callers=MemoryCallers(_NoTable()))

    with pytest.raises(StoreUnavailable):
        consume(event(f"Bearer {token}"), blind)


def test_no_token_reaches_the_log(deployment: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    token = deployment.token(Role.READER)[:-2] + "XX"
    caplog.clear()

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        deployment.ask(f"Bearer {token}")

    assert [record.message for record in caplog.records] == ["hop", "caller refused", "audit", "hop"]
    assert token not in repr([vars(record) for record in caplog.records])
