"""What the document says of the gateway's answers are the gateway's own words."""

import pytest

from local.gateway_answers import ANSWERS_BY_STATUS
from stacks.gateway_responses import PROBLEMS, GatewayProblem

pytestmark = pytest.mark.infra

PROBLEM = "application/problem+json"


def foreign_words(problems: tuple[GatewayProblem, ...]) -> list[int]:
    """Statuses that the gateway answers in other words than the document says."""
    said = {
        (problem.status, problem.code, problem.title, problem.detail)
        for problem in problems
        if problem.status
    }
    described = {
        status: answer["content"][PROBLEM]["example"] for status, (_, answer) in ANSWERS_BY_STATUS.items()
    }
    return [
        status
        for status in sorted({problem.status for problem in problems if problem.status})
        if (status, *(described[status][name] for name in ("code", "title", "detail"))) not in said
    ]


def test_the_document_has_the_gateways_words() -> None:
    assert foreign_words(PROBLEMS) == []


def test_other_words_would_be_seen() -> None:
    changed = tuple(problem for problem in PROBLEMS if problem.status != 401)
    unauthorized = next(problem for problem in PROBLEMS if problem.status == 401)
    reworded = GatewayProblem(
        kind=unauthorized.kind, status=401, code="unauthorized", title="Not authenticated", detail="No."
    )

    assert foreign_words((*changed, reworded)) == [401]
