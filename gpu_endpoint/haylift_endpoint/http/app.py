"""The routes. Each reads its request, asks the service, and writes the answer; `_answer` does the rest."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from haylift_endpoint import __version__
from haylift_endpoint.batching.engine import Call, Engine, Results
from haylift_endpoint.errors import (
    DeadlineExceeded,
    EndpointError,
    InternalFault,
    InvalidRequest,
    Unavailable,
    UnknownRoute,
    WrongMethod,
)
from haylift_endpoint.http.attributes import HEADER, CallAttributes, read_attributes
from haylift_endpoint.http.metrics import Metrics
from haylift_endpoint.http.schemas import EmbeddingsRequest, Invocation, RerankRequest
from haylift_endpoint.http.wire import encode_vector, error_response, json_response, read_body, unless_gone
from haylift_endpoint.service import EmbeddingService
from haylift_endpoint.settings import Settings

logger = logging.getLogger(__name__)

_EMBEDDINGS: TypeAdapter[EmbeddingsRequest] = TypeAdapter(EmbeddingsRequest)
_RERANK: TypeAdapter[RerankRequest] = TypeAdapter(RerankRequest)
_INVOCATION: TypeAdapter[EmbeddingsRequest | RerankRequest] = TypeAdapter(Invocation)


@dataclass(frozen=True)
class Routes:
    """The endpoint's routes over one service. `epoch_s` is the wall clock of callers' deadlines."""

    service: EmbeddingService
    settings: Settings
    metrics: Metrics
    device: str
    epoch_s: Callable[[], float] = time.time
    started_s: float = 0.0

    async def invocations(self, request: Request) -> Response:
        """`POST /invocations`: SageMaker's one route, for every task."""
        return await self._answer(request, _INVOCATION)

    async def embeddings(self, request: Request) -> Response:
        """`POST /v1/embeddings`, as OpenAI has it."""
        return await self._answer(request, _EMBEDDINGS)

    async def rerank(self, request: Request) -> Response:
        """`POST /v1/rerank`."""
        return await self._answer(request, _RERANK)

    async def ping(self, _: Request) -> Response:
        """`GET /ping`: 503 only when a new process would help, so never because of load."""
        if self.service.needs_restart():
            return error_response(
                Unavailable("a model does not work; restart this process", retry_after_s=5.0)
            )
        return json_response({"status": "ok"})

    async def health(self, _: Request) -> Response:
        """`GET /health`: each model's line and fault; 503 unless all of them serve."""
        status = (
            "failed" if self.service.needs_restart() else "draining" if self.service.is_draining else "ok"
        )
        body = {
            "status": status,
            "version": __version__,
            "device": self.device,
            "uptime_s": round(self.epoch_s() - self.started_s, 1),
            "models": {model.name: _model_health(model.engine) for model in self.service.models},
        }
        return json_response(body, status=200 if status == "ok" else 503)

    async def models(self, _: Request) -> Response:
        """`GET /v1/models`: with the dimensions and the token limit that callers plan with."""
        served = [
            {
                "id": model.name, "object": "model", "created": 0, "owned_by": "haylift",
                **model.spec.model_dump(
                    include={"task", "dimensions", "max_tokens", "query_prefix", "batch_dependent"}
                ),
            }
            for model in self.service.models
        ]  # fmt: skip
        return json_response({"object": "list", "data": served})

    async def prometheus(self, _: Request) -> Response:
        """`GET /metrics`: Prometheus' text format."""
        return Response(self.metrics.render(self.service), media_type="text/plain; version=0.0.4")

    async def _answer[T: EmbeddingsRequest | RerankRequest](
        self, request: Request, shape: TypeAdapter[T]
    ) -> Response:
        """One request from bytes to bytes; whatever happens, one answer and one count."""
        started_s, task, outcome, request_id = time.monotonic(), "unknown", "cancelled", None
        try:
            attributes = read_attributes(request.headers.get(HEADER))
            request_id = attributes.request_id
            body = await read_body(request, shape, max_bytes=self.settings.max_body_bytes)
            task = "rerank" if isinstance(body, RerankRequest) else "embed"
            content = await unless_gone(request, self._content(body, attributes))
            outcome = "ok"
            return json_response(content, request_id=request_id)
        except EndpointError as error:
            outcome = error.code
            return error_response(error, request_id)
        except Exception:
            # The outermost loop: whatever nobody foresaw is logged here and answered without its reason.
            logger.exception("request failed", extra={"fields": {"task": task, "request_id": request_id}})
            outcome = InternalFault.code
            return error_response(InternalFault("a fault of this server; see its log"), request_id)
        finally:
            self.metrics.answered(task, outcome, took_s=time.monotonic() - started_s)

    async def _content(
        self, body: EmbeddingsRequest | RerankRequest, attributes: CallAttributes
    ) -> dict[str, Any]:
        if self.service.is_draining:
            raise Unavailable("the endpoint is stopping", retry_after_s=1.0)
        if isinstance(body, RerankRequest):
            return await self._rerank(body, attributes)
        return await self._embed(body, attributes)

    async def _embed(self, body: EmbeddingsRequest, attributes: CallAttributes) -> dict[str, Any]:
        model = self.service.model(body.model, "embed")
        if body.dimensions not in (None, model.spec.dimensions):
            raise InvalidRequest(f"{model.name} has {model.spec.dimensions} dimensions", param="dimensions")
        if body.request_class and body.input_type and body.request_class != body.input_type:
            raise InvalidRequest("class and input_type contradict each other", param="input_type")
        texts = [body.input] if isinstance(body.input, str) else body.input
        named = body.request_class or body.input_type or attributes.request_class
        call = Call(named or "document", self._deadline_s(attributes), truncate=body.truncate)
        results = await self.service.embed(model, texts, call)
        data = [
            {"object": "embedding", "index": index, "embedding": encode_vector(row, body.encoding_format)}
            for index, row in enumerate(results.rows)
        ]
        return {"object": "list", "model": model.name, "data": data, **_counts(results)}

    async def _rerank(self, body: RerankRequest, attributes: CallAttributes) -> dict[str, Any]:
        model = self.service.model(body.model, "rerank")
        named = body.request_class or attributes.request_class
        call = Call(named or "query", self._deadline_s(attributes), truncate=body.truncate)
        scores, results = await self.service.rerank(model, body.query, body.documents, call)
        best = [
            {"index": score.index, "relevance_score": score.relevance, "logit": score.logit}
            for score in scores[: body.top_n]
        ]
        return {"model": model.name, "results": best, **_counts(results)}

    def _deadline_s(self, attributes: CallAttributes) -> float:
        """The request's deadline on the event loop's clock."""
        remaining_ms: float = self.settings.default_deadline_ms
        if attributes.deadline_ms is not None:
            remaining_ms = attributes.deadline_ms - self.epoch_s() * 1000
        if remaining_ms <= 0:
            raise DeadlineExceeded("the deadline had passed when the request arrived")
        return asyncio.get_running_loop().time() + min(remaining_ms, self.settings.max_deadline_ms) / 1000


