"""A bad token on a route that is open to everybody is no token, and opens nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from haylift.domain.identity import Role

from functions.authorizer.app import consume
from tests.fakes.identity import user
from tests.unit.identity.test_authorizer import STAGE_ARN, Deployment, event


@pytest.fixture
def deployment() -> Deployment:
    return Deployment()


def a_bad_token_sees_what_a_stranger_sees(ask: Callable[[str], Any], authorization: str) -> None:
    """A prober with an old token wants the status; a bad token opens nothing else and has no rights."""
    answer = ask(authorization)

    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Resource"] == [f"{STAGE_ARN}/GET/health"]
    assert answer["principalId"] == "anonymous"
    assert answer["context"] == {"typ": "anonymous"}


@pytest.mark.parametrize("authorization", ["", "Bearer x.y.z", "Basic YTpi"])
def test_a_bad_token_sees_of_an_open_route_what_a_stranger_sees(
    deployment: Deployment, authorization: str
) -> None:
    a_bad_token_sees_what_a_stranger_sees(lambda given: deployment.ask(given, path="/health"), authorization)


def test_an_authorizer_that_lets_a_bad_token_into_details_fails_the_same_check(
    deployment: Deployment,
) -> None:
    admin = f"Bearer {deployment.token(Role.ADMIN)}"

    with pytest.raises(AssertionError):
        a_bad_token_sees_what_a_stranger_sees(lambda _: deployment.ask(admin, path="/health"), "Bearer x.y.z")


def test_an_expired_token_sees_the_status_and_is_refused_elsewhere(deployment: Deployment) -> None:
    token = f"Bearer {deployment.token(Role.ADMIN)}"
    deployment.users.put(user("admin@acme", role=Role.ADMIN, is_disabled=True))

    assert deployment.ask(token, path="/health")["principalId"] == "anonymous"
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        deployment.ask(token)


def test_two_tokens_are_none(deployment: Deployment) -> None:
    tokens = [f"Bearer {deployment.token(Role.READER)}", f"Bearer {deployment.token(Role.ADMIN)}"]
    request = event(None, path="/health") | {"multiValueHeaders": {"Authorization": tokens}}

    assert consume(request, deployment.service)["principalId"] == "anonymous"
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        consume(request | {"resource": "/v1/documents"}, deployment.service)
