from collections.abc import Iterator
from typing import Any

import pytest
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.ports import Ledger

from tests.contract.ledger.tables import LEDGER, TENANTS, dynamodb
from tests.fakes.identity import ManualClock
from tests.fakes.ingestion import MemoryLedger


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with dynamodb() as made:
        yield made


@pytest.fixture
def dynamodb_ledger(client: Any, clock: ManualClock) -> DynamoDbLedger:
    return DynamoDbLedger(LEDGER, TENANTS, client, now=clock.now, sleep=clock.advance)


@pytest.fixture(params=["memory", "dynamodb"])
def ledger(request: pytest.FixtureRequest, clock: ManualClock) -> Ledger:
    if request.param == "memory":
        return MemoryLedger(clock)
    made: Ledger = request.getfixturevalue("dynamodb_ledger")
    return made
