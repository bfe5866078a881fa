"""The functions keep what the OpenAPI document promises."""

import copy
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from local.api_reference import TARGET
from tests.contract.openapi.conformance import conformance
from tests.contract.openapi.in_process import TOKEN, InProcessApi

pytestmark = pytest.mark.timeout(300)

EXAMPLES = 3


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Hundreds of refusals say nothing that the findings do not."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def committed() -> dict[str, Any]:
    return dict(json.loads(TARGET.read_text(encoding="utf-8")))


def test_every_answer_is_as_documented() -> None:
    findings = conformance(committed(), token=TOKEN, examples=EXAMPLES, app=InProcessApi())

    print(f"\n{findings.cases} cases: {dict(sorted(findings.statuses.items()))}")
    assert findings.faults == []
    assert findings.cases >= 200
    assert {200, 201, 202, 204, 400, 401, 404} <= set(findings.statuses)
    assert not [status for status in findings.statuses if status >= 500]


def only(document: dict[str, Any], path: str) -> dict[str, Any]:
    return {**document, "paths": {path: copy.deepcopy(document["paths"][path])}}


def test_a_status_that_is_not_documented_would_be_seen() -> None:
    document = only(committed(), "/v1/search")
    del document["paths"]["/v1/search"]["post"]["responses"]["400"]

    findings = conformance(document, token=TOKEN, examples=EXAMPLES, app=InProcessApi())

    assert any("status_code_conformance" in fault for fault in findings.faults)


def test_a_field_that_is_not_documented_would_be_seen() -> None:
    document = only(committed(), "/v1/feedback")
    schema = document["components"]["schemas"]["FeedbackAnswer"]
    del schema["properties"]["replaced"]
    schema["required"].remove("replaced")

    findings = conformance(document, token=TOKEN, examples=EXAMPLES, app=InProcessApi())

    assert any("response_schema_conformance" in fault for fault in findings.faults)
