"""The running API answers as its own OpenAPI document says, gateway and authorizer included.

Part of every run is a sample; `make verify` (HAYLIFT_CONFORMANCE=full) asks for 2,000 cases and more.
"""

import copy
import os
from typing import Any

import pytest

from tests.contract.openapi.conformance import conformance
from tests.e2e.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

IS_FULL = os.environ.get("HAYLIFT_CONFORMANCE") == "full"
EXAMPLES, LEAST_CASES = (40, 2_000) if IS_FULL else (4, 80)
ENDS_THE_SESSION = "/v1/auth/logout"
"""Would end the token that the run is made with; tests/contract/openapi asks for it."""


def document_of(system: System) -> dict[str, Any]:
    """The document as the deployment answers it."""
    document: dict[str, Any] = system.http.get("/openapi.json").json()
    del document["paths"][ENDS_THE_SESSION]
    return document


def base_url(system: System) -> str:
    """Where the paths of the document begin: at its own address."""
    return str(system.http.base_url).rstrip("/")


def test_every_answer_is_as_documented(system: System) -> None:
    findings = conformance(
        document_of(system),
        token=system.token("admin"),
        examples=EXAMPLES,
        has_edges=IS_FULL,
        base_url=base_url(system),
    )

    print(f"\n{findings.cases} cases: {dict(sorted(findings.statuses.items()))}")
    assert findings.faults == []
    assert findings.cases >= LEAST_CASES
    assert not [status for status in findings.statuses if status >= 500]


def test_a_status_that_is_not_documented_would_be_seen(system: System) -> None:
    document = document_of(system)
    search = copy.deepcopy(document["paths"]["/v1/search"])
    del search["post"]["responses"]["400"]
    document["paths"] = {"/v1/search": search}

    findings = conformance(
        document,
        token=system.token("admin"),
        examples=EXAMPLES,
        has_edges=False,
        base_url=base_url(system),
    )

    assert any("status_code_conformance" in fault for fault in findings.faults)
