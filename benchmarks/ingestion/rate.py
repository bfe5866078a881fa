"""The whole ingestion against a plain loop over the same chunks."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

from haylift.adapters.lambda_telemetry import EmfTelemetry
from haylift.adapters.model_endpoint import SageMakerModels
from haylift.adapters.model_invocation import ModelInvoker
from haylift.domain.chunks import Vector
from haylift.ports import Embedder
from haylift.resilience import Deadline

from benchmarks.ingestion.figures import LEAST_RATE_RATIO, rate_ratio
from benchmarks.ingestion.usage import Spent
from benchmarks.ingestion.worker import MODEL, Show, Worker
from local.toolchain import MODEL_ENDPOINT, MODEL_ENDPOINT_PYTHON, ROOT

ENDPOINT = "haylift-embed"
HOST = "127.0.0.1"
READY_LIMIT_S = 120.0
LOOK_EVERY_S = 0.2
MIN_CHARS = 1_000


class Recorded:
    """An embedder that keeps the texts that it was given."""

    def __init__(self, models: SageMakerModels) -> None:
        self._models = models
        self.model = models.model
        self.texts: list[str] = []

    def embed_query(self, text: str, deadline: Deadline) -> Vector:
        """Is not part of an ingestion."""
        return self._models.embed_query(text, deadline)

    def embed_documents(self, texts: Sequence[str], deadline: Deadline) -> list[Vector]:
        """The vectors, whose texts are kept."""
        self.texts += texts
        return self._models.embed_documents(texts, deadline)


def files(count: int) -> dict[str, bytes]:
    """Markdown and text of this project, some pages each."""
    found = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("samples/*.md"), *ROOT.glob("samples/*.txt")])
    read = {file.name: file.read_bytes() for file in found}
    return dict([(name, data) for name, data in read.items() if len(data) >= MIN_CHARS][:count])


def rate(folder: Path, uploads: dict[str, bytes], rounds: int, workers: int, show: Show) -> dict[str, object]:
    """Rounds of both, one after the other; a first round of each is not counted."""
    plain: list[Round] = []
    whole: list[Round] = []
    with ExitStack() as stack:
        model, runtime = _free_port(), _free_port()
        stack.enter_context(_model(model))
        stack.enter_context(_runtime(runtime, model))
        loop = stack.enter_context(_plain_loop())
        models = SageMakerModels(ModelInvoker(ENDPOINT, EmfTelemetry()), MODEL)
        recorded = Recorded(models)
        _whole(folder / "first", uploads, recorded, workers)
        show(f"rate: {len(recorded.texts)} chunks of {len(uploads)} files")
        _plain(loop, recorded.texts)
        for turn in range(rounds):
            plain.append(_plain(loop, recorded.texts))
            whole.append(_whole(folder / str(turn), uploads, models, workers))
            show(f"rate: round {turn + 1} of {rounds}: plain {plain[-1]}, whole {whole[-1]}")
    ratio = rate_ratio([one.wall_s for one in plain], [one.wall_s for one in whole])
    cpu_ratio = rate_ratio([one.cpu_s for one in plain], [one.cpu_s for one in whole])
    return {
        "files": len(uploads),
        "chunks": len(recorded.texts),
        "workers": workers,
        "plain_s": [round(one.wall_s, 2) for one in plain],
        "whole_s": [round(one.wall_s, 2) for one in whole],
        "plain_cpu_s": [round(one.cpu_s, 2) for one in plain],
        "whole_cpu_s": [round(one.cpu_s, 2) for one in whole],
        "rate_ratio": round(ratio, 3),
        "cpu_ratio": round(cpu_ratio, 3),
        "least_ratio": LEAST_RATE_RATIO,
        "is_reached": ratio >= LEAST_RATE_RATIO,
    }


@dataclass(frozen=True)
class Round:
    """One half of a round, by the clock, and of the processor in all processes of the benchmark.

    On a machine with other work the half with more processes gets more of it: then the processor's seconds
    say more than the clock.
    """

    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        return f"{self.wall_s:.1f} s ({self.cpu_s:.1f} s of CPU)"


def _whole(folder: Path, uploads: dict[str, bytes], models: Embedder, workers: int) -> Round:
    """From the events of the uploads to the last searchable document, in an index without a file."""
    worker = Worker(folder, models)
    worker.put(uploads)
    began, before = time.perf_counter(), Spent.now()
    worker.ingest_all(worker.dispatch(), workers)
    return Round(time.perf_counter() - began, Spent.now().since(before).total_s)


def _plain(loop: "subprocess.Popen[str]", texts: Sequence[str]) -> Round:
    """By the loop's own clock, without the pipe."""
    if loop.stdin is None or loop.stdout is None:
        raise ValueError("the loop has pipes")
    before = Spent.now()
    loop.stdin.write(json.dumps(list(texts)) + "\n")
    loop.stdin.flush()
    return Round(float(loop.stdout.readline()), Spent.now().since(before).total_s)


@contextmanager
def _plain_loop() -> Iterator["subprocess.Popen[str]"]:
    command = [str(MODEL_ENDPOINT_PYTHON), str(Path(__file__).with_name("plain_loop.py")), MODEL]
    environment = {**os.environ, "PYTHONPATH": str(MODEL_ENDPOINT)}
    with subprocess.Popen(  # noqa: S603  # our own script
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield process


@contextmanager
def _model(port: int) -> Iterator[None]:
    settings = {"HAYLIFT_ENDPOINT_HOST": HOST, "HAYLIFT_ENDPOINT_PORT": str(port)}
    settings["HAYLIFT_ENDPOINT_MODELS"] = MODEL
    with _service([str(MODEL_ENDPOINT_PYTHON), "-m", "haylift_endpoint", "serve"], settings, port):
        yield


@contextmanager
def _runtime(port: int, model: int) -> Iterator[None]:
    os.environ |= {
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": f"http://{HOST}:{port}",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "*",
    }
    words = ["-m", "local.sagemaker_shim", "--port", str(port), "--endpoint"]
    with _service([sys.executable, *words, f"{ENDPOINT}=http://{HOST}:{model}"], {}, port, folder=ROOT):
        yield


@contextmanager
def _service(
    command: Sequence[str], settings: dict[str, str], port: int, folder: Path = MODEL_ENDPOINT
) -> Iterator[None]:
    with subprocess.Popen(  # noqa: S603  # our own modules
        command,
        cwd=folder,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for(process, f"http://{HOST}:{port}/ping")
            yield
        finally:
            process.terminate()


def _wait_for(process: "subprocess.Popen[bytes]", url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    limit = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < limit and process.poll() is None:
        try:
            with opener.open(url, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(LOOK_EVERY_S)
    raise RuntimeError(f"{process.args!r} does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
