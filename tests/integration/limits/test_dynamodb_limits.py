"""The login limit on a DynamoDB in a process of its own: exact across processes."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.integration.limits.parallel import Worker, admitted_in_parallel
from tests.integration.limits.workers import TOKENS, try_dynamodb, try_dynamodb_without_condition
from tests.integration.local.running_emulator import RunningEmulator, free_port


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    state = tmp_path_factory.mktemp("emulator")
    port = free_port()
    environment = {
        **os.environ,
        "HAYLIFT_EMULATOR_PORT": str(port),
        "HAYLIFT_EMULATOR_STATE": str(state),
    }
    with (state / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.emulator"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    running = RunningEmulator(port, process.pid)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def address(emulator: RunningEmulator) -> Iterator[str]:
    client = emulator.client("dynamodb")
    client.create_table(
        TableName=TOKENS,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "token_hash", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "token_hash", "KeyType": "HASH"}],
    )
    yield emulator.url
    client.delete_table(TableName=TOKENS)


def assert_exactly_ten_of_100(worker: Worker, address: str) -> None:
    assert admitted_in_parallel(worker, address, tries_each=25) == 10


def test_of_100_tries_of_four_processes_10_are_let_in(address: str) -> None:
    assert_exactly_ten_of_100(try_dynamodb, address)


def test_a_limiter_that_overwrites_lets_more_in(address: str) -> None:
    with pytest.raises(AssertionError):
        assert_exactly_ten_of_100(try_dynamodb_without_condition, address)
