"""Finding a request: ids that are unknown, lines that come late, and the newest failure."""

import json
from pathlib import Path

import pytest

from tests.fakes.ops import HandClock, remarked, shown
from tests.unit.ops.trace_lines import ACCESS, ID, NOW_S, access_line, group_of, hop_line, put, trace

pytestmark = pytest.mark.usefixtures("aws")


def test_an_unknown_request_says_what_to_check(state_dir: Path) -> None:
    put(ACCESS, access_line(requestId="other"))

    code, world = trace(state_dir, ID, "--wait", "0")

    assert (code, shown(world)) == (1, "")
    assert remarked(world).startswith(
        "request_unknown: Nothing was logged of request-1 in the last 60 minutes"
    )


def test_a_stage_without_access_log_is_said(state_dir: Path) -> None:
    _, unknown = trace(state_dir, ID, "--wait", "0")
    put(group_of("search"), hop_line("function"))
    code, known = trace(state_dir, ID, "--wait", "0", "--json")

    assert f"This stage has no access log {ACCESS}." in remarked(unknown)
    document = json.loads(shown(known))
    assert (code, document["is_whole"], document["gateway"]) == (0, False, None)
    assert ACCESS in document["missing_groups"]


def test_late_lines_are_waited_for(state_dir: Path) -> None:
    put(ACCESS, access_line())
    clock = HandClock(
        on_sleep=lambda: put(group_of("search"), hop_line("function"), ago_s=clock.time_s - NOW_S)
    )

    _, world = trace(state_dir, ID, "--json", clock=clock)

    assert json.loads(shown(world))["is_whole"]
    assert clock.time_s == NOW_S + 1.0


def test_the_wait_ends(state_dir: Path) -> None:
    put(ACCESS, access_line())
    clock = HandClock()

    _, world = trace(state_dir, ID, "--wait", "3", clock=clock)

    assert clock.time_s == NOW_S + 3.0
    assert remarked(world).startswith("Lines are missing")


def test_the_newest_failure_is_found(state_dir: Path) -> None:
    put(ACCESS, access_line(status="503", requestId="old"), ago_s=1_000)
    put(ACCESS, access_line(status="503", requestId="newest"), ago_s=500)
    put(ACCESS, access_line(status="429", requestId="refused"), ago_s=10)

    _, failed = trace(state_dir, "--last-failed", "--json", "--wait", "0")
    _, refused = trace(state_dir, "--last-failed", "--json", "--wait", "0", "--minutes", "5")
    code, none = trace(state_dir, "--last-failed", "--minutes", "0.1")

    assert json.loads(shown(failed))["request_id"] == "newest"
    assert json.loads(shown(refused))["request_id"] == "refused"
    assert code == 1
    assert remarked(none).startswith("none_failed: No request failed in the last 0.1 minutes")


@pytest.mark.parametrize("arguments", [[], [ID, "--last-failed"]])
def test_an_id_or_the_last_failure_is_asked_for(state_dir: Path, arguments: list[str]) -> None:
    code, world = trace(state_dir, *arguments)

    assert code == 2
    assert remarked(world).startswith("request_missing")


@pytest.mark.parametrize("arguments", [['x"'], [ID, "--wait", "nan"], [ID, "--wait", "601"]])
def test_what_cannot_be_is_refused(
    state_dir: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        trace(state_dir, *arguments)

    assert caught.value.code == 2
    assert capsys.readouterr().err
