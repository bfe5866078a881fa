"""The printed lines are shell lines that mean what they say."""

import json
import shlex
from pathlib import Path

from local.layout import DEFAULT_STATE, Layout
from local.outputs import lines_to_paste
from local.seeding import User

USERS = [User("acme-admin", "a", "acme", "admin"), User("acme-reader", "it's $HOME", "acme", "reader")]


def test_bodies_of_the_curl_lines_are_the_json_that_the_api_takes() -> None:
    lines = lines_to_paste("http://127.0.0.1:1/api", USERS, Layout(DEFAULT_STATE))

    login, search, query = (json.loads(_argument(line, "-d")) for line in lines[1:4])
    assert login == {"username": "acme-reader", "password": "it's $HOME"}
    assert set(search) == {"query"}
    assert set(query) == {"text"}


def test_a_second_system_is_named_in_the_commands(tmp_path: Path) -> None:
    usual = lines_to_paste("http://127.0.0.1:1/api", USERS, Layout(DEFAULT_STATE))
    second = lines_to_paste("http://127.0.0.1:1/api", USERS, Layout(tmp_path))

    assert "--state-dir" not in usual[-1]
    assert second[-1].endswith(f"--state-dir {tmp_path}")


def _argument(line: str, option: str) -> str:
    words = shlex.split(line.replace("TOKEN=$(", "").replace(")", "", 1) if "TOKEN=$(" in line else line)
    return words[words.index(option) + 1]
