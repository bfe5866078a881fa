"""`python -m benchmarks.ingestion`: what an ingestion costs beside the embedding model.

Three parts, each chosen by its name or all of them:

- `rate`: documents through events, orders, parser processes, pipeline, index and the model endpoint's
  process (behind SageMaker's runtime API, as the local system runs it), against tokenising and embedding the
  same chunks with plain ONNX Runtime in one loop, by the same model with the same threads. Rounds take turns.
- `processor`: time of the processor outside the model, for an event of one object of plain text and for a
  document of a batch; worker, parser processes and the process that forks them.
- `memory`: resident memory of worker and parser processes over many documents.

DynamoDB, S3, SQS and Valkey are dictionaries: what the AWS SDK and the services cost is not in these figures,
and `calls_of_services_for_one_event` says how often they are asked. In `processor` and `memory` the model is
one that takes no time.
"""

import argparse
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from haylift.adapters.lambda_telemetry import configure_logging

from benchmarks.ingestion.costs import large_text, memory, processor
from benchmarks.ingestion.rate import files, rate

PARTS = ("rate", "processor", "memory")


def show(text: str) -> None:
    """Tells of progress on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The parts that were asked for."""
    work: dict[str, Callable[[], dict[str, object]]] = {
        "rate": lambda: rate(folder / "rate", files(options.files), options.rounds, options.workers, show),
        "processor": lambda: {
            **processor(folder / "processor", options.round_documents, options.rounds, show),
            "large_text": large_text(folder / "large", show),
        },
        "memory": lambda: memory(folder / "memory", options.documents, options.memory_limit_s, show),
    }
    return {part: work[part]() for part in options.parts or PARTS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures; with `--json` on one line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ingestion",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="rate, processor, memory; default: all")
    parser.add_argument("--documents", type=int, default=10_000, help="of `memory`, default %(default)s")
    parser.add_argument(
        "--memory-limit-s", type=float, default=3_600.0, help="`memory` ends then with fewer documents"
    )
    parser.add_argument("--round-documents", type=int, default=200, help="of a round of `processor`")
    parser.add_argument("--rounds", type=int, default=5, help="of `rate` and `processor`")
    parser.add_argument("--files", type=int, default=24, help="of `rate`, some pages each")
    parser.add_argument("--workers", type=int, default=2, help="of `rate`, at a time; default %(default)s")
    parser.add_argument("--json", action="store_true", help="on one line")
    options = parser.parse_args(arguments)
    if set(options.parts) - set(PARTS):
        parser.error(f"the parts are {', '.join(PARTS)}")
    answer = os.dup(1)
    with (
        tempfile.TemporaryDirectory(prefix="haylift-bench-") as folder,
        Path(os.devnull).open("w") as nowhere,
    ):
        # The functions' log lines and metrics are made and written, but nobody reads them here.
        os.dup2(nowhere.fileno(), 1)
        configure_logging("ingestion", logging.getLevelName(logging.INFO))
        figures = {"load_average": [round(load, 1) for load in os.getloadavg()], **run(options, Path(folder))}
        sys.stdout.flush()
    with os.fdopen(answer, "w") as output:
        output.write(json.dumps(figures, indent=None if options.json else 2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
