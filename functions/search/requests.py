"""What callers of the search function send."""

import json
import unicodedata
from typing import Annotated, Literal

from haylift.domain.errors import HayliftError, InvalidInput
from haylift.domain.filters import parse_filter
from haylift.domain.search import DEFAULT_TOP_K, MAX_QUERY_CHARS, MAX_TOP_K, SearchMode, SearchRequest
from haylift.http import RequestModel, invalid_field, named_faults
from haylift.services.answer import DEFAULT_PASSAGES
from haylift.services.batch import MAX_BATCH
from pydantic import AfterValidator, Field, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

MAX_ITERATIONS = 20
MAX_COMMENT_CHARS = 2_000
MAX_TIMEOUT_S = 28.0
"""The gateway gives up after 29 s; a longer wait is lowered to this."""

JOINERS = "\u200c\u200d"
"""Zero-width characters that belong to words (Persian, Hindi) and to emoji."""


def _question(text: str) -> str:
    if len(text) > MAX_QUERY_CHARS:
        raise invalid_field("query_too_long", f"A query has at most {MAX_QUERY_CHARS} characters.")
    stripped = "".join(filter(_is_readable, _encodable(text))).strip()
    if all(letter.isspace() or letter in JOINERS for letter in stripped):
        raise invalid_field("empty_query", "The query is empty.")
    return stripped


def _is_readable(letter: str) -> bool:
    """False for control and format characters, which say nothing: the models would read them as words."""
    is_kept = letter.isspace() or letter in JOINERS
    return is_kept or unicodedata.category(letter) not in {"Cc", "Cf"}


def _encodable(text: str) -> str:
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise invalid_field("invalid_request", "The text holds half of a surrogate pair.")
    return text


def _top_k(number: int) -> int:
    if not 1 <= number <= MAX_TOP_K:
        raise invalid_field("top_k_out_of_range", f"`top_k` lies between 1 and {MAX_TOP_K}.")
    return number


def _filters(raw: object) -> object:
    try:
        json.dumps(raw, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise invalid_field("invalid_filter", "The filter holds half of a surrogate pair.") from None
    return raw


def _batch(items: list[object]) -> list[object]:
    if not 1 <= len(items) <= MAX_BATCH:
        raise invalid_field("batch_size_out_of_range", f"A batch has 1 to {MAX_BATCH} searches.")
    return items


type Question = Annotated[str, AfterValidator(_question)]
type TopK = Annotated[int, AfterValidator(_top_k)]
type Filters = Annotated[object, AfterValidator(_filters)]


class SearchBody(RequestModel):
    """`POST /v1/search`."""

    query: Question
    top_k: TopK = DEFAULT_TOP_K
    mode: Annotated[SearchMode, Field(strict=False)] = SearchMode.HYBRID
    filters: Filters = None

    def to_request(self) -> SearchRequest:
        """The search. Raises InvalidInput `invalid_filter`."""
        return SearchRequest(
            query=self.query, top_k=self.top_k, mode=self.mode, filters=parse_filter(self.filters)
        )


class BatchBody(RequestModel):
    """`POST /v1/search/batch`: 1 to 50 searches, or the bare list of them, as the guides send it."""

    searches: Annotated[
        list[object],
        AfterValidator(_batch),
        Field(
            description="Each with the fields of `POST /v1/search`. One that is malformed gets its own error "
            "in the answer, and the others are answered.",
            json_schema_extra={"minItems": 1, "maxItems": MAX_BATCH},
        ),
    ]

    @model_validator(mode="before")
    @classmethod
    def _of_list(cls, raw: object) -> object:
        return {"searches": raw} if isinstance(raw, list) else raw

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [schema, schema["properties"]["searches"]], "description": schema["description"]}

    def to_requests(self) -> list[SearchRequest | HayliftError]:
        """The searches in order; InvalidInput stands for one that is malformed."""
        return [_search_of(item) for item in self.searches]


def _search_of(item: object) -> SearchRequest | HayliftError:
    try:
        return SearchBody.model_validate(item).to_request()
    except ValidationError as fault:
        code, detail, places = named_faults(fault.errors(include_url=False), SearchBody)
        faults = tuple((place["where"], place["detail"]) for place in places)
        return InvalidInput(detail, code=code, where=places[0]["where"], faults=faults)
    except InvalidInput as fault:
        return fault


class FeedbackBody(RequestModel):
    """`POST /v1/feedback`: what the caller thinks of an answer or of a search's results.

    Any `request_id` of the right form is taken: answers are not stored, so there is nothing to look it up in.
    """

    request_id: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{7,63}$",
            description="The `request_id` of the answer, or the header `X-Request-Id`.",
        ),
    ]
    kind: Literal["answer", "search"]
    rating: Annotated[int, Field(ge=1, le=5, description="5 is best.")]
    comment: Annotated[str, Field(max_length=MAX_COMMENT_CHARS), AfterValidator(_encodable)] | None = None


class QueryBody(RequestModel):
    """`POST /v1/query`. Too large a `timeout` (s) is lowered to the largest."""

    text: Question
    top_k: TopK = DEFAULT_PASSAGES
    filters: Filters = None
    max_iterations: Annotated[
        int,
        Field(
            ge=1,
            description="Without effect: an answer quotes the documents and is found in one pass. Taken "
            f"because the guides send it; above {MAX_ITERATIONS} it counts as {MAX_ITERATIONS}.",
        ),
    ] = 10
    timeout: Annotated[float | None, Field(gt=0, allow_inf_nan=False)] = None

    def to_request(self) -> SearchRequest:
        """The question. Raises InvalidInput `invalid_filter`."""
        return SearchRequest(query=self.text, top_k=self.top_k, filters=parse_filter(self.filters))

    def timeout_s(self, default_s: float) -> float:
        """How long the caller waits, in seconds."""
        return min(self.timeout or default_s, MAX_TIMEOUT_S)
