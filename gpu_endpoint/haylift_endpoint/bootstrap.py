"""Puts the parts together; the only file that knows them all."""

import time

from haylift_endpoint.batching.engine import Engine, TokenizerPool
from haylift_endpoint.batching.lane import Lane, ThreadLane
from haylift_endpoint.batching.line import WaitingLine
from haylift_endpoint.batching.selection import Limits
from haylift_endpoint.batching.worker import BatchWorker, Observer
from haylift_endpoint.http.app import Routes
from haylift_endpoint.http.metrics import Metrics
from haylift_endpoint.inference.hardware import batch_limits, choose_device
from haylift_endpoint.inference.onnx import OnnxModel
from haylift_endpoint.inference.registry import find_model, read_registry
from haylift_endpoint.ports import BatchModel
from haylift_endpoint.service import EmbeddingService, ServedModel
from haylift_endpoint.settings import Settings


def build_engine(
    model: BatchModel,
    settings: Settings,
    limits: Limits,
    *,
    lane: Lane,
    tokenizers: TokenizerPool,
    observer: Observer,
) -> Engine:
    """A model with a line and a worker of its own, as the settings want them."""
    line = WaitingLine(
        limits,
        max_queued_tokens=settings.max_queued_tokens,
        max_delay_s=settings.max_queue_delay_ms / 1000,
        clock=time.monotonic,
    )
    worker = BatchWorker(
        model, line, lane, run_timeout_s=settings.forward_timeout_ms / 1000, observer=observer
    )
    return Engine(model, line, worker, tokenizers=tokenizers, observer=observer)


def build_routes(settings: Settings) -> Routes:
    """Everything from the settings; loads and verifies the models and runs each of them once.

    Raises:
        StartupError: A model or a device is not what the settings say.
    """
    device = choose_device(settings.device)
    limits = batch_limits(settings, device)
    registry = read_registry(settings.model_registry)
    lane, metrics = ThreadLane(), Metrics()
    tokenizers = TokenizerPool(threads=settings.tokenizer_threads, max_inside=settings.max_tokenizing)
    served = []
    for name in dict.fromkeys(settings.models):
        files = find_model(name, registry, settings.model_paths.get(name))
        engine = build_engine(
            OnnxModel(files, settings, device), settings, limits,
            lane=lane, tokenizers=tokenizers, observer=metrics,
        )  # fmt: skip
        served.append(ServedModel(name, files.spec, engine))
    service = EmbeddingService(served, max_inputs=settings.max_inputs, lane=lane, tokenizers=tokenizers)
    return Routes(service, settings, metrics, device, started_s=time.time())
