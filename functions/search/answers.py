"""What callers of the search function get."""

from collections.abc import Mapping, Sequence
from typing import Any

from haylift import __version__
from haylift.domain.chunks import Hit
from haylift.domain.errors import HayliftError
from haylift.domain.search import Citation, QuestionAnswer, SearchAnswer
from haylift.http import places_of, problem_fields, status_of
from haylift.services.batch import Outcome
from haylift.services.health import Finding, HealthReport, resource_status


def search_body(answer: SearchAnswer, *, took_ms: float, request_id: str) -> dict[str, Any]:
    """The answer of `POST /v1/search`."""
    return {
        "results": [_result(hit) for hit in answer.hits],
        "from_cache": answer.from_cache,
        "cache_level": answer.cache_level.value if answer.cache_level else None,
        "degraded": answer.degraded is not None,
        "degraded_reason": answer.degraded,
        "took_ms": round(took_ms, 1),
        "request_id": request_id,
    }


def batch_body(outcomes: Sequence[Outcome], *, took_ms: float, request_id: str) -> dict[str, Any]:
    """The answer of `POST /v1/search/batch`: in the searches' order, each with a `status` of its own."""
    results = [_outcome(outcome, request_id) for outcome in outcomes]
    return {"results": results, "took_ms": round(took_ms, 1), "request_id": request_id}


def failed_ratio(outcomes: Sequence[Outcome]) -> float:
    """The share of searches (0 to 1) that failed on our side: with a status of 500 and above."""
    failed = [
        one for one in outcomes if isinstance(one.result, HayliftError) and status_of(one.result) >= 500
    ]
    return len(failed) / len(outcomes) if outcomes else 0.0


def _outcome(outcome: Outcome, request_id: str) -> dict[str, Any]:
    result = outcome.result
    if isinstance(result, SearchAnswer):
        return {"status": 200, **search_body(result, took_ms=outcome.took_ms, request_id=request_id)}
    status = status_of(result)
    error: dict[str, Any] = dict(problem_fields(status, result.code, result.detail))
    if places := places_of(result):
        error["errors"] = places
    return {"status": status, "error": error}


def query_body(question: str, answer: QuestionAnswer, *, took_s: float, request_id: str) -> dict[str, Any]:
    """The answer of `POST /v1/query`, with the names of Haystack's production guides."""
    return {
        "query": question,
        "response": answer.answer,
        "citations": [_citation(citation) for citation in answer.citations],
        "success": answer.success,
        "iteration_count": answer.iteration_count,
        "execution_time": round(took_s, 3),
        "from_cache": answer.cache_level is not None,
        "cache_level": answer.cache_level.value if answer.cache_level else None,
        "degraded": answer.degraded is not None,
        "degraded_reason": answer.degraded,
        "request_id": request_id,
    }


def health_body(report: HealthReport, *, is_admin: bool) -> dict[str, Any]:
    """The answer of `GET /health`: the status for everybody, the parts for admins."""
    if not is_admin:
        return {"status": report.status.value}
    resources = {
        name: {"status": resource_status(name, percent).value, "used_percent": percent}
        for name, percent in report.used_percent_by_resource.items()
    }
    return {
        "status": report.status.value,
        "timestamp": report.moment.isoformat(),
        "uptime": round(report.uptime_s, 1),
        "version": __version__,
        "dependencies": _findings(report.findings_by_name),
        "checks": _findings(report.findings_by_guide_name) | resources,
    }


def _result(hit: Hit) -> dict[str, Any]:
    chunk = hit.chunk
    return {
        "document_id": chunk.document_id,
        "key": chunk.key,
        "title": chunk.title,
        "text": chunk.text,
        "score": round(hit.score, 6),
        "page": chunk.page,
        "heading": chunk.headings[-1] if chunk.headings else None,
        "slide": chunk.slide,
        "sheet": chunk.sheet or None,
        "start_char": chunk.start_char if chunk.end_char else None,
        "end_char": chunk.end_char or None,
        "meta": chunk.meta,
    }


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "document_id": citation.document_id,
        "key": citation.key,
        "title": citation.title,
        "quote": citation.quote,
        "page": citation.page,
        "heading": citation.heading,
        "slide": citation.slide,
        "sheet": citation.sheet,
        "start_char": citation.start_char,
        "end_char": citation.end_char,
        "score": citation.score,
    }


def _findings(findings: Mapping[str, Finding]) -> dict[str, Any]:
    return {
        name: {"status": one.status.value, "duration_ms": round(one.duration_ms, 1), "code": one.code}
        for name, one in findings.items()
    }
