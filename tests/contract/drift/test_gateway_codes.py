"""The audit names a refusal of the gateway as its caller reads it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from haylift.gateway_codes import CODE_BY_RESPONSE_TYPE

from stacks.gateway_responses import PROBLEMS, GatewayProblem

pytestmark = pytest.mark.infra


def check_codes(problems: Sequence[GatewayProblem]) -> None:
    """Each kind of answer that the stack defines has its code in the shared table, and no other has."""
    assert {problem.kind.response_type: problem.code for problem in problems} == CODE_BY_RESPONSE_TYPE


def test_the_audit_has_the_gateways_codes() -> None:
    check_codes(PROBLEMS)


def test_another_code_would_be_seen() -> None:
    with pytest.raises(AssertionError):
        check_codes([*PROBLEMS[:-1], replace(PROBLEMS[-1], code="other")])
