"""`python -m benchmarks.upload_flood`: what a flood of bulk files costs a user's single upload and searches.

Runs against a local system that is up. Phases take turns: `idle`, then `flood` while the bulk files are on
their way. In both, one file after the other is uploaded and followed to SEARCHABLE, and searches go on; the
ratios compare the two phases of the same run.
"""

import argparse
import json
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState

from ops.deployment import Deployment, Login, local_deployment

UPLOADERS = 4
LOOK_EVERY_S = 0.1
GIVE_UP_S = 300.0
SEARCH_PAUSE_S = 0.2
QUERY = "single upload of a user"


@dataclass
class Phase:
    """What was measured in one phase.

    Args:
        searchable_s: from the upload to SEARCHABLE, of each single file.
        claimed_s: the part of it that passed until `dispatch` had claimed the file, by the ledger.
        given_up: files that were not searchable in `GIVE_UP_S`, with which they are counted.
        search_s: duration of each search that was answered 200.
        failed_searches: those that were not.
    """

    searchable_s: list[float] = field(default_factory=list)
    claimed_s: list[float] = field(default_factory=list)
    given_up: int = 0
    search_s: list[float] = field(default_factory=list)
    failed_searches: int = 0

    def summary(self) -> dict[str, Any]:
        """Medians and the slowest, in seconds."""
        return {
            "uploads": len(self.searchable_s),
            "searchable_median_s": round(statistics.median(self.searchable_s), 3),
            "searchable_p95_s": round(percentile(self.searchable_s, 95), 3),
            "searchable_max_s": round(max(self.searchable_s), 3),
            "claimed_median_s": round(statistics.median(self.claimed_s or [0.0]), 3),
            "claimed_max_s": round(max(self.claimed_s, default=0.0), 3),
            "given_up": self.given_up,
            "searches": len(self.search_s),
            "search_p50_s": round(percentile(self.search_s, 50), 4),
            "search_p99_s": round(percentile(self.search_s, 99), 4),
            "failed_searches": self.failed_searches,
        }


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of the values do not exceed.

    >>> percentile([3.0, 1.0, 2.0, 4.0], 50), percentile([1.0], 99)
    (2.0, 1.0)
    """
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent) // 100) - 1)]


@dataclass
class Bench:
    """One system: uploads, the ledger, and a user who searches."""

    deployment: Deployment
    login: Login
    http: httpx.Client
    prefix: str = field(default_factory=lambda: f"flood/{uuid.uuid4().hex[:8]}")

    def __post_init__(self) -> None:
        self._s3 = self.deployment.client("s3")
        self._bucket = self.deployment.output("UploadBucketName")
        self._ledger = DynamoDbLedger(
            self.deployment.output("LedgerTableName"),
            self.deployment.output("TenantsTableName"),
            self.deployment.client("dynamodb"),
        )

    def put(self, path: str) -> DocumentKey:
        """Uploads a small file of words that no other has."""
        key = DocumentKey(self.login.tenant, path)
        text = f"# {uuid.uuid4().hex}\n\nA single upload of a user says {uuid.uuid4().hex}.\n"
        self._s3.put_object(Bucket=self._bucket, Key=key.object_key, Body=text.encode())
        return key

    def upload_one(self, phase: Phase) -> None:
        """Uploads one file, waits for it and notes how long that was; epoch seconds, as the ledger's."""
        began = time.time()
        key = self.put(f"{self.prefix}/single-{uuid.uuid4().hex[:8]}.md")
        row = None
        while time.time() - began < GIVE_UP_S:
            row = self.row_of(key)
            if row and row.state is DocumentState.SEARCHABLE:
                break
            time.sleep(LOOK_EVERY_S)
        else:
            phase.given_up += 1
        phase.searchable_s.append(time.time() - began)
        if row:
            phase.claimed_s.append(max(0.0, row.received_at - began))

    def row_of(self, key: DocumentKey) -> DocumentRecord | None:
        """What the ledger says of the document."""
        return self._ledger.get(key.tenant, key.document_id)

    def flood(self, files: int) -> list[DocumentKey]:
        """Uploads bulk files as fast as some uploaders can."""
        with ThreadPoolExecutor(UPLOADERS) as pool:
            return list(pool.map(lambda n: self.put(f"bulk/{self.prefix}/{n}.md"), range(files)))

    def search(self, token: str, phase: Phase) -> None:
        """One search, past the cache by a word of its own."""
        began = time.monotonic()
        body = {"query": f"{QUERY} {uuid.uuid4().hex[:6]}", "top_k": 5}
        headers = {"Authorization": f"Bearer {token}"}
        response = self.http.post("/v1/search", json=body, headers=headers)
        if response.status_code == httpx.codes.OK:
            phase.search_s.append(time.monotonic() - began)
        else:
            phase.failed_searches += 1

    def token(self) -> str:
        """An access token."""
        words = {"username": self.login.username, "password": self.login.password}
        return str(self.http.post("/v1/auth/login", json=words).json()["access_token"])


@contextmanager
def searching(bench: Bench, phase: Phase) -> Iterator[None]:
    """Searches go on for as long as the phase does."""
    is_over, token = threading.Event(), bench.token()

    def search() -> None:
        while not is_over.wait(SEARCH_PAUSE_S):
            bench.search(token, phase)

    thread = threading.Thread(target=search, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def measured(bench: Bench, more: Callable[[int], bool]) -> Phase:
    """One phase: single uploads while `more` of their number says so, and searches beside them."""
    phase = Phase()
    with searching(bench, phase):
        while more(len(phase.searchable_s)):
            bench.upload_one(phase)
    return phase


def run(bench: Bench, *, files: int, uploads: int) -> dict[str, Any]:
    """Both phases and their ratios."""
    bench.upload_one(Phase())
    idle = measured(bench, lambda done: done < uploads)
    keys: list[DocumentKey] = []
    began = time.monotonic()
    uploader = threading.Thread(target=lambda: keys.extend(bench.flood(files)))
    uploader.start()
    flood = measured(bench, lambda done: done < uploads or uploader.is_alive())
    uploader.join()
    took_s = time.monotonic() - began
    rows = [bench.row_of(key) for key in keys]
    open_at_end = sum(row is None or not row.state.is_final for row in rows)
    one, other = idle.summary(), flood.summary()
    return {
        "files": files,
        "flood_uploaded_and_measured_s": round(took_s, 1),
        "bulk_files_open_at_the_end": open_at_end,
        "idle": one,
        "flood": other,
        "searchable_ratio": round(other["searchable_median_s"] / one["searchable_median_s"], 2),
        "search_p99_ratio": round(other["search_p99_s"] / one["search_p99_s"], 2),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures; with `--json` one document."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=2_000, help="bulk files, default %(default)s")
    parser.add_argument("--uploads", type=int, default=15, help="single files in each phase")
    parser.add_argument("--state-dir", type=Path, default=Path(".local"), metavar="DIR")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    deployment = local_deployment(options.state_dir)
    with httpx.Client(base_url=deployment.api_url, timeout=35) as http:
        bench = Bench(deployment, deployment.login(tenant=None, username=None), http)
        figures = run(bench, files=options.files, uploads=options.uploads)
    print(json.dumps(figures, indent=None if options.json else 2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
