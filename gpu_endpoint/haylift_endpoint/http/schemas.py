"""Bodies of requests and answers. Unknown fields are errors: a misspelt one must not be ignored."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from haylift_endpoint.ports import RequestClass


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EmbeddingsRequest(_Body):
    """OpenAI's embeddings request, with three fields of ours: `class` (or `input_type`) and `truncate`."""

    model: str | None = Field(None, description="Default: the first embedding model of the settings.")
    input: str | list[str] = Field(description="One text or several; none may be empty.")
    encoding_format: Literal["float", "base64"] = Field(
        "float", description="base64: little-endian float32, four times cheaper than JSON numbers."
    )
    dimensions: int | None = Field(None, description="Only the model's own number of dimensions is accepted.")
    user: str | None = Field(None, description="Accepted for OpenAI's clients, not used.")
    request_class: RequestClass | None = Field(
        None, alias="class", description="query: goes first and gets the model's query prefix; else document."
    )
    input_type: RequestClass | None = Field(None, description="Another name for class.")
    truncate: bool = Field(
        default=False, description="Cut texts that are too long, and list them in truncated."
    )


class RerankRequest(_Body):
    """Passages to be ordered by how well they answer a query."""

    model: str | None = Field(None, description="Default: the first reranker of the settings.")
    query: str = Field(description="What is asked; not empty.")
    documents: list[str] = Field(description="Passages, none empty.")
    top_n: int | None = Field(None, ge=1, description="Answers at most this many; default all.")
    request_class: RequestClass | None = Field(
        None, alias="class", description="Who waits; default query. The order does not depend on it."
    )
    truncate: bool = Field(
        default=False,
        description="Cut a query to what the model reads well, documents to the rest; list the cut ones.",
    )


class EmbedInvocation(EmbeddingsRequest):
    """`/invocations` with an embeddings request."""

    task: Literal["embed"]


class RerankInvocation(RerankRequest):
    """`/invocations` with a rerank request."""

    task: Literal["rerank"]


Invocation = Annotated[EmbedInvocation | RerankInvocation, Field(discriminator="task")]


class Usage(_Body):
    """Tokens read, special tokens included, padding not."""

    prompt_tokens: int
    total_tokens: int


class Timing(_Body):
    """Where the time went, in milliseconds: the longest that an input stood in line, and its longest run."""

    queued_ms: float
    model_ms: float


class Embedding(_Body):
    """One unit vector, as numbers or as base64 of little-endian float32."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingsResponse(_Body):
    """Vectors in the order of the input; `truncated` lists the indexes of texts that were cut."""

    object: Literal["list"]
    model: str
    data: list[Embedding]
    usage: Usage
    truncated: list[int]
    timing: Timing


class RerankResult(_Body):
    """A passage by its index in the request; `relevance_score` is the sigmoid of `logit`, 0 to 1."""

    index: int
    relevance_score: float
    logit: float


class RerankResponse(_Body):
    """Passages, best first; equal scores keep the order of the request.

    `truncated` lists the indexes of documents that were not read whole, or not with the whole query.
    """

    model: str
    results: list[RerankResult]
    usage: Usage
    truncated: list[int]
    timing: Timing


class ModelInfo(_Body):
    """A model that this endpoint serves; `max_tokens` counts the two or three special tokens too."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    task: Literal["embed", "rerank"]
    dimensions: int
    max_tokens: int
    query_prefix: str
    batch_dependent: bool = Field(
        description="Results move with the texts run beside them (cosine up to 5e-3)."
    )


class ModelsResponse(_Body):
    """The models of this endpoint."""

    object: Literal["list"]
    data: list[ModelInfo]


class ModelHealth(_Body):
    """One model: how much waits for it, and why it does not serve, where it does not."""

    queued_tokens: int
    queued_queries: int
    queued_documents: int
    fault: str | None


class HealthResponse(_Body):
    """`ok`, `draining` (stopping, its accepted work goes on) or `failed` (a restart is needed)."""

    status: Literal["ok", "draining", "failed"]
    version: str
    device: str
    uptime_s: float
    models: dict[str, ModelHealth]


class ErrorDetail(_Body):
    """OpenAI's error object; `retry_after_s` is there when trying again can help."""

    message: str
    type: Literal["invalid_request_error", "rate_limit_error", "server_error"]
    code: str
    param: str | None
    retry_after_s: float | None = None


class ErrorResponse(_Body):
    """What every status from 400 on carries."""

    error: ErrorDetail
