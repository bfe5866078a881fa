"""What the endpoint does, without HTTP: embed texts and rank passages with the models it holds."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from haylift_endpoint.batching.engine import Call, Engine, Results, TokenizerPool
from haylift_endpoint.batching.lane import ThreadLane
from haylift_endpoint.errors import InvalidRequest, UnknownModel
from haylift_endpoint.inference.registry import ModelSpec
from haylift_endpoint.ports import Input, Pair, Text

Task = Literal["embed", "rerank"]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model by its registry entry, with the engine that runs it."""

    name: str
    spec: ModelSpec
    engine: Engine


@dataclass(frozen=True, slots=True)
class Score:
    """A passage's place in the request, its raw logit, and the logit's sigmoid (0 to 1)."""

    index: int
    logit: float
    relevance: float


class EmbeddingService:
    """Embeds and ranks. All its promises on time and outcomes are those of `Engine.answer`.

    Args:
        models: What is served; the first of each task is the default for requests that name none.
        max_inputs: Texts or documents in one request.
    """

    def __init__(
        self,
        models: Sequence[ServedModel],
        *,
        max_inputs: int,
        lane: ThreadLane | None = None,
        tokenizers: TokenizerPool | None = None,
    ) -> None:
        self.models = tuple(models)
        self.is_draining = False
        self._max_inputs = max_inputs
        self._lane = lane
        self._tokenizers = tokenizers

    def start(self) -> None:
        """Begins to serve, in the running event loop."""
        for model in self.models:
            model.engine.start()

    async def stop(self) -> None:
        """Ends the workers; requests still waiting get `Unavailable`."""
        self.is_draining = True
        await asyncio.gather(*(model.engine.stop() for model in self.models))
        if self._tokenizers is not None:
            self._tokenizers.close()
        if self._lane is not None:
            self._lane.close()

    def drain(self, within_s: float) -> None:
        """Announces the stop; what still waits after `within_s` seconds gets `Unavailable`."""
        self.is_draining = True
        loop = asyncio.get_running_loop()
        for model in self.models:
            loop.call_later(within_s, model.engine.close_line)

    def needs_restart(self) -> bool:
        """True when only a new process helps."""
        return any(model.engine.needs_restart() for model in self.models)

    def model(self, name: str | None, task: Task) -> ServedModel:
        """The named model, or the task's default.

        Raises:
            UnknownModel: No such model is served for this task.
        """
        for model in self.models:
            if model.spec.task == task and name in (None, model.name):
                return model
        served = ", ".join(model.name for model in self.models if model.spec.task == task) or "none"
        raise UnknownModel(f"no such model for {task}; served: {served}", param="model")

    async def embed(self, model: ServedModel, texts: Sequence[str], call: Call) -> Results:
        """A unit vector `(dimensions,)` float32 for each text; errors as in `Engine.answer`."""
        self._check(texts, "input")
        return await model.engine.answer([Text(text, call.request_class) for text in texts], call)

    async def rerank(
        self, model: ServedModel, query: str, documents: Sequence[str], call: Call
    ) -> tuple[list[Score], Results]:
        """All passages, best first, equal ones in the order given; errors as in `Engine.answer`."""
        if not query.strip():
            raise InvalidRequest("query is empty", param="query")
        self._check(documents, "documents")
        pairs: list[Input] = [Pair(query, document) for document in documents]
        results = await model.engine.answer(pairs, call)
        logits = [float(row[0]) for row in results.rows]
        scores = [Score(index, logit, sigmoid(logit)) for index, logit in enumerate(logits)]
        return sorted(scores, key=lambda score: -score.logit), results

    def _check(self, texts: Sequence[str], param: str) -> None:
        if not texts:
            raise InvalidRequest(f"{param} is empty", param=param)
        if len(texts) > self._max_inputs:
            raise InvalidRequest(
                f"{param} has {len(texts)} entries, at most {self._max_inputs} are allowed", param=param
            )
        for index, text in enumerate(texts):
            if not text.strip():
                raise InvalidRequest(f"{param}[{index}] is empty", param=f"{param}[{index}]")


def sigmoid(logit: float) -> float:
    """1 / (1 + exp(-logit)), 0 to 1, without overflow for any float."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    return math.exp(logit) / (1 + math.exp(logit))
