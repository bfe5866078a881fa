"""Ports are free, stay the same, and a taken one is explained."""

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from local.faults import LocalFault
from local.ports import (
    HOST,
    Ports,
    are_free,
    choose_ports,
    default_ports,
    free_ports,
    keep_ports,
    require_free,
)


def test_a_taken_port_names_its_holder_and_the_variable_that_changes_it() -> None:
    with socket.create_server((HOST, 0)) as holder:
        port = holder.getsockname()[1]

        with pytest.raises(LocalFault) as raised:
            require_free(port, "emulator")

    assert f"Port {port}" in str(raised.value)
    assert f"pid {os.getpid()}" in str(raised.value)
    assert "HAYLIFT_EMULATOR_PORT=" in str(raised.value)


def test_a_free_port_is_accepted() -> None:
    with socket.create_server((HOST, 0)) as holder:
        port = holder.getsockname()[1]

    require_free(port, "emulator")


def test_the_environment_changes_a_port() -> None:
    assert default_ports({"HAYLIFT_CACHE_PORT": "7000"}) == Ports(cache=7000)


@pytest.mark.parametrize("text", ["", "http", "0", "65536", "-1"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(LocalFault, match="HAYLIFT_MODEL_PORT"):
        default_ports({"HAYLIFT_MODEL_PORT": text})


@pytest.mark.parametrize("mode", ["free", "default"])
def test_free_ports_differ_and_are_kept(tmp_path: Path, mode: str) -> None:
    first = choose_ports("free", tmp_path / "ports.json", {})
    keep_ports(first, tmp_path / "ports.json")
    again = choose_ports(mode, tmp_path / "ports.json", {})

    numbers = [first.emulator, first.cache, first.cache_bus, first.model, first.runtime]
    assert len(set(numbers)) == 5
    assert again == first


def test_a_failed_try_keeps_no_ports(tmp_path: Path) -> None:
    choose_ports("default", tmp_path / "ports.json", {})

    assert choose_ports("free", tmp_path / "ports.json", {}) != Ports()


def test_the_environment_comes_before_kept_ports(tmp_path: Path) -> None:
    keep_ports(Ports(cache=7001), tmp_path / "ports.json")

    chosen = choose_ports("default", tmp_path / "ports.json", {"HAYLIFT_MODEL_PORT": "7002"})

    assert chosen == Ports(cache=7001, model=7002)


def test_a_taken_port_is_seen(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as holder:
        assert not are_free(replace(free_ports(), cache=holder.getsockname()[1]))
    assert are_free(free_ports())
