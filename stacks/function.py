"""One Lambda function: a folder of `functions/`, its layers, its settings as environment, its alias."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct
from haylift.domain.documents import DOCUMENTS_PREFIX
from haylift.settings import CommonSettings, to_environment

from stacks import rights
from stacks.acknowledgements import acknowledge
from stacks.connections import IndexConnection, ModelConnection, Placement
from stacks.environment import Environment
from stacks.layer_recipe import ROOT
from stacks.layers import Layers, architecture_of

ALIAS = "live"

FIXED_VARIABLES = {
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    # Lambda's own home is not writable, and `import haystack` writes there.
    "HOME": "/tmp",  # noqa: S108
    # One thread per process: exact vector search took 0.7 ms with one and 7.8 ms with two.
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""What every function has besides its settings.

No POWERTOOLS_SERVICE_NAME: it would add a dimension `service` to every metric that the registry lacks.
"""


@dataclass(frozen=True, kw_only=True)
class FunctionSpec:
    """What is a function's own, the same in every stage.

    Args:
        name: its folder in `functions/`.
        layers: names, lowest first.
        memory_mib: CPU comes with it, one core at 1,769.
        timeout_s: for the API at most the gateway's 29.
    """

    name: str
    layers: tuple[str, ...]
    memory_mib: int
    timeout_s: int


class HayliftFunction(Construct):
    """A function as it is called: `live` is what the API and the queues invoke, `role` gets the rights."""

    def __init__(
        self,
        scope: Construct,
        spec: FunctionSpec,
        *,
        environment: Environment,
        settings: CommonSettings,
        layers: Layers,
        placement: Placement | None = None,
    ) -> None:
        super().__init__(scope, spec.name)
        name = environment.name_of(spec.name)
        self.log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{name}",
            retention=environment.log_retention,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=architecture_of(environment.bundle),
            code=_code(spec.name),
            handler=handler_path(spec.name),
            layers=layers.versions(spec.layers),
            environment=_variables(settings),
            memory_size=spec.memory_mib,
            timeout=cdk.Duration.seconds(spec.timeout_s),
            role=self.role,
            log_group=self.log_group,
            current_version_options=lambda_.VersionOptions(removal_policy=cdk.RemovalPolicy.RETAIN),
            snap_start=_snap_start(spec.name, environment),
            **_network(placement),
        )
        if placement is not None:
            self._allow_network_interfaces()
        self.live = lambda_.Alias(self, "Live", alias_name=ALIAS, version=self.function.current_version)
        acknowledge(
            self.function,
            "L1",
            "Python 3.13 is what the layers are compiled for and what the machine of every developer runs.",
        )

    def allow(self, *actions: str, on: Sequence[str]) -> None:
        """Lets the function do exactly `actions` on the resources `on` (ARNs)."""
        self.role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=list(on)))

    def allow_index(self, index: IndexConnection) -> None:
        """Lets the function use the index's own API."""
        self._add(index.rights)
        for rule in index.findings:
            acknowledge(self.role, rule, index.findings_reason)

    def allow_models(self, model: ModelConnection) -> None:
        """Lets the function call the model endpoint."""
        self._add(model.rights)

    def allow_objects(self, bucket: s3.IBucket, *actions: str, prefix: str = DOCUMENTS_PREFIX) -> None:
        """Lets the function do `actions` under `prefix`, and tells it missing objects from forbidden ones."""
        self.allow(*actions, on=[bucket.arn_for_objects(f"{prefix}*")])
        self.allow(*rights.LIST_OBJECTS, on=[bucket.bucket_arn])
        exported = cdk.Stack.of(bucket).export_value(bucket.bucket_arn)
        name = cdk.Stack.of(bucket).resolve(exported)["Fn::ImportValue"]
        acknowledge(
            self.role,
            f"IAM5[Resource::{name}/{prefix}*]",
            "Documents are made by users; the right ends at their prefix, the rest of the bucket is out.",
        )

    def _add(self, statements: Sequence[iam.PolicyStatement]) -> None:
        for statement in statements:
            self.role.add_to_policy(statement)

    def _allow_network_interfaces(self) -> None:
        interfaces = ["Create", "Delete"]
        actions = [f"ec2:{verb}NetworkInterface" for verb in interfaces]
        self.allow(*actions, "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", on=["*"])
        self.allow("ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses", on=["*"])
        acknowledge(
            self.role,
            "IAM5[Resource::*]",
            "Lambda makes network interfaces that nobody can name before; EC2 cannot restrict these actions.",
        )


def handler_path(name: str) -> str:
    """The handler of a function's folder.

    >>> handler_path("search")
    'functions.search.handler.handler'
    """
    return f"functions.{name}.handler.handler"


def _variables(settings: CommonSettings) -> dict[str, str]:
    return {**FIXED_VARIABLES, **to_environment(settings)}


def _code(name: str) -> lambda_.Code:
    """The function's folder, packed from the repository's root so that its module path stays."""
    only = ["/*", "!/functions", "/functions/*", "!/functions/__init__.py", f"!/functions/{name}"]
    return lambda_.Code.from_asset(
        str(ROOT), exclude=[*only, "__pycache__", "*.pyc"], ignore_mode=cdk.IgnoreMode.GIT
    )


def _snap_start(name: str, environment: Environment) -> lambda_.SnapStartConf | None:
    """Only `search`: keys and random state of the others must not lie in a snapshot."""
    return (
        lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if environment.snap_start and name == "search" else None
    )


def _network(placement: Placement | None) -> dict[str, Any]:
    if placement is None:
        return {}
    return {
        "vpc": placement.vpc,
        "vpc_subnets": placement.subnets,
        "security_groups": [placement.security_group],
    }
