"""Runs forged files through the functions' own log and metrics: `python -m tests.hostile.spoken [--naive]`.

Whatever they say goes to standard output, as it would to CloudWatch.
"""

import logging
import sys
import tempfile
from pathlib import Path

from haylift.adapters.lambda_telemetry import EmfTelemetry, configure_logging
from haylift.telemetry import request_id

from tests.hostile.corpus import corpus
from tests.hostile.trial import Bench


def main() -> None:
    """Uploads every file whose name, title or metadata is a lie."""
    if "--naive" in sys.argv:
        logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s", level="INFO")
    else:
        configure_logging("ingestion", "DEBUG")
    request_id.set("request-1")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), telemetry=EmfTelemetry())
        for file in corpus():
            if "_aws" in file.name or file.name.startswith("forged"):
                bench.try_file(file)
                if "--naive" in sys.argv:
                    logging.getLogger("naive").info("finished %s", file.name)
        bench.close()


if __name__ == "__main__":
    main()
