"""Bad searches and bad questions are refused with a problem that names what is wrong."""

import json
from typing import Any

import pytest

from tests.fakes.gateway import Answer
from tests.unit.search.system import System

DEEP_FILTER: dict[str, Any] = {"operator": "AND", "conditions": []}
for _ in range(9):
    DEEP_FILTER = {"operator": "AND", "conditions": [DEEP_FILTER]}

BAD_SEARCHES: list[tuple[object, str]] = [
    ({"query": ""}, "empty_query"),
    ({"query": " \n\t "}, "empty_query"),
    ({"query": "\u0000"}, "empty_query"),
    ({"query": "\u0007\u200b \u202e\ufeff\u00ad"}, "empty_query"),
    ({"query": "\u200d \u200c"}, "empty_query"),
    ({"query": "x" * 5_001}, "query_too_long"),
    ({"query": "\ud800"}, "invalid_request"),
    ({"query": 5}, "invalid_request"),
    ({"query": None}, "invalid_request"),
    ({"query": ["a"]}, "invalid_request"),
    ({}, "invalid_request"),
    ([], "invalid_request"),
    ("text", "invalid_request"),
    (None, "invalid_request"),
    ({"query": "a", "colour": "red"}, "invalid_request"),
    ({"query": "a", "tenant": "globex"}, "invalid_request"),
    ({"query": "a", "top_k": 0}, "top_k_out_of_range"),
    ({"query": "a", "top_k": -5}, "top_k_out_of_range"),
    ({"query": "a", "top_k": 101}, "top_k_out_of_range"),
    ({"query": "a", "top_k": 10**30}, "top_k_out_of_range"),
    ({"query": "a", "top_k": "5"}, "invalid_request"),
    ({"query": "a", "top_k": True}, "invalid_request"),
    ({"query": "a", "top_k": 2.5}, "invalid_request"),
    ({"query": "a", "mode": "psychic"}, "invalid_request"),
    ({"query": "a", "mode": 1}, "invalid_request"),
    ({"query": "a", "filters": "all"}, "invalid_filter"),
    ({"query": "a", "filters": []}, "invalid_filter"),
    ({"query": "a", "filters": {"field": "meta.x", "operator": "~", "value": 1}}, "invalid_filter"),
    ({"query": "a", "filters": {"field": "tenant;--", "operator": "==", "value": 1}}, "invalid_filter"),
    ({"query": "a", "filters": {"field": "tenant", "operator": "==", "value": "globex"}}, "invalid_filter"),
    ({"query": "a", "filters": {"field": "kye", "operator": "==", "value": "a"}}, "invalid_filter"),
    ({"query": "a", "filters": {"field": "meta.x", "operator": "==", "value": "\ud800"}}, "invalid_filter"),
    ({"query": "a", "filters": {"operator": "XOR", "conditions": []}}, "invalid_filter"),
    ({"query": "a", "filters": DEEP_FILTER}, "invalid_filter"),
]


def assert_problem(answer: Answer, status: int, code: str) -> None:
    assert answer.status == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["code"] == code
    assert answer.json()["request_id"] == "request-1"
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(("body", "code"), BAD_SEARCHES)
def test_a_bad_search_is_400(body: object, code: str) -> None:
    assert_problem(System().post("/v1/search", raw=json.dumps(body)), 400, code)


BAD_QUESTIONS: list[tuple[object, str]] = [
    ({"text": ""}, "empty_query"),
    ({"text": "\u0000"}, "empty_query"),
    ({"text": "x" * 5_001}, "query_too_long"),
    ({}, "invalid_request"),
    ({"query": "a"}, "invalid_request"),
    ({"text": "a", "top_k": 101}, "top_k_out_of_range"),
    ({"text": "a", "max_iterations": 0}, "invalid_request"),
    ({"text": "a", "max_iterations": "10"}, "invalid_request"),
    ({"text": "a", "timeout": 0}, "invalid_request"),
    ({"text": "a", "timeout": -1}, "invalid_request"),
    ({"text": "a", "timeout": "5"}, "invalid_request"),
    ({"text": "a", "timeout": float("nan")}, "invalid_request"),
    ({"text": "a", "timeout": float("inf")}, "invalid_request"),
    ({"text": "a", "filters": {"field": "x"}}, "invalid_filter"),
]


@pytest.mark.parametrize(("body", "code"), BAD_QUESTIONS)
def test_a_bad_question_is_400(body: object, code: str) -> None:
    assert_problem(System().post("/v1/query", raw=json.dumps(body)), 400, code)


@pytest.mark.parametrize(
    "raw", ["{", "", "nonsense", '{"query": "a"', "[" * 100_000, '{"query": ' + "9" * 9_999]
)
def test_bad_json_is_400(raw: str) -> None:
    answer = System().post("/v1/search", raw=raw)

    assert answer.status == 400
    assert answer.json()["code"] in {"invalid_json", "invalid_request"}


def test_a_body_over_256_kb_is_413() -> None:
    answer = System().post("/v1/search", {"query": "a", "x": "y" * 262_144})

    assert_problem(answer, 413, "body_too_large")
