"""Worker processes are killed with SIGKILL while documents come and go; the index ends like the bucket.

Long: a killed worker's message is hidden for its visibility time-out of three minutes. It runs in
`make verify` (`HAYLIFT_LAB=full`): 500 deliveries, at least 25 kills.
"""

import hashlib
import json
import os
import random
import signal
import threading
from array import array
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.documents import DocumentKey, DocumentRecord
from haylift.domain.identity import Scope
from haylift.ports.search import LegQuery
from haylift.services.live_index import LiveIndex

from local.system import family_of
from tests.e2e.system import System, eventually

IS_FULL = os.environ.get("HAYLIFT_LAB") == "full"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(3_600),
    pytest.mark.skipif(not IS_FULL, reason="a kill hides a message for 3 minutes: HAYLIFT_LAB=full"),
]

TENANT = "kills"
DELIVERIES = 500
KEYS = 60
KILLS = 25
KILL_PAUSE_S = 3.0
"""On average; a killed batch is hidden for minutes, so that faster kills would leave nobody to kill."""

PUT_PAUSE_S = 0.2
SETTLED_WITHIN_S = 2_400
VICTIMS = {"haylift-local-ingestion", "haylift-local-dispatch"}
"""Lambda names of the functions that are killed."""


class Killer(threading.Thread):
    """Ends a process of one of the functions every now and then, at random, as the machine would."""

    def __init__(self, emulator_pid: int, seed: int) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self._emulator_pid = emulator_pid
        self._random = random.Random(seed)
        self._is_over = threading.Event()

    def run(self) -> None:
        while self.counts.total() < KILLS and not self._is_over.wait(
            self._random.uniform(0.5, 1.5) * KILL_PAUSE_S
        ):
            found = [
                (pid, name) for pid in family_of(self._emulator_pid) if (name := _function_of(pid)) in VICTIMS
            ]
            if found:
                fewest = min(found, key=lambda each: self.counts[each[1]])[1]
                pid, name = self._random.choice([each for each in found if each[1] == fewest])
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.counts[name] += 1

    def stop(self) -> None:
        """No more kills."""
        self._is_over.set()
        self.join()


def _function_of(pid: int) -> str:
    with suppress(OSError):
        for setting in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            name, _, value = setting.partition(b"=")
            if name == b"AWS_LAMBDA_FUNCTION_NAME":
                return value.decode()
    return ""


def client(system: System, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=system.outputs["aws_endpoint_url"], region_name=system.outputs["region"],
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip


def table(dynamodb: Any, word: str) -> str:
    return next(name for name in dynamodb.list_tables()["TableNames"] if word in name.lower())


def deliver(system: System, chance: random.Random) -> None:
    """Puts new bytes, the same bytes again, or a delete marker, one after the other."""
    texts: dict[str, bytes] = {}
    pace = threading.Event()
    for number in range(DELIVERIES):
        pace.wait(PUT_PAUSE_S)
        key = f"documents/{TENANT}/{chance.randrange(KEYS)}.txt"
        kind = chance.choices(("put", "same", "delete"), (7, 2, 2))[0]
        if kind == "delete":
            system.bucket.Object(key).delete()
            continue
        if kind == "put" or key not in texts:
            texts[key] = f"Delivery {number} of this document speaks of berth {chance.random()}.".encode()
        system.bucket.put_object(Key=key, Body=texts[key], ContentType="text/plain")


def in_bucket(system: System) -> dict[str, str]:
    """SHA-256 of each current object, by key."""
    objects = system.bucket.objects.filter(Prefix=f"documents/{TENANT}/")
    return {each.key: hashlib.sha256(each.get()["Body"].read()).hexdigest() for each in objects}


def in_index(system: System, ledger: DynamoDbLedger) -> dict[str, str]:
    """SHA-256 of each document's text that readers find, by key; each is one chunk."""
    index = LiveIndex(SqliteIndex(system.state_dir / "index"), ledger)
    query = LegQuery(text=None, vector=array("f", [1.0] + [0.0] * 383), depth=2_000)
    hits = index.retrieve(query, Scope(tenant=TENANT), "g1").semantic
    assert len({hit.chunk.key for hit in hits}) == len(hits)
    return {hit.chunk.key: hashlib.sha256(hit.chunk.text.encode()).hexdigest() for hit in hits}


def open_rows(ledger: DynamoDbLedger) -> list[DocumentRecord]:
    keys = [DocumentKey(TENANT, f"{number}.txt") for number in range(KEYS)]
    rows = [ledger.get(TENANT, key.document_id) for key in keys]
    return [row for row in rows if row is not None and not row.state.is_final]


def the_index_is_that_of_the_bucket(bucket: Mapping[str, str], index: Mapping[str, str]) -> None:
    assert {key for key in bucket.keys() | index.keys() if bucket.get(key) != index.get(key)} == set()


def test_the_index_equals_the_bucket_after_many_kills(system: System) -> None:
    dynamodb = client(system, "dynamodb")
    ledger = DynamoDbLedger(table(dynamodb, "ledger"), table(dynamodb, "tenants"), dynamodb)
    emulator = json.loads((system.state_dir / "processes" / "emulator.json").read_text())
    killer = Killer(emulator["identity"]["pid"], seed=1)
    killer.start()
    try:
        deliver(system, random.Random(1))
        eventually(lambda: killer.counts.total() >= KILLS or None, 600, f"{KILLS} kills")
    finally:
        killer.stop()

    def settled() -> bool | None:
        return True if not open_rows(ledger) and in_bucket(system) == in_index(system, ledger) else None

    with suppress(AssertionError):
        eventually(settled, SETTLED_WITHIN_S, "all documents are finished")

    assert killer.counts.total() >= KILLS
    bucket = in_bucket(system)
    the_index_is_that_of_the_bucket(bucket, in_index(system, ledger))
    assert len(bucket) > KEYS // 2
    dynamodb.close()


def test_an_index_with_one_old_text_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        the_index_is_that_of_the_bucket({"a": "new", "b": "same"}, {"a": "old", "b": "same"})
