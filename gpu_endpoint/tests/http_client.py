"""The endpoint's app over fakes, and a client that talks to it without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from haylift_endpoint.http.app import Routes, create_app
from haylift_endpoint.http.metrics import Metrics
from haylift_endpoint.inference.registry import ModelSpec
from haylift_endpoint.service import EmbeddingService, ServedModel
from haylift_endpoint.settings import Settings
from tests.fakes import FakeModel, make_engine

NOW_S = 1_700_000_000.0


def spec(task: str) -> ModelSpec:
    """A registry entry for a fake."""
    return ModelSpec.model_validate(
        {
            "task": task, "dimensions": 2, "max_tokens": 512, "pooling": "cls", "query_prefix": "",
            "batch_dependent": False, "licence": "none", "files": (),
        }
    )  # fmt: skip


def make_routes(
    settings: Settings, model: FakeModel | None = None, *, max_queued_tokens: int = 1000
) -> Routes:
    """Routes over one fake embedder and one fake reranker; the wall clock stands at `NOW_S`."""
    metrics = Metrics()
    served = [
        ServedModel(
            name, spec(task), make_engine(fake, max_queued_tokens=max_queued_tokens, observer=metrics)
        )
        for name, task, fake in (
            ("embedder", "embed", model or FakeModel()),
            ("ranker", "rerank", FakeModel()),
        )
    ]
    service = EmbeddingService(served, max_inputs=settings.max_inputs)
    return Routes(service, settings, metrics, "cpu", epoch_s=lambda: NOW_S, started_s=NOW_S)


@asynccontextmanager
async def client(routes: Routes) -> AsyncIterator[httpx.AsyncClient]:
    """A client for the app, with its service started and stopped."""
    transport = httpx.ASGITransport(create_app(routes))
    routes.service.start()
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://endpoint") as http:
            yield http
    finally:
        await routes.service.stop()
