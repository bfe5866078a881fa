"""Tokenises and embeds with plain ONNX Runtime in one loop: nothing but the tokenizer, the session and numpy.

    gpu_endpoint/.venv/bin/python benchmarks/ingestion/plain_loop.py MODEL

Runs in the model endpoint's environment. Each line of standard input is a JSON list of texts; each line of
standard output the seconds that they took. The session has the endpoint's own options: its threads, and no
spinning. Batches have the endpoint's limits too, of neighbours by length: larger ones cost more here.
"""

import json
import os
import sys
import time
from collections.abc import Sequence

import numpy as np
import onnxruntime  # type: ignore[import-not-found]  # the endpoint's environment has it
from haylift_endpoint.inference.registry import (  # type: ignore[import-not-found]  # as above
    find_model,
    read_registry,
)
from tokenizers import Tokenizer  # type: ignore[import-not-found]  # as above

BATCH_TEXTS, BATCH_TOKENS = 8, 512
"""Texts, and tokens with their padding, of one run."""


def embed(session: onnxruntime.InferenceSession, tokenizer: Tokenizer, texts: Sequence[str]) -> list[object]:
    """One unit vector for each text, `(dimensions,)` float32."""
    encoded = tokenizer.encode_batch(list(texts))
    order = sorted(range(len(texts)), key=lambda at: len(encoded[at].ids))
    vectors: list[object] = [None] * len(texts)
    names = [node.name for node in session.get_inputs()]
    while order:
        places = _batch(order, [len(encoded[at].ids) for at in order])
        del order[: len(places)]
        longest = max(len(encoded[at].ids) for at in places)
        ids, mask = (np.zeros((len(places), longest), np.int64) for _ in range(2))
        for row, at in enumerate(places):
            ids[row, : len(encoded[at].ids)] = encoded[at].ids
            mask[row, : len(encoded[at].ids)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        rows = session.run(None, {name: feeds[name] for name in names})[0][:, 0]
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        for at, vector in zip(places, rows, strict=True):
            vectors[at] = vector
    return vectors


def _batch(order: Sequence[int], tokens: Sequence[int]) -> Sequence[int]:
    """The first places that fit, by rising tokens; one at least."""
    count = 1
    while count < min(BATCH_TEXTS, len(order)) and (count + 1) * tokens[count] <= BATCH_TOKENS:
        count += 1
    return order[:count]


def main(model: str) -> None:
    """Answers until standard input ends."""
    files = find_model(model, read_registry())
    if files.spec.pooling != "cls":
        raise ValueError("this loop takes the first token's vector")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.process_cpu_count() or 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(files.onnx), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(files.tokenizer))
    tokenizer.enable_truncation(files.spec.max_tokens)
    tokenizer.no_padding()
    for line in sys.stdin:
        texts = json.loads(line)
        began = time.perf_counter()
        embed(session, tokenizer, texts)
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
