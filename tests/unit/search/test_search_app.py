"""The HTTP face: shapes of answers, stated errors, and what strangers may see."""

from typing import Any

import pytest
from haylift.domain.errors import DeadlineExceeded, IndexUnavailable, ModelUnavailable
from haylift.settings import SettingsError

from functions.search.contract import ROUTES, Settings
from functions.search.handler import build
from tests.fakes.gateway import Gateway
from tests.fakes.search import FakeModels, FaultyIndex
from tests.unit.search.system import HARBOUR, System


def test_the_routes_are_those_of_the_contract() -> None:
    served = {
        (method, route.path)
        for route in System().app.routes
        for method in getattr(route, "methods", set()) - {"HEAD"}
    }

    assert served == {(route.method, route.path) for route in ROUTES}


def test_a_search_answers_with_chunks() -> None:
    answer = System().post("/v1/search", {"query": "  lost key  ", "top_k": 3})

    assert answer.status == 200
    body = answer.json()
    assert body.pop("took_ms") >= 0
    assert body == {
        "results": [
            {
                "document_id": HARBOUR.document_id,
                "key": "documents/acme/harbour.md",
                "title": "Harbour handbook",
                "text": "The office opens at seven. A lost key costs twelve euros.",
                "score": 1.0,
                "page": 4,
                "heading": "Lost keys",
                "slide": None,
                "sheet": None,
                "start_char": None,
                "end_char": None,
                "meta": {"lang": "en"},
            }
        ],
        "from_cache": False,
        "cache_level": None,
        "degraded": False,
        "degraded_reason": None,
        "request_id": "request-1",
    }


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("lost\u0000 key\u0007", "lost key"),
        ("\ufefflost\u200b key", "lost key"),
        ("lost\n\tkey", "lost\n\tkey"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
    ],
)
def test_characters_that_say_nothing_are_left_out_of_a_query(text: str, read: str) -> None:
    system = System()

    system.post("/v1/search", {"query": text})

    assert system.models.queries == [read]


def test_a_repeated_search_says_where_it_came_from() -> None:
    system = System()
    system.post("/v1/search", {"query": "lost key"})

    body = system.post("/v1/search", {"query": "lost key"}).json()

    assert (body["from_cache"], body["cache_level"]) == (True, "l1")


def test_without_embeddings_the_answer_is_flagged() -> None:
    system = System(models=FakeModels(fault=ModelUnavailable("away")))

    body = system.post("/v1/search", {"query": "lost key"}).json()

    assert (body["degraded"], body["degraded_reason"]) == (True, "no_embeddings")
    assert len(body["results"]) == 1


def test_a_semantic_search_without_embeddings_is_503() -> None:
    system = System(models=FakeModels(fault=ModelUnavailable("away")))

    answer = system.post("/v1/search", {"query": "lost key", "mode": "semantic"})

    assert (answer.status, answer.json()["code"]) == (503, "model_unavailable")
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/search", {"query": "key"}), ("/v1/query", {"text": "Which key?"})]
)
def test_without_index_nothing_is_answered(path: str, body: dict[str, Any]) -> None:
    answer = System(index=FaultyIndex(fault=IndexUnavailable("gone"))).post(path, body)

    assert (answer.status, answer.json()["code"]) == (503, "index_unavailable")


def test_filters_narrow() -> None:
    other = {"field": "meta.lang", "operator": "==", "value": "de"}

    assert System().post("/v1/search", {"query": "key", "filters": other}).json()["results"] == []


def test_a_question_is_answered_with_the_guides_names() -> None:
    answer = System().post("/v1/query", {"text": "a lost key costs", "max_iterations": 99, "timeout": 30})

    assert answer.status == 200
    body = answer.json()
    assert body.pop("execution_time") >= 0
    assert body == {
        "query": "a lost key costs",
        "response": "A lost key costs twelve euros.",
        "citations": [
            {
                "document_id": HARBOUR.document_id,
                "key": "documents/acme/harbour.md",
                "title": "Harbour handbook",
                "quote": "A lost key costs twelve euros.",
                "page": 4,
                "heading": "Lost keys",
                "slide": None,
                "sheet": None,
                "start_char": None,
                "end_char": None,
                "score": 1.0,
            }
        ],
        "success": True,
        "iteration_count": 1,
        "from_cache": False,
        "cache_level": None,
        "degraded": False,
        "degraded_reason": None,
        "request_id": "request-1",
    }


def test_a_question_without_answer_succeeds_in_saying_so() -> None:
    body = System().post("/v1/query", {"text": "Which enzyme phosphorylates glycogen?"}).json()

    assert (body["success"], body["citations"]) == (False, [])


def test_a_question_that_takes_too_long_is_408() -> None:
    system = System(models=FakeModels(rerank_fault=DeadlineExceeded("slow")))

    answer = system.post("/v1/query", {"text": "Which key?", "timeout": 1e-9})

    assert (answer.status, answer.json()["code"]) == (408, "query_timeout")


@pytest.mark.parametrize("path", ["/v1/search", "/v1/query"])
def test_without_a_token_nothing_is_searched(path: str) -> None:
    answer = Gateway(System().app, None).request("POST", path, {"query": "a", "text": "a"})

    assert answer.status in {400, 401}
    assert "results" not in answer.text


def test_another_index_than_sqlite_refuses_to_start() -> None:
    settings = Settings(
        stage="dev",
        index_store="opensearch",
        index_location="https://index",
        cache_endpoint="cache:6379",
        cache_tls=True,
        ledger_table="ledger",
        tenants_table="tenants",
        embed_endpoint="embed",
        embed_model="bge",
        feedback_table="feedback",
    )

    with pytest.raises(SettingsError, match="deploy with stage local"):
        build(settings)
