"""Nothing of a local system can be reached from another machine."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import pytest

from local import system as local_system
from local.layout import Layout
from local.ports import free_ports
from local.services import services
from local.supervisor import running_in_session
from tests.integration.local.checks import PROBE
from tests.integration.local.running_emulator import RunningEmulator

LISTENING = "0A"
LISTEN_EVERYWHERE = """
import socket
with socket.create_server(("0.0.0.0", 0)):
    print("listening", flush=True)
    input()
"""


def listening_addresses(pids: Iterable[int]) -> set[str]:
    """The addresses at which processes wait for TCP connections."""
    links = [
        link
        for pid in pids
        for descriptor in Path(f"/proc/{pid}/fd").glob("*")
        for link in _link(descriptor)
        if link.startswith("socket:")
    ]
    inodes = {link.removeprefix("socket:[").removesuffix("]") for link in links}
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]
    ]
    return {_address(words[1]) for words in lines if words[3] == LISTENING and words[9] in inodes}


def _link(descriptor: Path) -> list[str]:
    with suppress(OSError):
        return [os.readlink(descriptor)]  # noqa: PTH115  # socket:[inode] is no path
    return []


def _address(local: str) -> str:
    """The address in `ADDRESS:PORT` of /proc/net/tcp: hexadecimal words in this machine's byte order."""
    raw = bytes.fromhex(local.partition(":")[0])
    words = [raw[start : start + 4] for start in range(0, len(raw), 4)]
    ordered = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    family = socket.AF_INET if len(ordered) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, ordered)


def check_loopback_only(pids: Iterable[int]) -> None:
    """The processes listen, and nowhere but on this machine; AssertionError otherwise."""
    addresses = listening_addresses(pids)
    assert addresses
    assert {a for a in addresses if not ip_address(a).is_loopback} == set()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """The pids of all services of a system, as `up` starts them."""
    layout, ports = Layout(tmp_path_factory.mktemp("listening") / "system"), free_ports()
    try:
        local_system.start(layout, ports)
        leaders = [service.process.identity() for service in services(layout, ports)]
        yield [pid for leader in leaders if leader for pid in running_in_session(leader.pid)]
    finally:
        local_system.stop(layout, ports)


def test_every_service_listens_on_loopback_alone(whole: list[int]) -> None:
    assert len(whole) >= 4
    check_loopback_only(whole)


def test_functions_listen_nowhere_but_on_loopback(system: RunningEmulator) -> None:
    worker = system.invoke(PROBE, {})["pid"]

    assert listening_addresses([worker]) == set()
    check_loopback_only([system.pid])


def test_a_process_that_listens_everywhere_is_found_out() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN_EVERYWHERE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()

        with pytest.raises(AssertionError):
            check_loopback_only([process.pid])

        process.communicate("\n", timeout=10)
