"""The OpenSearch domain that holds the index of every tenant."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from stacks.acknowledgements import acknowledge
from stacks.connections import IndexConnection
from stacks.environment import Environment, OpenSearchDomain
from stacks.network import NetworkStack

ENGINE = "OpenSearch_2.19"
LOGS = ("SEARCH_SLOW_LOGS", "INDEX_SLOW_LOGS", "ES_APPLICATION_LOGS")
CONTENTS = "<AWS::Partition>:es:<AWS::Region>:<AWS::AccountId>"
METHODS = ("Get", "Head", "Post", "Put", "Delete")


class IndexStack(cdk.Stack):
    """The domain as a CloudFormation resource: the construct would add two functions of CDK's own."""

    def __init__(
        self, scope: Construct, environment: Environment, *, spec: OpenSearchDomain, network: NetworkStack
    ) -> None:
        super().__init__(scope, environment.name_of("index"))
        self._domain_name = environment.name_of("index")
        domain = opensearch.CfnDomain(
            self,
            "Domain",
            domain_name=self._domain_name,
            engine_version=ENGINE,
            cluster_config=_cluster(spec),
            ebs_options=opensearch.CfnDomain.EBSOptionsProperty(
                ebs_enabled=True, volume_type="gp3", volume_size=spec.volume_gib
            ),
            encryption_at_rest_options=opensearch.CfnDomain.EncryptionAtRestOptionsProperty(enabled=True),
            node_to_node_encryption_options=opensearch.CfnDomain.NodeToNodeEncryptionOptionsProperty(
                enabled=True
            ),
            domain_endpoint_options=opensearch.CfnDomain.DomainEndpointOptionsProperty(
                enforce_https=True, tls_security_policy="Policy-Min-TLS-1-2-PFS-2023-10"
            ),
            vpc_options=opensearch.CfnDomain.VPCOptionsProperty(
                subnet_ids=network.vpc.select_subnets(subnet_type=network.subnets.subnet_type).subnet_ids,
                security_group_ids=[network.index_group.security_group_id],
            ),
            access_policies=self._access(),
            log_publishing_options=self._log_options(environment),
        )
        domain.apply_removal_policy(environment.removal)
        self.connection = IndexConnection(
            store="opensearch",
            location=domain.attr_domain_endpoint,
            rights=self._rights(),
            findings=[f"IAM5[Resource::arn:{CONTENTS}:domain/{self._domain_name}/*]"],
            findings_reason="One index per tenant and generation: nobody knows their names at deployment.",
        )
        acknowledge(
            domain,
            "OS3",
            "The domain has no public address; its security group lets in only the functions' group.",
        )
        if spec.manager_nodes == 0:
            acknowledge(
                domain,
                "OS4",
                "Three manager nodes would triple the price of a stage that may lose its index.",
            )

    @property
    def _contents_arn(self) -> str:
        return self.format_arn(service="es", resource="domain", resource_name=f"{self._domain_name}/*")

    def _rights(self) -> list[iam.PolicyStatement]:
        actions = [f"es:ESHttp{method}" for method in METHODS]
        return [iam.PolicyStatement(actions=actions, resources=[self._contents_arn])]

    def _access(self) -> dict[str, object]:
        """Only principals of this account whose own policy allows it."""
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{self.partition}:iam::{self.account}:root"},
            "Action": [f"es:ESHttp{method}" for method in METHODS],
            "Resource": self._contents_arn,
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def _log_options(self, environment: Environment) -> dict[str, Any]:
        groups_by_log = {
            name: logs.LogGroup(
                self,
                name.replace("_", "").capitalize(),
                retention=environment.log_retention,
                removal_policy=cdk.RemovalPolicy.DESTROY,
            )
            for name in LOGS
        }
        for group in groups_by_log.values():
            group.add_to_resource_policy(
                iam.PolicyStatement(
                    actions=["logs:PutLogEvents", "logs:CreateLogStream"],
                    principals=[iam.ServicePrincipal("es.amazonaws.com")],
                    resources=[group.log_group_arn],
                )
            )
        return {
            name: opensearch.CfnDomain.LogPublishingOptionProperty(
                enabled=True, cloud_watch_logs_log_group_arn=group.log_group_arn
            )
            for name, group in groups_by_log.items()
        }


def _cluster(spec: OpenSearchDomain) -> opensearch.CfnDomain.ClusterConfigProperty:
    has_managers = spec.manager_nodes > 0
    return opensearch.CfnDomain.ClusterConfigProperty(
        instance_type=spec.data_node_type,
        instance_count=spec.data_nodes,
        zone_awareness_enabled=True,
        zone_awareness_config=opensearch.CfnDomain.ZoneAwarenessConfigProperty(availability_zone_count=2),
        dedicated_master_enabled=has_managers,
        dedicated_master_type=spec.manager_node_type if has_managers else None,
        dedicated_master_count=spec.manager_nodes if has_managers else None,
    )
