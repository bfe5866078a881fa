"""A search, a question, and their answers."""

from dataclasses import dataclass, field
from enum import StrEnum

from haylift.domain.chunks import Hit
from haylift.domain.filters import Filter

MAX_QUERY_CHARS = 5_000
MAX_TOP_K = 100
DEFAULT_TOP_K = 10


class SearchMode(StrEnum):
    """Which legs a search uses."""

    HYBRID = "hybrid"
    KEYWORD = "keyword"
    SEMANTIC = "semantic"


class CacheLevel(StrEnum):
    """Where an answer came from: this process, or the shared cache."""

    PROCESS = "l1"
    SHARED = "l2"


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """A search as the caller asked for it; `query` is stripped, 1-5,000 characters."""

    query: str
    top_k: int = DEFAULT_TOP_K
    mode: SearchMode = SearchMode.HYBRID
    filters: Filter | None = None


@dataclass(frozen=True, kw_only=True)
class Retrieved:
    """What a query pipeline gives; `degraded` names the reason when quality was lowered."""

    hits: tuple[Hit, ...]
    degraded: str | None = None


@dataclass(frozen=True, kw_only=True)
class SearchAnswer:
    """A search's results, best first.

    `degraded` is None or the reason (`no_embeddings`); such an answer is never cached.
    """

    hits: tuple[Hit, ...]
    degraded: str | None = None
    cache_level: CacheLevel | None = None

    @property
    def from_cache(self) -> bool:
        """True when no retrieval was run."""
        return self.cache_level is not None


@dataclass(frozen=True, kw_only=True)
class Citation:
    """Where a sentence of an answer stands, word for word, in a document.

    `start_char` and `end_char` are its place in the stored text; None: not known.
    """

    document_id: str
    key: str
    title: str
    quote: str
    page: int | None = None
    heading: str | None = None
    slide: int | None = None
    sheet: str | None = None
    start_char: int | None = None
    end_char: int | None = None
    score: float = 0.0


@dataclass(frozen=True, kw_only=True)
class QuestionAnswer:
    """An answer with its citations; without one it says that it does not know (`success` False)."""

    answer: str
    citations: tuple[Citation, ...] = field(default=())
    success: bool = False
    degraded: str | None = None
    cache_level: CacheLevel | None = None
    iteration_count: int = 1
