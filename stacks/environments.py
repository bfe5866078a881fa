"""The stages `local`, `dev` and `prod`: every difference between them is a field here, without a default.

The stacks read these fields and never the stage's name, so that what runs on one machine is what runs on AWS.
"""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

from stacks.layer_recipe import BundleTarget

PROJECT = "haylift"
LOCAL = "local"
EMBED_MODEL = "bge-small-en-v1.5"
RERANK_MODEL = "ms-marco-MiniLM-L-12-v2"


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
class ApiLimits:
    """Throttling of the whole API, in requests a second."""

    rate: int
    burst: int


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One stage.

    Args:
        stage: also a part of every physical name.
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
    """

    stage: str
    bundle: BundleTarget
    network: NetworkSpec | None
    index: SqliteIndex | OpenSearchDomain
    cache: RunningCache | ServerlessCache
    model_endpoint: RunningEndpoint | ServerlessEndpoint | InstanceEndpoint
    lanes: LaneNumbers
    api_limits: ApiLimits
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

    def __post_init__(self) -> None:
        if isinstance(self.index, SqliteIndex) and self.stage != LOCAL:
            raise ContextFault(
                f"stage {self.stage}: the sqlite index is a folder, and functions on AWS share no disk. "
                "Use OpenSearchDomain."
            )

    def name_of(self, part: str) -> str:
        """The physical name of a part, the same after every deployment: `haylift-<stage>-<part>`."""
        return f"{PROJECT}-{self.stage}-{part}"


def read_environment(context: Callable[[str], Any]) -> Environment:
    """The environment that the context asks for.

    Args:
        context: gives the value of a context key (`cdk -c key=value`) or None.

    Raises:
        ContextFault: says which key is missing or wrong, and an example.
    """
    stage = context("stage")
    makers = {LOCAL: _local, "dev": _dev, "prod": _prod}
    if stage not in makers:
        raise ContextFault(f"give the stage: -c stage={'|'.join(makers)} (got {stage!r})")
    return makers[stage](context)


def _local(context: Callable[[str], Any]) -> Environment:
    cache_endpoint = _required(context, "cache_endpoint", "127.0.0.1:6379")
    host, _, port = cache_endpoint.rpartition(":")
    if not host or not port.isdecimal():
        raise ContextFault(f"-c cache_endpoint is host:port, not {cache_endpoint!r}")
    index_dir = Path(_required(context, "index_dir", "/var/lib/haylift/index"))
    if not index_dir.is_absolute():
        raise ContextFault(f"-c index_dir is an absolute path, not {str(index_dir)!r}")
    return Environment(
        stage=LOCAL,
        bundle=BundleTarget(architecture=_machine_architecture(), platform=None),
        network=None,
        index=SqliteIndex(index_dir),
        cache=RunningCache(cache_endpoint),
        model_endpoint=RunningEndpoint("haylift-embed"),
        # One machine has one worker per document, so a message of a dead worker need not wait six time-outs:
        # longer than the lease of 150 s is enough.
        lanes=LaneNumbers(visibility_s=180, max_receives=10, retention_days=14),
        api_limits=ApiLimits(rate=1000, burst=1000),
        log_level="INFO",
        log_retention=logs.RetentionDays.ONE_WEEK,
        removal=RemovalPolicy.DESTROY,
        tls_only=False,
        point_in_time_recovery=False,
        snap_start=False,
        aws_rules=False,
        authorizer_cache_ttl_s=5,
        issuer="haylift-local",
        audience="haylift-api",
        embed_model=EMBED_MODEL,
    )


def _dev(_context: Callable[[str], Any]) -> Environment:
    return Environment(
        stage="dev",
        bundle=BundleTarget(architecture="arm64", platform="aarch64-manylinux_2_28"),
        network=NetworkSpec(cidr="10.40.0.0/20", zones=2),
        index=OpenSearchDomain(
            data_node_type="t3.medium.search",
            data_nodes=2,
            manager_node_type="t3.small.search",
            manager_nodes=0,
            volume_gib=20,
        ),
        cache=ServerlessCache(max_data_gb=1, max_ecpu_per_second=5_000),
        # SageMaker Serverless offers at most 6 GiB and no GPU.
        model_endpoint=ServerlessEndpoint(
            memory_mib=4096, max_concurrency=5, models=(EMBED_MODEL, RERANK_MODEL), image_target="cpu"
        ),
        lanes=LaneNumbers(visibility_s=720, max_receives=10, retention_days=14),
        api_limits=ApiLimits(rate=50, burst=100),
        log_level="INFO",
        log_retention=logs.RetentionDays.ONE_MONTH,
        removal=RemovalPolicy.DESTROY,
        tls_only=True,
        point_in_time_recovery=True,
        snap_start=False,
        aws_rules=True,
        authorizer_cache_ttl_s=5,
        issuer="haylift-dev",
        audience="haylift-api",
        embed_model=EMBED_MODEL,
    )


def _prod(_context: Callable[[str], Any]) -> Environment:
    return Environment(
        stage="prod",
        bundle=BundleTarget(architecture="arm64", platform="aarch64-manylinux_2_28"),
        network=NetworkSpec(cidr="10.41.0.0/20", zones=2),
        index=OpenSearchDomain(
            data_node_type="r7g.large.search",
            data_nodes=2,
            manager_node_type="m7g.medium.search",
            manager_nodes=3,
            volume_gib=100,
        ),
        cache=ServerlessCache(max_data_gb=10, max_ecpu_per_second=50_000),
        model_endpoint=InstanceEndpoint(
            instance_type="ml.g5.xlarge", instances=2, models=(EMBED_MODEL, RERANK_MODEL), image_target="gpu"
        ),
        lanes=LaneNumbers(visibility_s=720, max_receives=10, retention_days=14),
        api_limits=ApiLimits(rate=500, burst=1000),
        log_level="INFO",
        log_retention=logs.RetentionDays.THREE_MONTHS,
        removal=RemovalPolicy.RETAIN,
        tls_only=True,
        point_in_time_recovery=True,
        snap_start=True,
        aws_rules=True,
        authorizer_cache_ttl_s=5,
        issuer="haylift-prod",
        audience="haylift-api",
        embed_model=EMBED_MODEL,
    )


def _required(context: Callable[[str], Any], key: str, example: str) -> str:
    value = context(key)
    if not isinstance(value, str) or not value:
        raise ContextFault(f"stage {LOCAL} needs -c {key}=..., for example -c {key}={example}")
    return value


def _machine_architecture() -> str:
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
