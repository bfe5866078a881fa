"""The stages `local`, `dev` and `prod`, and what the context (`-c key=value`) may choose about them."""

import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

from stacks.environment import (
    LOCAL,
    ApiLimits,
    ContextFault,
    Environment,
    InstanceEndpoint,
    LaneNumbers,
    MaintenanceNumbers,
    NetworkSpec,
    OpenSearchDomain,
    RateLimits,
    Recipients,
    RunningCache,
    RunningEndpoint,
    ServerlessCache,
    ServerlessEndpoint,
    SqliteIndex,
)
from stacks.layer_recipe import BundleTarget

EMBED_MODEL = "bge-small-en-v1.5"
RERANK_MODEL = "ms-marco-MiniLM-L-12-v2"
DEFAULT_RATE_LIMITS = "10/60"
"""Log-ins and searches a minute, the numbers of Haystack's production guides."""
ON_AWS = MaintenanceNumbers(
    sweep_minutes=15,
    reconcile_minutes=15,
    retention_minutes=60,
    reconcile_every_s=86_400.0,
    repair=True,
    settle_s=3_600.0,
    stuck_after_s=1_800.0,
)
LOCAL_ORIGIN = "http://localhost:3000"
"""Where the development servers of most web frameworks listen."""


@dataclass(frozen=True)
class Shape:
    """What the parts of a list look like: a regular expression, and an example for whoever got it wrong."""

    pattern: str
    example: str


MAIL = Shape(r"[^@\s]+@[^@\s]+\.[^@\s]+", "on-call@example.com,lead@example.com")
HTTPS = Shape(r"https://[^\s,]+", "https://pager.example.com/haylift")
ORIGIN = Shape(r"https?://[\w.-]+(:\d+)?", "https://app.example.com,https://admin.example.com")
HOST = Shape(r"(\*\.)?[\w.-]+", "api.example.com,*.internal.example.com")


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
        # Whoever tries something out wants to see it soon; a whole run over a small index is nothing.
        maintenance=MaintenanceNumbers(
            sweep_minutes=5,
            reconcile_minutes=3,
            retention_minutes=1,
            reconcile_every_s=0.0,
            repair=True,
            settle_s=900.0,
            stuck_after_s=900.0,
        ),
        api_limits=ApiLimits(
            rate=1000,
            burst=1000,
            login_rate=1000,
            login_burst=1000,
            machine_rate=1000,
            machine_burst=1000,
            machine_requests_per_day=10_000_000,
        ),
        rate_limits=_rate_limits(context),
        ocr_packages=_local_folder(context, "ocr_packages"),
        allowed_origins=_list(context, "allowed_origins", ORIGIN, LOCAL_ORIGIN),
        trusted_hosts=_list(context, "trusted_hosts", HOST),
        recipients=_recipients(context),
        audit_lock_days=None,
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


def _dev(context: Callable[[str], Any]) -> Environment:
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
        maintenance=ON_AWS,
        api_limits=ApiLimits(
            rate=50,
            burst=100,
            login_rate=5,
            login_burst=10,
            machine_rate=10,
            machine_burst=20,
            machine_requests_per_day=100_000,
        ),
        rate_limits=_rate_limits(context),
        ocr_packages="",
        allowed_origins=_list(context, "allowed_origins", ORIGIN),
        trusted_hosts=_list(context, "trusted_hosts", HOST),
        recipients=_recipients(context),
        audit_lock_days=None,
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


def _prod(context: Callable[[str], Any]) -> Environment:
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
        maintenance=ON_AWS,
        api_limits=ApiLimits(
            rate=500,
            burst=1000,
            login_rate=20,
            login_burst=40,
            machine_rate=50,
            machine_burst=100,
            machine_requests_per_day=1_000_000,
        ),
        rate_limits=_rate_limits(context),
        ocr_packages="",
        allowed_origins=_list(context, "allowed_origins", ORIGIN),
        trusted_hosts=_list(context, "trusted_hosts", HOST),
        recipients=_recipients(context),
        audit_lock_days=365,
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


def _rate_limits(context: Callable[[str], Any]) -> RateLimits:
    text = context("rate_limits") or DEFAULT_RATE_LIMITS
    if text == "off":
        return RateLimits(
            logins_per_minute=0, searches_per_minute=0, refreshes_per_minute=0, ratings_per_minute=0
        )
    numbers = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", str(text))
    if numbers is None:
        raise ContextFault(f"-c rate_limits is off or LOGINS/SEARCHES a minute, such as 10/60, not {text!r}")
    return RateLimits(logins_per_minute=int(numbers[1]), searches_per_minute=int(numbers[2]))


def _local_folder(context: Callable[[str], Any], key: str) -> str:
    text = str(context(key) or "")
    if text and not Path(text).is_absolute():
        raise ContextFault(f"-c {key} is an absolute path, not {text!r}")
    return text


def _recipients(context: Callable[[str], Any]) -> Recipients:
    return Recipients(
        page_mail=_list(context, "page_mail", MAIL),
        page_https=_list(context, "page_https", HTTPS),
        ticket_mail=_list(context, "ticket_mail", MAIL),
    )


def _list(context: Callable[[str], Any], key: str, shape: Shape, default: str = "") -> tuple[str, ...]:
    """The parts between commas; ContextFault when one does not look like the key's kind of value."""
    text = context(key)
    parts = tuple(part.strip() for part in str(default if text is None else text).split(",") if part.strip())
    for part in parts:
        if not re.fullmatch(shape.pattern, part):
            raise ContextFault(f"-c {key} is a list like {shape.example}, and {part!r} is none of them")
    return parts


def _required(context: Callable[[str], Any], key: str, example: str) -> str:
    value = context(key)
    if not isinstance(value, str) or not value:
        raise ContextFault(f"stage {LOCAL} needs -c {key}=..., for example -c {key}={example}")
    return value


def _machine_architecture() -> str:
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
