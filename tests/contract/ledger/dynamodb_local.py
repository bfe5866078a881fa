"""AWS's own DynamoDB for one machine: its conditions, transactions and validation errors are the real ones.

It is fetched once, through Maven, into `.tools/`. Without Java, or without a way to fetch it, its tests are
skipped with the reason; under `CI=true` they must run.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

VERSION = "2.6.0"
FOLDER = Path(__file__).parents[3] / ".tools" / "dynamodb-local" / VERSION
FETCH_LIMIT_S = 300
START_LIMIT_S = 60
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>haylift</groupId><artifactId>dynamodb-local</artifactId><version>1</version><packaging>pom</packaging>
<dependencies><dependency><groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId>
<version>{VERSION}</version></dependency></dependencies></project>
"""


class NotHere(Exception):
    """It cannot run on this machine; the text says why."""


def libraries() -> Path:
    """The folder with its jars, fetched when it is not there yet."""
    for tool in ("java",) if (FOLDER / "lib").is_dir() else ("java", "mvn"):
        if shutil.which(tool) is None:
            raise NotHere(f"{tool} is not installed")
    if not (FOLDER / "lib").is_dir():
        _fetch()
    return FOLDER / "lib"


def _fetch() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as made:
        Path(made, "pom.xml").write_text(POM)
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"]
        try:
            subprocess.run(command, cwd=made, check=True, timeout=FETCH_LIMIT_S, capture_output=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as fault:
            raise NotHere(f"Maven did not bring DynamoDB Local {VERSION}: {fault}") from fault
        # Another test process may have been first.
        if not (FOLDER / "lib").is_dir():
            Path(made, "lib").rename(FOLDER / "lib")


@contextmanager
def running() -> Iterator[str]:
    """Its address, while it runs."""
    folder = libraries()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["java", "-Xmx256m", f"-Djava.library.path={folder}", "-cp", f"{folder}/*"]
    command += ["com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-inMemory", "-port", str(port)]
    quiet = {**os.environ, "DDB_LOCAL_TELEMETRY": "0"}
    # It leaves a file where it runs.
    with (
        tempfile.TemporaryDirectory() as own,
        subprocess.Popen(
            command, cwd=own, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process,
    ):
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError as fault:
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotHere(f"DynamoDB Local {VERSION} did not start") from fault
            time.sleep(0.1)


def missing(fault: NotHere) -> None:
    """Skips, unless this is the machine that must run everything."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(fault))
    pytest.skip(str(fault))
