"""What the page's own script does, run by Node over a small document."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.toolchain import NODE_BIN, ROOT

SCRIPT = ROOT / "functions" / "reference" / "page.js"


def use(password: str, script: Path = SCRIPT, logout: str = "done") -> dict[str, Any]:
    """Logs in at the page with `password` (`right` is right) and out again (`refused`: by a 503)."""
    command = [NODE_BIN / "node", Path(__file__).with_name("page_in_node.js"), script, password, logout]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return dict(json.loads(done.stdout))


def test_the_document_comes_from_beside_the_page_and_goes_nowhere_else() -> None:
    options = use("right")["options"]

    assert options == {"url": "https://host.test/api/openapi.json", "validatorUrl": None, "persists": False}


def test_the_form_logs_in_and_every_request_then_has_the_token() -> None:
    done = use("right")

    body = '{"username":"ada","password":"right"}'
    assert done["calls"][0] == ["POST", "https://host.test/api/v1/auth/login", body, None]
    assert done["authorized"] == [["token", "t1"]]
    assert done["state"] == "Logged in as ada for 15 minutes."
    assert (done["prevented"], done["password"]) == (True, "")


def test_logging_out_ends_the_session() -> None:
    done = use("right")

    body = '{"refresh_token":"r1"}'
    assert done["calls"][1] == ["POST", "https://host.test/api/v1/auth/logout", body, "Bearer t1"]
    assert done["loggedOut"] == [["token"]]
    assert done["end"] == {"state": "Logged out.", "failed": False, "mayLogOut": False}


def a_refused_logout_is_told(script: Path) -> None:
    """The check: who is not logged out reads so, and may try again."""
    done = use("right", script, "refused")

    told = "Not logged out: The tokens table does not answer."
    assert done["end"] == {"state": told, "failed": True, "mayLogOut": True}
    assert done["loggedOut"] == []


def test_a_refused_logout_is_told() -> None:
    a_refused_logout_is_told(SCRIPT)


def test_a_page_that_always_says_logged_out_fails_the_same_check(tmp_path: Path) -> None:
    broken = tmp_path / "page.js"
    before, _, after = SCRIPT.read_text().rpartition("if (!answer.ok)")
    broken.write_text(f"{before}if (false){after}")

    with pytest.raises(AssertionError):
        a_refused_logout_is_told(broken)


def test_a_wrong_password_says_so_and_authorizes_nothing() -> None:
    done = use("wrong")

    assert (done["state"], done["failed"]) == ("User name or password is wrong.", True)
    assert (done["authorized"], done["loggedOut"]) == ([], [])


def test_a_script_that_keeps_the_token_to_itself_would_be_seen(tmp_path: Path) -> None:
    broken = tmp_path / "page.js"
    broken.write_text(SCRIPT.read_text().replace("ui.preauthorizeApiKey(SCHEME, session.access);", ""))

    assert use("right", broken)["authorized"] == []
