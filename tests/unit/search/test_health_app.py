"""Health and readiness over HTTP: what is told to whom, and with which status."""

from haylift.domain.errors import IndexUnavailable, ModelUnavailable
from haylift.domain.identity import Role

from tests.fakes.cache import InMemorySharedCache
from tests.fakes.gateway import principal
from tests.fakes.search import FaultyIndex
from tests.unit.search.system import READER, System
from tests.unit.trace.lines import written


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


def test_the_trace_of_an_answer_that_was_kept_names_the_missing_part() -> None:
    system = System(index=FaultyIndex(fault=IndexUnavailable("gone")))
    system.get("/health")
    with written() as lines:
        system.get("/health")
        system.get("/ready")

    missing = [(outcome, facts["missing"]) for outcome, facts in lines.hops("outcome", "facts")]
    assert missing == [("index_unavailable", "index"), ("index_unavailable", "index")]
