"""What the last line of `ops trace` names: who refused, what was given up, where the time went."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.ops import shown
from tests.unit.ops.test_trace import searched, traced
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

pytestmark = pytest.mark.usefixtures("aws")


def no_hop_is_longer_than_its_parent(node: Mapping[str, Any]) -> None:
    for child in node["children"]:
        assert (child["duration_ms"] or 0.0) <= (node["duration_ms"] or 0.0)
        no_hop_is_longer_than_its_parent(child)


def test_calls_that_overlap_are_a_sum_and_no_longer_than_their_hop(state_dir: Path) -> None:
    put(ACCESS, access_line(responseLatency="7", integrationLatency="6", authorizerLatency="0"))
    put(
        group_of("search"),
        hop_line("rerank", depth=1, queued_ms=1.5, model_ms=395.1, calls=8),
        hop_line("function", started_at=NOW_S - 1),
    )

    document = traced(state_dir)

    rerank = document["tree"]["children"][0]["children"][0]
    assert rerank["children"][0]["facts"] == {"queued_ms": 1.5, "model_ms": 395.1, "sum_over_calls": 8}
    assert document["verdict"]["hop"] == "rerank"
    no_hop_is_longer_than_its_parent(document["tree"])


def test_a_sum_taken_for_a_time_fails_the_same_check() -> None:
    endpoint = {"duration_ms": 396.6, "children": []}

    with pytest.raises(AssertionError):
        no_hop_is_longer_than_its_parent({"duration_ms": 323.9, "children": [endpoint]})


def test_a_degraded_question_names_what_was_given_up_and_where_the_time_went(state_dir: Path) -> None:
    put(ACCESS, access_line(responseLatency="17105", integrationLatency="17104", authorizerLatency="0"))
    rerank = json.loads(hop_line("rerank", depth=1, started_at=NOW_S + 1)) | {"duration_ms": 17_000.0}
    function = json.loads(hop_line("function", started_at=NOW_S - 1)) | {"duration_ms": 17_100.0}
    put(
        group_of("search"),
        hop_line("embedding", depth=1, outcome="timeout"),
        json.dumps(rerank),
        json.dumps(function),
    )

    _, world = trace(state_dir, ID)

    assert shown(world).splitlines()[-1] == (
        "degraded by embedding of search: the model endpoint took longer than this step waits for it "
        "[timeout]; most of the time, 17000 ms, went by in rerank of search; "
        "open docs/runbooks/model-endpoint-failing.md"
    )


def test_a_search_over_the_limit_is_refused_by_the_rate_limit(state_dir: Path) -> None:
    system = System(searches_per_minute=1)
    searched(system)
    put(ACCESS, access_line(status="429", integrationStatus="429"))
    put(group_of("search"), *searched(system))

    _, world = trace(state_dir, ID)

    assert shown(world).splitlines()[-1] == (
        "refused by the rate limit of search: the caller is over a rate limit [too_many_requests]"
    )


def test_a_refused_token_is_refused_by_the_authorizer(state_dir: Path) -> None:
    put(ACCESS, refused_line(401, "UNAUTHORIZED"))
    put(group_of("authorizer"), hop_line("authorizer", outcome="unauthorized"))

    _, world = trace(state_dir, ID)

    assert shown(world).splitlines()[-1] == "refused by the authorizer: the token was refused [unauthorized]"
