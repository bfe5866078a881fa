"""The HTTP face: shapes of answers, stated errors, and what strangers may see."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from haylift.domain.errors import DeadlineExceeded, IndexUnavailable, ModelUnavailable
from haylift.domain.identity import Principal, Role
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline
from haylift.services.answer import AnswerPolicy, AnswerService
from haylift.services.health import HealthService
from haylift.services.probes import system_probes
from haylift.services.query_cache import QueryCache
from haylift.services.search import SearchService
from haylift.settings import SettingsError

from functions.search.app import Services, create_app
from functions.search.contract import ROUTES, Settings
from functions.search.handler import build
from tests.fakes.cache import InMemorySharedCache, InMemoryTenants
from tests.fakes.gateway import Answer, Gateway, RecordedTelemetry, principal
from tests.fakes.search import FakeModels, FaultyIndex, chunk, filled_index

READER = principal(Role.READER)
HARBOUR = chunk(
    "The office opens at seven. A lost key costs twelve euros.",
    path="harbour.md",
    title="Harbour handbook",
    page=4,
    headings=("Harbour handbook", "Lost keys"),
    meta={"lang": "en"},
)
FOREIGN = chunk("A lost key of globex is secret.", path="secret.md", tenant="globex")


@dataclass
class System:
    """The application over fakes."""

    index: FaultyIndex = field(default_factory=lambda: filled_index(HARBOUR, FOREIGN))
    models: FakeModels = field(default_factory=FakeModels)
    shared: InMemorySharedCache = field(default_factory=InMemorySharedCache)
    ledger: InMemorySharedCache = field(default_factory=InMemorySharedCache)
    telemetry: RecordedTelemetry = field(default_factory=RecordedTelemetry)

    def __post_init__(self) -> None:
        cache = QueryCache(self.shared, InMemoryTenants())
        pipeline = HaystackQueryPipeline(query_pipeline(self.index, self.models))
        tenants = InMemoryTenants()
        probes = system_probes(self.index, self.shared, self.models, ledger=self.ledger, tenants=tenants)
        self.app = create_app(
            Services(
                search=SearchService(pipeline, cache, self.telemetry, model="bge"),
                answer=AnswerService(
                    pipeline,
                    self.models,
                    cache,
                    telemetry=self.telemetry,
                    model="bge",
                    policy=AnswerPolicy(threshold=0.5),
                ),
                health=HealthService(probes, resources=lambda: {"cpu": 95.0, "memory": 10.0}),
                telemetry=self.telemetry,
                query_timeout_s=25.0,
            )
        )

    def post(self, path: str, body: object = None, *, raw: str | None = None) -> Answer:
        return Gateway(self.app, READER).request("POST", path, body, raw=raw)

    def get(self, path: str, caller: Principal | None = None) -> Answer:
        return Gateway(self.app, caller).request("GET", path)


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
                "meta": {"lang": "en"},
            }
        ],
        "from_cache": False,
        "cache_level": None,
        "degraded": False,
        "degraded_reason": None,
        "request_id": "request-1",
    }


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


DEEP_FILTER: dict[str, Any] = {"operator": "AND", "conditions": []}
for _ in range(9):
    DEEP_FILTER = {"operator": "AND", "conditions": [DEEP_FILTER]}

BAD_SEARCHES: list[tuple[object, str]] = [
    ({"query": ""}, "empty_query"),
    ({"query": " \n\t "}, "empty_query"),
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


@pytest.mark.parametrize("path", ["/v1/search", "/v1/query"])
def test_without_a_token_nothing_is_searched(path: str) -> None:
    answer = Gateway(System().app, None).request("POST", path, {"query": "a", "text": "a"})

    assert answer.status in {400, 401}
    assert "results" not in answer.text


def test_strangers_and_readers_see_the_status_only() -> None:
    system = System()

    assert system.get("/health").json() == {"status": "healthy"}
    assert system.get("/health", READER).json() == {"status": "healthy"}


def test_admins_see_the_parts() -> None:
    body = System().get("/health", principal(Role.ADMIN)).json()

    assert body["status"] == "healthy"
    assert set(body) == {"status", "timestamp", "uptime", "version", "dependencies", "checks"}
    assert set(body["dependencies"]) == {"index", "tables", "cache", "model_endpoint"}
    assert body["checks"]["document_store"]["status"] == "healthy"
    assert body["checks"]["cpu"] == {"status": "warning", "used_percent": 95.0}
    assert body["checks"]["memory"] == {"status": "healthy", "used_percent": 10.0}


def test_health_without_cache_is_degraded_and_still_ready() -> None:
    system = System(shared=InMemorySharedCache(is_down=True))

    assert system.get("/health").json() == {"status": "degraded"}
    assert system.get("/ready").json() == {"status": "ready"}


def test_health_really_asks_the_model() -> None:
    system = System()

    system.get("/health")
    system.models.fault = ModelUnavailable("away")

    assert system.models.queries == ["health"]
    assert System(models=system.models).get("/health").json() == {"status": "degraded"}


def test_without_index_it_is_neither_healthy_nor_ready() -> None:
    system = System(index=FaultyIndex(fault=IndexUnavailable("gone")))

    health, ready = system.get("/health"), system.get("/ready")

    assert (health.status, health.json()) == (503, {"status": "unhealthy"})
    assert (ready.status, ready.json()) == (503, {"status": "not_ready", "reason": "no answer from: index"})


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
    )

    with pytest.raises(SettingsError, match="deploy with stage local"):
        build(settings)
