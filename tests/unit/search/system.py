"""The search application over fakes."""

from dataclasses import dataclass, field

from haylift.domain.identity import Principal, Role
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline
from haylift.services.answer import AnswerPolicy, AnswerService
from haylift.services.feedback import FeedbackService
from haylift.services.flags import CurrentFlags, LoadShedder, SparingPipeline
from haylift.services.health import HealthService
from haylift.services.limits import RatingLimits, SearchLimits
from haylift.services.probes import system_probes
from haylift.services.query_cache import QueryCache
from haylift.services.search import SearchService

from functions.search.app import Services, create_app
from tests.fakes.cache import InMemorySharedCache, InMemoryTenants
from tests.fakes.gateway import Answer, Gateway, RecordedTelemetry, principal
from tests.fakes.identity import ManualClock
from tests.fakes.limits import MemoryFlags, MemoryRateLimiter, MemoryRatings, MemoryTenantLimits
from tests.fakes.search import FakeModels, FakeTime, FaultyIndex, chunk, filled_index

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
    flags: MemoryFlags = field(default_factory=MemoryFlags)
    limiter: MemoryRateLimiter = field(default_factory=MemoryRateLimiter)
    tenant_limits: MemoryTenantLimits = field(default_factory=MemoryTenantLimits)
    ratings: MemoryRatings = field(default_factory=MemoryRatings)
    time: FakeTime = field(default_factory=FakeTime)
    searches_per_minute: int = 0
    ratings_per_minute: int = 0

    def __post_init__(self) -> None:
        cache = QueryCache(self.shared, InMemoryTenants())
        flags = CurrentFlags(self.flags, monotonic=self.time.now)
        pipeline = SparingPipeline(HaystackQueryPipeline(query_pipeline(self.index, self.models)), flags)
        tenants = InMemoryTenants()
        probes = system_probes(self.index, self.shared, self.models, ledger=self.ledger, tenants=tenants)
        limits = SearchLimits(
            self.limiter,
            self.tenant_limits,
            self.telemetry,
            searches_per_minute=self.searches_per_minute,
            monotonic=self.time.now,
        )
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
                feedback=FeedbackService(self.ratings, self.telemetry, ManualClock()),
                health=HealthService(probes, resources=lambda: {"cpu": 95.0, "memory": 10.0}),
                limits=limits,
                rating_limits=RatingLimits(
                    self.limiter,
                    self.telemetry,
                    ratings_per_minute=self.ratings_per_minute,
                    monotonic=self.time.now,
                ),
                shedder=LoadShedder(flags, self.telemetry),
                telemetry=self.telemetry,
                query_timeout_s=25.0,
            )
        )

    def post(
        self, path: str, body: object = None, *, raw: str | None = None, caller: Principal = READER
    ) -> Answer:
        return Gateway(self.app, caller).request("POST", path, body, raw=raw)

    def get(self, path: str, caller: Principal | None = None) -> Answer:
        return Gateway(self.app, caller).request("GET", path)
