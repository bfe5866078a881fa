"""One emulator with the fixture app, for all conformance tests."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.toolchain import NODE_BIN

# The CDK library runs Node; this one comes with the Python packages.
os.environ["PATH"] = f"{NODE_BIN}{os.pathsep}{os.environ['PATH']}"

pytest.register_assert_rewrite(
    "tests.integration.local.checks", "tests.integration.local.checks_monitoring",
    "tests.integration.local.checks_logs",
    "tests.integration.local.checks_locks",
    "tests.integration.local.running_emulator",
)  # fmt: skip

from tests.integration.local.running_emulator import RunningEmulator, free_port  # noqa: E402


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """A running emulator whose patches can be switched, with nothing deployed."""
    state = tmp_path_factory.mktemp("emulator")
    port = free_port()
    settings = {
        "PORT": port, "STATE": state, "SWITCHES": 1, "ALARM_PERIOD_S": 0.3, "QUEUE_METRICS_PERIOD_S": 0.3,
        "MINUTE_S": 3,
    }  # fmt: skip
    environment = {**os.environ, **{f"HAYLIFT_EMULATOR_{k}": str(v) for k, v in settings.items()}}
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
    assert (state / "clean-stop").exists()


@pytest.fixture(scope="session")
def system(emulator: RunningEmulator) -> RunningEmulator:
    """The emulator with the fixture app deployed."""
    from tests.integration.local import fixture_app  # noqa: PLC0415

    emulator.deploy(fixture_app.STACK, fixture_app.template())
    return emulator
