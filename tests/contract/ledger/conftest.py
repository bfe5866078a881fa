from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.ports import Ledger

from tests.contract.ledger.dynamodb_local import NotHere, missing, running
from tests.contract.ledger.tables import LEDGER, TENANTS, create_tables, dynamodb
from tests.fakes.identity import ManualClock
from tests.fakes.ingestion import MemoryLedger


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The port's promises hold for every ledger, those of the adapter on both emulations of DynamoDB."""
    if "backend" in metafunc.fixturenames:
        memory = ["memory"] if "ledger" in metafunc.fixturenames else []
        emulations = getattr(metafunc.module, "BACKENDS", ("moto", "dynamodb-local"))
        metafunc.parametrize("backend", [*memory, *emulations])


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[str]:
    """The address of AWS's own DynamoDB for one machine."""
    with ExitStack() as stack:
        try:
            address = stack.enter_context(running())
        except NotHere as fault:
            missing(fault)
        yield address


@pytest.fixture
def client(backend: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    if backend == "moto":
        with dynamodb() as made:
            yield made
        return
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", request.getfixturevalue("dynamodb_local"))
    # A busy machine takes its time, and a table that is asked for twice is an error.
    patient = make_client("dynamodb", read_timeout_s=60, attempts=1)
    for table in patient.list_tables()["TableNames"]:
        patient.delete_table(TableName=table)
    create_tables(patient)
    patient.close()
    made = make_client("dynamodb")
    yield made
    made.close()


@pytest.fixture
def dynamodb_ledger(client: Any, clock: ManualClock) -> DynamoDbLedger:
    return DynamoDbLedger(LEDGER, TENANTS, client, now=clock.now, sleep=clock.advance)


@pytest.fixture
def ledger(backend: str, request: pytest.FixtureRequest, clock: ManualClock) -> Ledger:
    if backend == "memory":
        return MemoryLedger(clock)
    made: Ledger = request.getfixturevalue("dynamodb_ledger")
    return made
