"""What callers of the search function send."""

import json
import unicodedata
from typing import Annotated

from haylift.domain.filters import parse_filter
from haylift.domain.search import DEFAULT_TOP_K, MAX_QUERY_CHARS, MAX_TOP_K, SearchMode, SearchRequest
from haylift.http import RequestModel, invalid_field
from haylift.services.answer import DEFAULT_PASSAGES
from pydantic import AfterValidator, Field

MAX_ITERATIONS = 20
MAX_TIMEOUT_S = 28.0
"""The gateway gives up after 29 s; a longer wait is lowered to this."""

JOINERS = "\u200c\u200d"
"""Zero-width characters that belong to words (Persian, Hindi) and to emoji."""


def _question(text: str) -> str:
    stripped = "".join(filter(_is_readable, _encodable(text))).strip()
    if all(letter.isspace() or letter in JOINERS for letter in stripped):
        raise invalid_field("empty_query", "The query is empty.")
    if len(stripped) > MAX_QUERY_CHARS:
        raise invalid_field("query_too_long", f"A query has at most {MAX_QUERY_CHARS} characters.")
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


class QueryBody(RequestModel):
    """`POST /v1/query`. Too large a `timeout` (s) or `max_iterations` is lowered to the largest."""

    text: Question
    top_k: TopK = DEFAULT_PASSAGES
    filters: Filters = None
    max_iterations: Annotated[int, Field(ge=1)] = 10
    timeout: Annotated[float | None, Field(gt=0, allow_inf_nan=False)] = None

    def to_request(self) -> SearchRequest:
        """The question. Raises InvalidInput `invalid_filter`."""
        return SearchRequest(query=self.text, top_k=self.top_k, filters=parse_filter(self.filters))

    def timeout_s(self, default_s: float) -> float:
        """How long the caller waits, in seconds."""
        return min(self.timeout or default_s, MAX_TIMEOUT_S)
