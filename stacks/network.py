"""The network of the index and the cache: isolated subnets, no way to the internet, no NAT."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.connections import Placement
from stacks.environment import Environment, NetworkSpec

HTTPS = ec2.Port.tcp(443)
CACHE_PORTS = ec2.Port.tcp_range(6379, 6380)
"""ElastiCache Serverless answers reads from replicas on 6380."""


class NetworkStack(cdk.Stack):
    """`placement` is where functions go; `index_group` and `cache_group` let only these functions in."""

    def __init__(self, scope: Construct, environment: Environment, spec: NetworkSpec) -> None:
        super().__init__(scope, environment.name_of("network"))
        isolated = ec2.SubnetConfiguration(
            name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
        )
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(spec.cidr),
            max_azs=spec.zones,
            nat_gateways=0,
            subnet_configuration=[isolated],
            restrict_default_security_group=False,
        )
        self.subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        self._log_flows(environment.log_retention)
        functions = self._group("Functions", "search and ingestion")
        self.index_group = self._group("Index", "OpenSearch, reached by the functions only")
        self.cache_group = self._group("Cache", "Valkey, reached by the functions only")
        self._connect(functions)
        self.placement = Placement(vpc=self.vpc, subnets=self.subnets, security_group=functions)

    def _connect(self, functions: ec2.SecurityGroup) -> None:
        models = self._group("Models", "sagemaker.runtime and SQS, reached by the functions only")
        for group, ports in ((self.index_group, HTTPS), (self.cache_group, CACHE_PORTS), (models, HTTPS)):
            group.add_ingress_rule(functions, ports)
            functions.add_egress_rule(group, ports)
        # The gateway endpoints of S3 and DynamoDB answer at public addresses; nothing else is routed.
        functions.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS)
        for name, service in (
            ("S3", ec2.GatewayVpcEndpointAwsService.S3),
            ("DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB),
        ):
            self.vpc.add_gateway_endpoint(name, service=service)
        # SQS for maintenance alone, which reads the index and sends orders: docs/decisions/0053.
        for name, interface in (
            ("SageMakerRuntime", ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME),
            ("Sqs", ec2.InterfaceVpcEndpointAwsService.SQS),
        ):
            self.vpc.add_interface_endpoint(
                name,
                service=interface,
                subnets=self.subnets,
                security_groups=[models],
                # CDK would let the whole network in; the group above names who may.
                open=False,
            )

    def _group(self, name: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, name, vpc=self.vpc, description=description, allow_all_outbound=False)

    def _log_flows(self, retention: logs.RetentionDays) -> None:
        log_group = logs.LogGroup(
            self, "FlowLog", retention=retention, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        self.vpc.add_flow_log(
            "Flows",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )
