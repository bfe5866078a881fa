"""`ops trace` over what requests really leave in CloudWatch Logs."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from haylift.domain.errors import IndexUnavailable, ModelUnavailable
from haylift.tracing import Hop

from ops.trace_log import FUNCTIONS
from ops.trace_words import RUNBOOK_BY_CODE, RUNBOOK_BY_HOP, SEARCH_FAILED, THROTTLED
from tests.fakes.ops import remarked, shown
from tests.fakes.search import FakeModels, FaultyIndex
from tests.unit.ops.trace_lines import (
    ACCESS,
    ID,
    NOW_S,
    access_line,
    group_of,
    hop_line,
    put,
    refused_line,
    trace,
)
from tests.unit.search.system import System
from tests.unit.trace.lines import written

pytestmark = pytest.mark.usefixtures("aws")

ROOT = Path(__file__).parents[3]


def searched(system: System) -> list[str]:
    """What the search function writes about one search."""
    with written() as lines:
        system.post("/v1/search", {"query": "lost key"})
    return lines.text.splitlines()


def traced(state_dir: Path, *arguments: str) -> dict[str, Any]:
    code, world = trace(state_dir, ID, "--json", *arguments)
    assert code == 0, remarked(world)
    document: dict[str, Any] = json.loads(shown(world))
    return document


def names(node: Mapping[str, Any]) -> list[Any]:
    """The tree as nested lists of names."""
    return [node["hop"], *(names(child) for child in node["children"])]


def test_a_search_is_shown_as_its_tree(state_dir: Path) -> None:
    put(ACCESS, access_line())
    put(
        group_of("authorizer"),
        hop_line("keys", started_at=NOW_S + 0.001, depth=1),
        hop_line("tables", started_at=NOW_S + 0.005, depth=1, table="users"),
        hop_line("authorizer", verdict="admitted"),
    )
    put(group_of("search"), "START RequestId: 77", *searched(System()))

    document = traced(state_dir)

    assert [name for name in names(document["tree"]) if name != ["rate_limit"]] == [
        "gateway",
        ["authorizer", ["keys"], ["tables"]],
        [
            "function",
            *([["rate_limit"]] if "rate_limit" in str(names(document["tree"])) else []),
            ["cache", ["tables"]],
            ["embedding"],
            ["index"],
        ],
    ]
    assert (document["is_whole"], document["verdict"]["kind"]) == (True, "ok")


type Case = tuple[System, str, str, str, str]

FAULTS: dict[str, Case] = {
    "index": (
        System(index=FaultyIndex(fault=IndexUnavailable("x"))),
        "503",
        "failed",
        "index",
        "index-unhealthy",
    ),
    "model": (
        System(models=FakeModels(fault=ModelUnavailable("x"))),
        "200",
        "degraded",
        "embedding",
        "model-endpoint-failing",
    ),
}


def the_fault_is_named(state_dir: Path, case: Case, logged: Callable[[list[str]], list[str]] = list) -> None:
    system, status, kind, hop, runbook = case
    put(ACCESS, access_line(status=status, integrationStatus=status))
    put(group_of("search"), *logged(searched(system)))

    verdict = traced(state_dir)["verdict"]

    assert (verdict["kind"], verdict["hop"]) == (kind, hop)
    assert verdict["runbook"] == f"docs/runbooks/{runbook}.md"


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_named(state_dir: Path, name: str) -> None:
    the_fault_is_named(state_dir, FAULTS[name])


@pytest.mark.parametrize("name", FAULTS)
def test_without_the_line_of_the_hop_the_same_check_fails(state_dir: Path, name: str) -> None:
    hop = FAULTS[name][3]

    with pytest.raises(AssertionError):
        the_fault_is_named(
            state_dir, FAULTS[name], lambda lines: [line for line in lines if f'"hop":"{hop}"' not in line]
        )


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (403, "ACCESS_DENIED", "does not open this route"),
        (404, "MISSING_AUTHENTICATION_TOKEN", "no such route"),
        (413, "REQUEST_TOO_LARGE", "larger than the gateway takes"),
        (429, "THROTTLED", "more requests than it may take"),
    ],
)
def test_what_the_gateway_answered_itself_is_its_own(
    state_dir: Path, status: int, kind: str, words: str
) -> None:
    put(ACCESS, refused_line(status, kind))

    document = traced(state_dir)

    assert (document["verdict"]["kind"], document["verdict"]["hop"]) == ("refused", "gateway")
    assert words in document["verdict"]["words"]
    assert document["is_whole"]


def test_a_throttled_request_has_a_runbook_and_a_wrong_one_has_none(state_dir: Path) -> None:
    put(ACCESS, refused_line(429, "THROTTLED"), refused_line(404, "RESOURCE_NOT_FOUND", requestId="other"))

    assert traced(state_dir)["verdict"]["runbook"] == "docs/runbooks/functions-throttled.md"
    _, world = trace(state_dir, "other", "--json")
    assert json.loads(shown(world))["verdict"]["runbook"] == ""


def test_a_refusal_of_the_authorizer_has_its_reason(state_dir: Path) -> None:
    put(ACCESS, refused_line(401, "UNAUTHORIZED"))
    refusal: dict[str, Any] = {
        "verdict": "refused",
        "reason": "The token is not valid (user changed): log in again.",
    }
    put(group_of("authorizer"), hop_line("authorizer", outcome="unauthorized", **refusal))

    verdict = traced(state_dir)["verdict"]

    assert (verdict["kind"], verdict["hop"]) == ("refused", "authorizer")
    assert verdict["words"] == (
        "the token was refused (The token is not valid (user changed): log in again.)"
    )


def test_an_authorizer_without_its_table_is_our_fault(state_dir: Path) -> None:
    put(ACCESS, refused_line(503, "AUTHORIZER_FAILURE"))
    put(
        group_of("authorizer"),
        hop_line("tables", depth=1, outcome="store_unavailable", started_at=NOW_S + 0.1),
        hop_line("authorizer", outcome="store_unavailable"),
    )

    verdict = traced(state_dir)["verdict"]

    assert (verdict["kind"], verdict["hop"], verdict["code"]) == ("failed", "tables", "store_unavailable")


def test_a_function_that_was_ended_shows_its_hops_so_far(state_dir: Path) -> None:
    put(ACCESS, access_line(status="504", errorType="INTEGRATION_TIMEOUT", integrationStatus="-"))
    put(group_of("search"), hop_line("cache", depth=1), "2026-11-23 Task timed out after 30.00 seconds")

    document = traced(state_dir, "--wait", "0")

    assert names(document["tree"]) == ["gateway", ["function", ["cache"]]]
    assert (document["verdict"]["hop"], document["verdict"]["code"]) == ("function", "unfinished")
    assert document["remarks"] == [
        "search: Task timed out (Lambda's own line, about this or another request)"
    ]


def test_the_time_in_the_endpoint_and_in_the_legs_is_their_own(state_dir: Path) -> None:
    put(ACCESS, access_line())
    put(
        group_of("search"),
        hop_line("embedding", depth=1, queued_ms=1.5, model_ms=2.0),
        hop_line("index", depth=1, started_at=NOW_S + 1, keyword_ms=0.5, semantic_ms=0.25),
        hop_line("function", started_at=NOW_S - 1),
    )

    document = traced(state_dir)

    legs = ["index", ["keyword"], ["semantic"]]
    assert names(document["tree"]) == ["gateway", ["function", ["embedding", ["endpoint"]], legs]]
    assert (document["verdict"]["hop"], document["verdict"]["own_ms"]) == ("gateway", 116.0)


def test_what_functions_warned_of_is_shown_and_cannot_move_the_cursor(state_dir: Path) -> None:
    put(ACCESS, access_line())
    warning = {
        "level": "WARNING",
        "message": "model call failed\x1b[31m",
        "outcome": "timeout",
        "request_id": ID,
    }
    put(group_of("search"), json.dumps(warning), hop_line("function"))

    code, world = trace(state_dir, ID)

    assert code == 0
    assert "logged: search: model call failed[31m (outcome timeout)" in shown(world)
    assert shown(world).splitlines()[-1].startswith("ok: most of the time")


def test_every_function_behind_the_api_is_read() -> None:
    folders = {contract.parent.name for contract in ROOT.glob("functions/*/contract.py")}
    behind = {name for name in folders if "ROUTES" in (ROOT / "functions" / name / "contract.py").read_text()}

    assert set(FUNCTIONS) == behind | {"authorizer"}


def test_every_runbook_that_a_trace_names_exists() -> None:
    named = {*RUNBOOK_BY_HOP.values(), *RUNBOOK_BY_CODE.values(), SEARCH_FAILED, THROTTLED}

    assert [name for name in named if not (ROOT / "docs" / "runbooks" / f"{name}.md").exists()] == []


def test_every_hop_has_a_runbook() -> None:
    assert {hop.value for hop in Hop} - set(RUNBOOK_BY_HOP) == {"rate_limit"}


def test_the_start_of_a_function_is_not_the_gateways_time(state_dir: Path) -> None:
    put(ACCESS, access_line(responseLatency="3000", integrationLatency="20", authorizerLatency="2900"))
    put(group_of("authorizer"), hop_line("authorizer"))
    put(group_of("search"), hop_line("function"))

    document = traced(state_dir)

    assert names(document["tree"]) == ["gateway", ["start"], ["authorizer"], ["function"]]
    slowest = document["verdict"]
    assert (slowest["hop"], slowest["function"], slowest["own_ms"]) == ("start", "authorizer", 2896.0)
