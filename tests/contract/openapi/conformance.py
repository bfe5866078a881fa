"""Asks an API for everything that its OpenAPI document promises, and looks whether it keeps it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import NonFatalError, ScenarioFinished

SEED = 20_260_131

RULES_BEYOND_SCHEMAS = {
    "asset_not_found",
    "batch_size_out_of_range",
    "document_not_found",
    "empty_query",
    "invalid_access_groups",
    "invalid_content_type",
    "invalid_credentials",
    "invalid_cursor",
    "invalid_filter",
    "invalid_path",
    "invalid_refresh_token",
    "path_not_allowed",
    "query_too_long",
    "route_not_found",
    "untrusted_host",
}
"""Codes of refusals whose reason no JSON schema can say: what fits the schema may get these, and no other."""

WHOLE_NUMBER = "Input should be a valid integer"

CHECKS = {
    "not_a_server_error": True,
    "status_code_conformance": True,
    "content_type_conformance": True,
    "response_schema_conformance": True,
    "response_headers_conformance": True,
    "negative_data_rejection": True,
    "ignored_auth": True,
    # Replaced by `refused_for_a_documented_reason`, which knows the rules that no schema can say.
    "positive_data_acceptance": False,
    # API Gateway answers 404, not 405, to a method that a route does not have.
    "unsupported_method": False,
    "allow_header_conformance": False,
    # A deletion is a request: the document leaves some seconds later, and its row says DELETED for ever.
    "use_after_free": False,
    "ensure_resource_availability": False,
    "missing_required_header": False,
    "object_level_authorization": False,
}


class UndocumentedRefusal(Failure):
    """What fits the schema was refused, and not for one of the rules beyond schemas."""

    __slots__ = ()


@schemathesis.check
def refused_for_a_documented_reason(
    _context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """A request that fits the schema is answered, or refused by a rule that the document names.

    One thing is refused that JSON Schema takes: 5.0 for a whole number.
    """
    is_refused = response.status_code in {400, 413, 415, 422}
    if case.meta is None or not case.meta.generation.mode.is_positive or not is_refused:
        return
    problem = response.json()
    code = problem.get("code")
    is_fraction = WHOLE_NUMBER in problem.get("detail", "") and ".0" in str(case.body)
    if code not in RULES_BEYOND_SCHEMAS and not is_fraction:
        raise UndocumentedRefusal(
            operation=case.operation.label,
            title="Undocumented refusal",
            message=f"{response.status_code} {code}, though it fits the schema: {response.text[:300]}",
        )


@dataclass
class Findings:
    """What a run saw."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def conformance(
    document: dict[str, Any],
    *,
    token: str,
    examples: int,
    has_edges: bool = True,
    app: Any = None,
    base_url: str | None = None,
) -> Findings:
    """Asks for the document's own examples and for fuzzed requests; equal inputs give equal cases.

    Args:
        examples: fuzzed requests for each operation.
        has_edges: whether the edges of every schema are asked for too, some 1,500 requests.
        app: an ASGI application, or base_url: where the API runs.
    """
    config = SchemathesisConfig.from_dict({
        "seed": SEED,
        "headers": {"Authorization": f"Bearer {token}"},
        "workers": 1,
        "request-timeout": 35,
        "generation": {"max-examples": examples, "deterministic": True, "database": "none",
                       "no-shrink": True},
        "phases": {"stateful": {"enabled": False},
                   "coverage": {"enabled": has_edges, "unexpected-methods": []}},
        "checks": {name: {"enabled": is_on} for name, is_on in CHECKS.items()},
        "continue-on-failure": True,
        "warnings": False,
    })  # fmt: skip
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.app = app
    if base_url:
        schema.config.update(base_url=base_url)
    findings = Findings()
    for event in from_schema(schema).execute():
        if isinstance(event, ScenarioFinished):
            _note(event, findings)
        elif isinstance(event, NonFatalError):
            findings.faults.append(f"{event.label}: {event.value}")
    return findings


def _note(event: ScenarioFinished, findings: Findings) -> None:
    recorder = event.recorder
    findings.cases += len(recorder.interactions)
    for case_id, interaction in recorder.interactions.items():
        if interaction.response is not None:
            findings.statuses[interaction.response.status_code] += 1
        for check in recorder.checks.get(case_id, []):
            if check.status is Status.FAILURE and check.failure_info is not None:
                failure = check.failure_info.failure
                findings.faults.append(
                    f"{recorder.label}: {check.name}: {failure.title}: {failure.message[:500]}"
                )
