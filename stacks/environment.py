"""What a stage is made of: every difference between stages is a field here, without a default.

The stacks read these fields and never the stage's name, so that what runs on one machine is what runs on AWS.
"""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

from stacks.layer_recipe import BundleTarget

PROJECT = "haylift"
LOCAL = "local"


class ContextFault(Exception):
    """The context (`-c key=value`) or an environment is wrong; the message says what to give instead."""


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """Isolated subnets for the index and the cache.

    Args:
        cidr: IPv4 block of the network.
        zones: availability zones, one subnet in each.
    """

    cidr: str
    zones: int


@dataclass(frozen=True)
class SqliteIndex:
    """The embedded index in one folder, shared by the processes of one machine."""

    folder: Path


@dataclass(frozen=True, kw_only=True)
class OpenSearchDomain:
    """A managed OpenSearch domain. `manager_nodes` is 0 or 3; `volume_gib` is per data node."""

    data_node_type: str
    data_nodes: int
    manager_node_type: str
    manager_nodes: int
    volume_gib: int


@dataclass(frozen=True)
class RunningCache:
    """A Valkey cluster that runs already, at `host:port`, without TLS."""

    endpoint: str


@dataclass(frozen=True, kw_only=True)
class ServerlessCache:
    """ElastiCache Serverless for Valkey, bounded so that a runaway caller cannot run up the bill."""

    max_data_gb: int
    max_ecpu_per_second: int


@dataclass(frozen=True)
class RunningEndpoint:
    """A model endpoint of this name that answers SageMaker's InvokeEndpoint already."""

    name: str


@dataclass(frozen=True, kw_only=True)
class ServerlessEndpoint:
    """SageMaker Serverless Inference on CPU: costs nothing idle, starts cold.

    Args:
        models: that the container serves.
        image_target: stage of `gpu_endpoint/Containerfile`.
    """

    memory_mib: int
    max_concurrency: int
    models: tuple[str, ...]
    image_target: str


@dataclass(frozen=True, kw_only=True)
class InstanceEndpoint:
    """SageMaker real-time instances, which never sleep. `models` and `image_target` as above."""

    instance_type: str
    instances: int
    models: tuple[str, ...]
    image_target: str


@dataclass(frozen=True, kw_only=True)
class LaneNumbers:
    """A lane queue's numbers. AWS asks for a visibility time-out of six function time-outs.

    Args:
        visibility_s: until an unfinished message is handed out again.
        max_receives: then it goes to the dead-letter queue.
        retention_days: how long messages stay.
    """

    visibility_s: int
    max_receives: int
    retention_days: int


@dataclass(frozen=True, kw_only=True)
class MaintenanceNumbers:
    """When maintenance runs, and what it may do.

    Args:
        sweep_minutes, reconcile_minutes, retention_minutes: between two invocations of each task.
        reconcile_every_s: between two whole reconciles; the invocations between go on with one.
        repair: whether a reconcile by the clock repairs what it finds.
        settle_s: longer than an event of S3 waits, a pause of the intake for repairs included.
        stuck_after_s: longer than a message can be hidden by a worker that died.
    """

    sweep_minutes: int
    reconcile_minutes: int
    retention_minutes: int
    reconcile_every_s: float
    repair: bool
    settle_s: float
    stuck_after_s: float


@dataclass(frozen=True, kw_only=True)
class ApiLimits:
    """Throttling by API Gateway, in requests a second: last lines behind the limits of single callers.

    Args:
        rate, burst: of the whole API.
        login_rate, login_burst: of each path that checks a password.
        machine_rate, machine_burst, machine_requests_per_day: of each API key that a machine was given.
    """

    rate: int
    burst: int
    login_rate: int
    login_burst: int
    machine_rate: int
    machine_burst: int
    machine_requests_per_day: int


@dataclass(frozen=True, kw_only=True)
class RateLimits:
    """Requests a minute: log-ins and refreshes by source address, searches (where the tenant has no limit of
    its own) and ratings by user.

    0: no limit, which is for load tests.
    """

    logins_per_minute: int
    searches_per_minute: int
    refreshes_per_minute: int = 60
    ratings_per_minute: int = 60


@dataclass(frozen=True, kw_only=True)
class Recipients:
    """Who is told besides the inbox: mail addresses and `https://` addresses of on-call services."""

    page_mail: tuple[str, ...]
    page_https: tuple[str, ...]
    ticket_mail: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One stage.

    Args:
        stage: also a part of every physical name.
        rate_limits: of callers, counted by the functions.
        allowed_origins: web origins whose pages may call the API; empty: none.
        trusted_hosts: values of the Host header that are answered; empty: the gateway decides alone.
        recipients: of alarms.
        audit_lock_days: how long nobody, root included, can remove an audit record; None: no lock.
        log_level: of the functions.
        log_retention: of every log group.
        removal: what happens to data when a stack is deleted.
        tls_only: whether buckets, queues and topics refuse plain HTTP.
        point_in_time_recovery: of the tables.
        snap_start: whether `search` starts from a snapshot.
        aws_rules: whether the AwsSolutions rules must hold (they ask for things only AWS has).
        authorizer_cache_ttl_s: how long a disabled user may still be let in.
        issuer: `iss` of the access tokens. audience: `aud`.
        embed_model: name of the embedding model that the endpoint serves.
        ocr_packages: folder, as functions see it, of packages that read pages off pictures; empty: none do.
    """

    stage: str
    bundle: BundleTarget
    network: NetworkSpec | None
    index: SqliteIndex | OpenSearchDomain
    cache: RunningCache | ServerlessCache
    model_endpoint: RunningEndpoint | ServerlessEndpoint | InstanceEndpoint
    lanes: LaneNumbers
    maintenance: MaintenanceNumbers
    api_limits: ApiLimits
    rate_limits: RateLimits
    allowed_origins: tuple[str, ...]
    trusted_hosts: tuple[str, ...]
    recipients: Recipients
    audit_lock_days: int | None
    log_level: str
    log_retention: logs.RetentionDays
    removal: RemovalPolicy
    tls_only: bool
    point_in_time_recovery: bool
    snap_start: bool
    aws_rules: bool
    authorizer_cache_ttl_s: int
    issuer: str
    audience: str
    embed_model: str
    ocr_packages: str

    def __post_init__(self) -> None:
        if isinstance(self.index, SqliteIndex) and self.stage != LOCAL:
            raise ContextFault(
                f"stage {self.stage}: the sqlite index is a folder, and functions on AWS share no disk. "
                "Use OpenSearchDomain."
            )

    def name_of(self, part: str) -> str:
        """The physical name of a part, the same after every deployment: `haylift-<stage>-<part>`."""
        return f"{PROJECT}-{self.stage}-{part}"
