"""Models run by ONNX Runtime, as the batching engine wants them."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from haylift_endpoint.errors import StartupError
from haylift_endpoint.inference.hardware import Device, usable_cores
from haylift_endpoint.inference.registry import ModelFiles, ModelSpec
from haylift_endpoint.inference.tokens import Vocabulary
from haylift_endpoint.ports import Input, Pair, Prepared, Text, Vector
from haylift_endpoint.settings import Settings

_CANARY = "The quick brown fox jumps over the lazy dog."


def _session(files: ModelFiles, settings: Settings, device: Device) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.intra_op_threads or usable_cores()
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = settings.cpu_arena
    # Spinning threads burn a shared core: with 2 threads beside other work a text of 192 tokens cost
    # 114-155 ms of CPU with spinning and 93-106 ms without, and came no sooner.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = (
        ["CUDAExecutionProvider", "CPUExecutionProvider"] if device == "cuda" else ["CPUExecutionProvider"]
    )
    if device == "cuda":
        onnxruntime.preload_dlls()
    try:
        session = onnxruntime.InferenceSession(str(files.onnx), options, providers=providers)
    except Exception as error:
        raise StartupError(f"model {files.name!r}: ONNX Runtime cannot load {files.onnx}: {error}") from error
    if device == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        # ONNX Runtime only warns when CUDA does not load, and would then answer 20 times slower.
        raise StartupError(
            f"model {files.name!r}: CUDA did not load; set HAYLIFT_ENDPOINT_DEVICE=cpu to do without"
        )
    return session


class OnnxModel:
    """An encoder (`embed`) or cross-encoder (`rerank`) in ONNX form.

    Embeddings are `(dimensions,)` float32 of unit length, pooled as the registry says (CLS, or the mean over
    the text's own tokens). A reranker gives `(1,)`: the raw logit.
    """

    def __init__(self, files: ModelFiles, settings: Settings, device: Device) -> None:
        self._files = files
        self._vocabulary = Vocabulary.load(
            files.tokenizer, files.spec.max_tokens, max_query_tokens=files.spec.max_query_tokens
        )
        self._session = _session(files, settings, device)
        self._input_names = frozenset(node.name for node in self._session.get_inputs())
        self._canary = self._prepare_canary()
        row = self.finish(self.forward([self._canary])[0])
        if row.shape != (files.spec.dimensions,):
            raise StartupError(
                f"model {files.name!r} gives {row.shape}, the registry says {files.spec.dimensions}"
            )

    @property
    def name(self) -> str:
        """The name callers use."""
        return self._files.name

    @property
    def spec(self) -> ModelSpec:
        """What the registry says of it."""
        return self._files.spec

    @property
    def canary(self) -> Prepared:
        """A known good input."""
        return self._canary

    def prepare(self, inputs: Sequence[Input], *, truncate: bool) -> list[Prepared]:
        """Tokenised inputs; see `BatchModel.prepare`."""
        texts = [item for item in inputs if isinstance(item, Text)]
        if len(texts) == len(inputs):
            return self._vocabulary.prepare_texts(texts, prefix=self.spec.query_prefix, truncate=truncate)
        return self._vocabulary.prepare_pairs([cast("Pair", item) for item in inputs], truncate=truncate)

    def forward(self, batch: Sequence[Prepared]) -> Vector:
        """One run: `(n, width)` float32, padded to the longest of the batch."""
        ids, mask, types = pad(batch)
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        outputs = self._session.run(None, {name: feeds[name] for name in self._input_names})
        hidden = cast("Vector", outputs[0])
        if self.spec.pooling == "cls":
            return hidden[:, 0]
        if self.spec.pooling == "mean":
            weights = mask[:, :, None].astype(np.float32)
            return cast("Vector", (hidden * weights).sum(axis=1) / weights.sum(axis=1))
        return hidden

    def finish(self, row: Vector) -> Vector:
        """A unit vector, or the logit. Raises ValueError where the model gave NaN, infinity or zero."""
        if self.spec.task == "rerank":
            if not np.isfinite(row).all():
                raise ValueError("the model gave a score that is not a number")
            return row
        length = float(np.linalg.norm(row))
        if not np.isfinite(length) or length == 0:
            raise ValueError("the model gave a vector without a direction")
        return (row / length).astype(np.float32)

    def _prepare_canary(self) -> Prepared:
        item: Input = Text(_CANARY, "document") if self.spec.task == "embed" else Pair("fox", _CANARY)
        return self.prepare([item], truncate=True)[0]


def pad(batch: Sequence[Prepared]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Token ids, attention mask and segment types, each `(n, longest)` int64, zero where padded."""
    shape = (len(batch), max(item.tokens for item in batch))
    ids, mask, types = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    for row, item in enumerate(batch):
        ids[row, : item.tokens] = item.token_ids
        mask[row, : item.tokens] = 1
        types[row, item.second_start : item.tokens] = 1
    return ids, mask, types
