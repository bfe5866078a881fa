"""The shared cache: ElastiCache Serverless for Valkey, which is always in cluster mode and speaks TLS."""

import aws_cdk as cdk
from aws_cdk import aws_elasticache as elasticache
from constructs import Construct

from stacks.connections import CacheConnection
from stacks.environment import Environment, ServerlessCache
from stacks.network import NetworkStack

VALKEY_VERSION = "8"


class CacheStack(cdk.Stack):
    """The cache, reached only from the functions' security group."""

    def __init__(
        self, scope: Construct, environment: Environment, *, spec: ServerlessCache, network: NetworkStack
    ) -> None:
        super().__init__(scope, environment.name_of("cache"))
        limits = elasticache.CfnServerlessCache
        cache = elasticache.CfnServerlessCache(
            self,
            "Cache",
            serverless_cache_name=environment.name_of("cache"),
            engine="valkey",
            major_engine_version=VALKEY_VERSION,
            subnet_ids=network.vpc.select_subnets(subnet_type=network.subnets.subnet_type).subnet_ids,
            security_group_ids=[network.cache_group.security_group_id],
            cache_usage_limits=limits.CacheUsageLimitsProperty(
                data_storage=limits.DataStorageProperty(unit="GB", maximum=spec.max_data_gb),
                ecpu_per_second=limits.ECPUPerSecondProperty(maximum=spec.max_ecpu_per_second),
            ),
        )
        cache.apply_removal_policy(cdk.RemovalPolicy.DESTROY)  # holds nothing that cannot be computed again
        self.connection = CacheConnection(
            endpoint=f"{cache.attr_endpoint_address}:{cache.attr_endpoint_port}", tls=True
        )
