"""The process as a container starts it: serve, answer, drain, refuse."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from haylift_endpoint import probe
from haylift_endpoint.__main__ import main
from haylift_endpoint.inference import registry
from haylift_endpoint.publish import PROJECT

COMMAND = [sys.executable, "-m", "haylift_endpoint", "serve"]
MODEL = "bge-small-en-v1.5"


def environment(**settings: str) -> dict[str, str]:
    named = {f"HAYLIFT_ENDPOINT_{name}": value for name, value in settings.items()}
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("HAYLIFT_ENDPOINT_")
    }
    return {**inherited, "HAYLIFT_ENDPOINT_MODELS": MODEL, "HAYLIFT_ENDPOINT_INTRA_OP_THREADS": "1", **named}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def endpoint() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A real process with the real embedding model, answering `/ping`."""
    port = free_port()
    process = subprocess.Popen(
        COMMAND, env=environment(PORT=str(port)), cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    try:
        wait_until_it_answers(process, port)
        yield process, port
    finally:
        process.kill()
        process.communicate()


def wait_until_it_answers(process: subprocess.Popen[str], port: int) -> None:
    """Reads the log until the server says that it listens; the test's own time limit ends a hang."""
    assert process.stdout is not None
    for line in process.stdout:
        if f"http://127.0.0.1:{port}" in line:
            break
    assert probe.answers({"HAYLIFT_ENDPOINT_PORT": str(port)})


def test_sigterm_answers_what_was_accepted_and_ends_well(endpoint: tuple[subprocess.Popen[str], int]) -> None:
    process, port = endpoint
    url = f"http://127.0.0.1:{port}"
    body = {"input": ["a passage of some length " * 30] * 16}

    with ThreadPoolExecutor(1) as pool, httpx.Client(timeout=20) as other:
        answer = pool.submit(httpx.post, f"{url}/v1/embeddings", json=body, timeout=20)
        while (
            'queued_items{class="document",model="bge-small-en-v1.5"} 0.0' in other.get(f"{url}/metrics").text
        ):
            assert not answer.done(), "the request ended before it was seen waiting"
        process.send_signal(signal.SIGTERM)

        assert len(answer.result().json()["data"]) == 16
    assert process.wait(timeout=10) == 0
    assert not probe.answers({"HAYLIFT_ENDPOINT_PORT": str(port)})


def test_a_caller_who_hangs_up_leaves_the_line(endpoint: tuple[subprocess.Popen[str], int]) -> None:
    _, port = endpoint
    url = f"http://127.0.0.1:{port}"
    body = {"input": ["a passage of some length " * 80] * 64}

    async def hang_up() -> str:
        async with httpx.AsyncClient(timeout=20) as http:
            with pytest.raises(httpx.TimeoutException):
                await http.post(f"{url}/v1/embeddings", json=body, timeout=0.3)
            while True:
                text = (await http.get(f"{url}/metrics")).text
                if 'requests_total{outcome="cancelled"' in text:
                    return text

    text = asyncio.run(asyncio.wait_for(hang_up(), 40))

    assert 'queued_tokens{model="bge-small-en-v1.5"} 0.0' in text


def test_a_wrong_sha256_stops_the_start_and_says_so(tmp_path: Path) -> None:
    packaged = Path(registry.__file__).with_name("models.toml").read_text(encoding="utf-8")
    changed = tmp_path / "models.toml"
    changed.write_text(packaged.replace("68807e3f", "00000000"), encoding="utf-8")

    done = subprocess.run(
        COMMAND,
        env=environment(MODEL_REGISTRY=str(changed)),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith(f"haylift_endpoint cannot start: model '{MODEL}': sha256 of ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "settings", "reason"),
    [
        (["serve"], {"MAX_BATCH": "8"}, "unknown setting HAYLIFT_ENDPOINT_MAX_BATCH"),
        (["serve"], {"PORT": "x"}, "HAYLIFT_ENDPOINT_PORT"),
        ([], {}, "usage:"),
    ],
)
def test_what_cannot_start_says_why_in_one_line(
    arguments: list[str], settings: dict[str, str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(arguments, environment(**settings))

    said = capsys.readouterr().err
    assert status == 2
    assert reason in said
    assert said.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_becomes_the_user_for_good() -> None:
    code = (
        "import os; from haylift_endpoint.server import become_user; become_user(1000); "
        "print(os.getuid(), os.getgid(), os.getgroups())\n"
        "try: os.setuid(0)\nexcept PermissionError: print('for good')"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "1000 1000 []\nfor good\n"
