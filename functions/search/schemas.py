"""The bodies that the search routes answer, and the parts of requests that types cannot say."""

from typing import Any

from haylift.domain.filters import FIELDS, MAX_LIST_VALUES, MAX_VALUE_CHARS, Comparator, Connective
from haylift.domain.search import MAX_QUERY_CHARS, MAX_TOP_K, CacheLevel
from haylift.http.operations import AnswerModel, ProblemPlace
from haylift.services.health import Status
from pydantic import AwareDatetime, Field

type MetaValue = str | int | float | bool | list[str | int | float | bool] | None


class SearchResult(AnswerModel):
    """A passage of a document."""

    document_id: str
    key: str
    title: str
    text: str
    score: float = Field(description="0 to 1 within one answer; not comparable between answers.")
    page: int | None
    heading: str | None
    slide: int | None = Field(description="Of a presentation, from 1.")
    sheet: str | None = Field(description="Of a spreadsheet, its name.")
    start_char: int | None = Field(description="In the document's text, of the passage without repetition.")
    end_char: int | None
    meta: dict[str, MetaValue]


class Provenance(AnswerModel):
    """How an answer came about."""

    from_cache: bool
    cache_level: CacheLevel | None
    degraded: bool = Field(description="True when a part did not answer and the result is less than usual.")
    degraded_reason: str | None = Field(description="A stable name of what was missing.")
    request_id: str = Field(description="Name it in `POST /v1/feedback`.")


class SearchAnswer(Provenance):
    """Passages, best first."""

    results: list[SearchResult]
    took_ms: float


class BatchFound(SearchAnswer):
    """The answer of one search."""

    status: int = Field(description="200.", ge=200, le=200)


class BatchFault(AnswerModel):
    """What went wrong with one search."""

    type: str
    title: str
    detail: str
    code: str
    errors: list[ProblemPlace] | None = None


class BatchFailed(AnswerModel):
    """One search that was not answered; the others are."""

    status: int = Field(ge=400, le=599)
    error: BatchFault


class BatchAnswer(AnswerModel):
    """One entry for each search, in their order."""

    results: list[BatchFound | BatchFailed]
    took_ms: float
    request_id: str


class Citation(AnswerModel):
    """Where a sentence of the answer stands, word for word."""

    document_id: str
    key: str
    title: str
    quote: str
    page: int | None
    heading: str | None
    slide: int | None = Field(description="Of a presentation, from 1.")
    sheet: str | None = Field(description="Of a spreadsheet, its name.")
    start_char: int | None = Field(description="Of the quote in the document's text.")
    end_char: int | None
    score: float


class QueryAnswer(Provenance):
    """An answer with its citations."""

    query: str
    response: str
    citations: list[Citation] = Field(description="Empty when the documents do not say.")
    success: bool = Field(description="False when the documents do not say; `response` says so.")
    iteration_count: int
    execution_time: float = Field(description="Seconds.")


class FeedbackAnswer(AnswerModel):
    """A rating that was kept."""

    rating_id: str
    replaced: bool = Field(description="True when the same caller had rated the same request before.")


class PartHealth(AnswerModel):
    """How one part, or a resource of the machine, is."""

    status: Status
    duration_ms: float | None = None
    code: str | None = None
    used_percent: float | None = None


class HealthAnswer(AnswerModel):
    """The status for everybody, the parts for administrators."""

    status: Status
    timestamp: AwareDatetime | None = None
    uptime: float | None = Field(None, description="Of the process that answered, in seconds.")
    version: str | None = None
    dependencies: dict[str, PartHealth] | None = None
    checks: dict[str, PartHealth] | None = None


class ReadyAnswer(AnswerModel):
    """Whether requests can be answered."""

    status: str = Field(description="`ready` or `not_ready`.")
    reason: str | None = None


_SCALARS: list[dict[str, Any]] = [
    {"type": "string", "maxLength": MAX_VALUE_CHARS},
    {"type": "number"},
    {"type": "boolean"},
]
_EQUALITY = [Comparator.EQUAL.value, Comparator.NOT_EQUAL.value]
_MEMBERSHIP = [Comparator.IN.value, Comparator.NOT_IN.value]
_ORDER = [member.value for member in Comparator if member.value not in {*_EQUALITY, *_MEMBERSHIP}]
_LIST = {"type": "array", "maxItems": MAX_LIST_VALUES, "items": {"anyOf": _SCALARS}}


def _comparison(operators: list[str], value: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["field", "operator", "value"],
        "additionalProperties": False,
        "properties": {
            "field": {
                "anyOf": [
                    {"enum": sorted(FIELDS)},
                    {"type": "string", "pattern": "^meta\\.[_-]*[A-Za-z0-9][A-Za-z0-9_-]{0,31}$"},
                ]
            },
            "operator": {"enum": operators},
            "value": value,
        },
    }


SCHEMAS: dict[str, dict[str, Any]] = {
    "Question": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_QUERY_CHARS,
        "description": "Words. Control and format characters are left out; what is empty then is refused.",
    },
    "TopK": {"type": "integer", "minimum": 1, "maximum": MAX_TOP_K, "description": "How many passages."},
    "Filters": {
        "anyOf": [
            {"$ref": "#/components/schemas/Filter"},
            {"type": "object", "maxProperties": 0},
            {"type": "null"},
        ],
        "description": "Narrows what the caller may see; without one, all of it.",
    },
    "Filter": {
        "description": "Haystack's filter syntax. A list field matches when any element does; dates are "
        "compared in UTC; an empty OR is false, an empty AND true.",
        "anyOf": [
            _comparison(_EQUALITY, {"anyOf": [*_SCALARS, {"type": "null"}]}),
            _comparison(_MEMBERSHIP, _LIST),
            _comparison(_ORDER, {"anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}]}),
            {
                "type": "object",
                "required": ["operator", "conditions"],
                "additionalProperties": False,
                "properties": {
                    "operator": {"enum": [member.value for member in Connective]},
                    "conditions": {"type": "array", "items": {"$ref": "#/components/schemas/Filter"}},
                },
            },
        ],
    },
}  # fmt: skip
"""Replace what the request models can only check by code."""