def create_app(routes: Routes) -> Starlette:
    """The application: the service starts and stops with it."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        routes.service.start()
        try:
            yield
        finally:
            await routes.service.stop()

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/ping", routes.ping),
            Route("/invocations", routes.invocations, methods=["POST"]),
            Route("/v1/embeddings", routes.embeddings, methods=["POST"]),
            Route("/v1/rerank", routes.rerank, methods=["POST"]),
            Route("/v1/models", routes.models),
            Route("/health", routes.health),
            Route("/metrics", routes.prometheus),
        ],
        exception_handlers={HTTPException: _routing_error},
    )


def _counts(results: Results) -> dict[str, Any]:
    usage = {"prompt_tokens": results.tokens, "total_tokens": results.tokens}
    timing = {
        "queued_ms": round(results.queued_s * 1_000, 2),
        "model_ms": round(results.model_s * 1_000, 2),
    }
    return {"usage": usage, "truncated": results.truncated, "timing": timing}


def _model_health(engine: Engine) -> dict[str, Any]:
    fault = engine.fault()
    return {
        "queued_tokens": engine.line.queued_tokens,
        "queued_queries": engine.line.waiting("query"),
        "queued_documents": engine.line.waiting("document"),
        "fault": fault.message if fault else "the model does not work" if engine.needs_restart() else None,
    }


async def _routing_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    error_by_status: dict[int, EndpointError] = {
        404: UnknownRoute("no such path; openapi.json lists them"),
        405: WrongMethod("this path does not take this method"),
    }
    return error_response(error_by_status.get(status, InternalFault("a fault of this server")))
