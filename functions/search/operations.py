"""What the search routes answer."""

from haylift.http.operations import Answered, operation

from functions.search.schemas import (
    BatchAnswer,
    FeedbackAnswer,
    HealthAnswer,
    QueryAnswer,
    ReadyAnswer,
    SearchAnswer,
)

SEARCHING = "Searching"
WATCHING = "Watching"
_ID = "5b1f7c2e-6a0d-4f6b-9a51-0c8a2f7f3f11"
_PROVENANCE = {
    "from_cache": False,
    "cache_level": None,
    "degraded": False,
    "degraded_reason": None,
    "request_id": _ID,
}
_RESULT = {
    "document_id": "mfrggzdfmztwq2lknnwg23tpoa",
    "key": "documents/acme/handbook.md",
    "title": "Handbook",
    "text": "A lost key costs twelve euros.",
    "score": 0.93,
    "page": None,
    "heading": "Lost keys",
    "slide": None,
    "sheet": None,
    "start_char": 1_204,
    "end_char": 1_234,
    "meta": {"language": "en"},
}
_FOUND = {"results": [_RESULT], "took_ms": 12.5, **_PROVENANCE}
_ASKED_WRONGLY = (
    "`invalid_request`, `invalid_json`, `empty_query`, `query_too_long`, `top_k_out_of_range` or "
    "`invalid_filter`; `errors` names the places."
)
_TOO_MANY = (
    "`too_many_requests`: the caller's searches of this minute are used up; `Retry-After` says when to try "
    "again, and `RateLimit` on every answer what is left."
)
_MISSING = (
    "`index_unavailable`, `store_unavailable`, `load_shed` or another part that does not answer; "
    "`Retry-After` says when to try again."
)
_TOO_LATE = "`timeout`: the time of the request is over."
_LANGUAGE = {"operator": "==", "field": "meta.language", "value": "en"}

SEARCH = operation(
    tag=SEARCHING,
    summary="Search",
    description=(
        "Passages that fit the words or the meaning of `query`, best first. When the model endpoint does not "
        "answer, the words alone are searched and the answer says `degraded`. A filter can only narrow what "
        "the caller may see."
    ),
    answers={200: Answered(description="Passages.", model=SearchAnswer, example=_FOUND)},
    problems={400: _ASKED_WRONGLY, 408: _TOO_LATE, 429: _TOO_MANY, 503: _MISSING},
    examples={
        "Words": {"query": "What does a lost key cost?"},
        "Three passages in English": {"query": "lost key", "top_k": 3, "filters": _LANGUAGE},
    },
)
BATCH = operation(
    tag=SEARCHING,
    summary="Search many at once",
    description=(
        "1 to 50 searches. The answer has one entry for each, in their order, with a `status` of its own: a "
        "search that is malformed or fails costs the others nothing. Each counts against the caller's limit."
    ),
    answers={
        200: Answered(
            description="One entry for each search.",
            model=BatchAnswer,
            example={"results": [{"status": 200, **_FOUND}], "took_ms": 20.0, "request_id": _ID},
        )
    },
    problems={
        400: "`invalid_request`, `invalid_json` or `batch_size_out_of_range`.",
        408: _TOO_LATE,
        429: _TOO_MANY,
        503: _MISSING,
    },
    examples={
        "Two searches": {"searches": [{"query": "lost key"}, {"query": "opening hours", "top_k": 2}]},
        "As the guides send it": [{"query": "lost key"}],
    },
)
QUERY = operation(
    tag=SEARCHING,
    summary="Ask a question",
    description=(
        "An answer in sentences of the documents, word for word, each with its citation. When the documents "
        "do not say, `success` is false and `response` says so."
    ),
    answers={
        200: Answered(
            description="An answer, or that there is none.",
            model=QueryAnswer,
            example={
                "query": "What does a lost key cost?",
                "response": "A lost key costs twelve euros.",
                "citations": [
                    {
                        "document_id": _RESULT["document_id"],
                        "key": _RESULT["key"],
                        "title": "Handbook",
                        "quote": "A lost key costs twelve euros.",
                        "page": None,
                        "heading": "Lost keys",
                        "slide": None,
                        "sheet": None,
                        "start_char": 1_204,
                        "end_char": 1_234,
                        "score": 0.97,
                    }
                ],
                "success": True,
                "iteration_count": 1,
                "execution_time": 0.21,
                **_PROVENANCE,
            },
        )
    },
    problems={400: _ASKED_WRONGLY, 408: _TOO_LATE, 429: _TOO_MANY, 503: _MISSING},
    examples={"A question": {"text": "What does a lost key cost?"}},
)
FEEDBACK = operation(
    tag=SEARCHING,
    summary="Rate an answer or a search",
    description="A rating from 1 to 5. A second one of the caller for the same request replaces it. "
    "A user gives at most 60 a minute; a rating is kept for 400 days.",
    answers={
        201: Answered(
            description="The rating was kept.",
            model=FeedbackAnswer,
            example={"rating_id": "a6f0c6b1d2", "replaced": False},
        )
    },
    problems={
        429: "`too_many_requests`: the caller's ratings of this minute are used up; `Retry-After` says when "
        "to try again, and `RateLimit` on every answer what is left.",
        503: "`store_unavailable`: the rating was not kept; `Retry-After` says when to try again.",
    },
    examples={"A good answer": {"request_id": _ID, "kind": "answer", "rating": 5, "comment": "Just right."}},
)
HEALTH = operation(
    tag=WATCHING,
    summary="How the system is",
    description=(
        "`healthy`, `degraded` (works, but less well) or `unhealthy`. With an administrator's token also "
        "every part, with the time it took to answer. A sleeping model is healthy: it wakes when asked."
    ),
    answers={
        200: Answered(description="It works.", model=HealthAnswer, example={"status": "healthy"}),
        503: Answered(description="An essential part does not answer.", model=HealthAnswer),
    },
    problems={503: "An essential part does not answer; from the gateway `store_unavailable`."},
)
READY = operation(
    tag=WATCHING,
    summary="Whether requests can be answered",
    description="For load balancers and deployments: 503 without the index or the tables, and only then.",
    answers={
        200: Answered(description="Ready.", model=ReadyAnswer, example={"status": "ready"}),
        503: Answered(description="Not ready.", model=ReadyAnswer),
    },
    problems={503: "`not_ready` with a `reason`, or a problem of the gateway."},
)
