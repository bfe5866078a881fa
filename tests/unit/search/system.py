"""The search application over fakes."""

from dataclasses import dataclass, field

from haylift.domain.identity import Principal, Role
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline
from haylift.services.answer import AnswerPolicy, AnswerService
from haylift.services.health import HealthService
from haylift.services.probes import system_probes
from haylift.services.query_cache import QueryCache
from haylift.services.search import SearchService

from functions.search.app import Services, create_app
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
