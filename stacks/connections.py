"""What a function needs to reach the index, the cache and the models: names and rights."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where functions live that reach the index and the cache."""

    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection
    security_group: ec2.ISecurityGroup


@dataclass(frozen=True, kw_only=True)
class IndexConnection:
    """`store` and `location` as in the functions' settings; `rights` on the store's own API.

    `findings` are the AwsSolutions rules that the rights break, with the reason `findings_reason`.
    """

    store: str
    location: str
    rights: Sequence[iam.PolicyStatement]
    findings: Sequence[str]
    findings_reason: str


@dataclass(frozen=True, kw_only=True)
class CacheConnection:
    """`endpoint` is `host:port` of a Valkey cluster."""

    endpoint: str
    tls: bool


@dataclass(frozen=True, kw_only=True)
class ModelConnection:
    """The SageMaker endpoint of embeddings and reranking."""

    endpoint_name: str
    model: str
    rights: Sequence[iam.PolicyStatement]


@dataclass(frozen=True, kw_only=True)
class Connections:
    """Everything that differs by stage between a function and what it calls."""

    placement: Placement | None
    index: IndexConnection
    cache: CacheConnection
    model: ModelConnection
