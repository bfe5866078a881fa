"""`python -m benchmarks.search`: hybrid searches on the embedded index, by its number of chunks.

For each size an index of made-up chunks is written (words as often as in English, random unit vectors), and a
process of its own searches it through the product's pipeline: live revisions, both legs, fusion. The
question's vector is made before, the ledger and the caches are dictionaries: what stays is the index's time.
`first_ms` is the first search of that process, `miss_ratio` a search of the service that no cache answers
against calling its parts directly; memory is what searching adds to the process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import batched
from pathlib import Path

from haylift.adapters.sqlite_index import SqliteIndex

from benchmarks.search.corpus import Corpus
from benchmarks.search.worker import GENERATION, SCOPE

ROOT = Path(__file__).resolve().parents[2]
BATCH = 500
P50_LIMIT_MS, FIRST_LIMIT_MS, MISS_LIMIT_RATIO = 12.0, 300.0, 2.0
JUDGED_CHUNKS = 10_000
"""The size for which the limits stand."""


def build(folder: Path, chunks: int, dimensions: int) -> float:
    """Writes an index; gives chunks written in a second."""
    began = time.perf_counter()
    index = SqliteIndex(folder)
    for batch in batched(Corpus(dimensions).chunks(chunks), BATCH, strict=False):
        index.write(SCOPE.tenant, GENERATION, batch)
    index.close()
    return chunks / (time.perf_counter() - began)


def row(folder: Path, chunks: int, dimensions: int, searches: int) -> dict[str, float | bool]:
    """The figures of one size."""
    written_per_s = build(folder, chunks, dimensions)
    command = [sys.executable, "-m", "benchmarks.search.worker", str(folder), str(dimensions), str(searches)]
    paths = os.pathsep.join([str(ROOT / "layers" / "core" / "python"), str(ROOT)])
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": paths}
    done = subprocess.run(  # noqa: S603  # our own module
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"The search process failed:\n{done.stderr}")
    disk_mib = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20
    found: dict[str, float | bool] = {
        "chunks": chunks,
        "dimensions": dimensions,
        **json.loads(done.stdout),
        "disk_mib": round(disk_mib, 1),
        "written_per_s": round(written_per_s),
    }
    if chunks == JUDGED_CHUNKS:
        found["is_reached"] = (
            found["p50_ms"] <= P50_LIMIT_MS
            and found["first_ms"] <= FIRST_LIMIT_MS
            and found["miss_ratio"] <= MISS_LIMIT_RATIO
        )
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a table, or with `--json` one object with `rows`."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--chunks", default="1000,10000,50000,100000", help="sizes, default %(default)s")
    parser.add_argument("--dimensions", default="384", help="of the vectors, default %(default)s")
    parser.add_argument("--searches", type=int, default=200, help="of each kind, default %(default)s")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(arguments)
    rows = []
    for dimensions in map(int, options.dimensions.split(",")):
        for chunks in map(int, options.chunks.split(",")):
            sys.stderr.write(f"{chunks:,} chunks of {dimensions} dimensions\n")
            with tempfile.TemporaryDirectory(prefix="haylift-bench-") as folder:
                rows.append(row(Path(folder), chunks, dimensions, options.searches))
    if options.json:
        print(json.dumps({"load_average": [round(load, 1) for load in os.getloadavg()], "rows": rows}))
        return 0
    names = list(dict.fromkeys(name for each in rows for name in each))
    print(" | ".join(names))
    for each in rows:
        print(" | ".join(str(each.get(name, "")) for name in names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
