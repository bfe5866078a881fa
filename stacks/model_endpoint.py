"""The SageMaker endpoint `embed` (embeddings and reranking) from the image of `gpu_endpoint/`."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.acknowledgements import acknowledge
from stacks.connections import ModelConnection
from stacks.environment import Environment, InstanceEndpoint, ServerlessEndpoint
from stacks.image_build import BuiltImage
from stacks.layer_recipe import ROOT

VARIANT = "AllTraffic"
FOLDER = ROOT / "gpu_endpoint"
LOG_GROUPS = "<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group"
CONTAINER_START_S = 600
LOG_ACTIONS = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")


def invocation_right(stack: cdk.Stack, endpoint_name: str) -> iam.PolicyStatement:
    """The right to call the endpoint; SageMaker lower-cases names in ARNs."""
    endpoint = stack.format_arn(service="sagemaker", resource="endpoint", resource_name=endpoint_name.lower())
    return iam.PolicyStatement(actions=["sagemaker:InvokeEndpoint"], resources=[endpoint])


class ModelEndpointStack(cdk.Stack):
    """Image, model, configuration and endpoint; a change of the image replaces the first three."""

    def __init__(
        self, scope: Construct, environment: Environment, *, spec: ServerlessEndpoint | InstanceEndpoint
    ) -> None:
        super().__init__(scope, environment.name_of("model-endpoint"))
        name = environment.name_of("embed")
        image = BuiltImage(
            self,
            folder=FOLDER,
            target=spec.image_target,
            log_retention=environment.log_retention,
            removal=environment.removal,
        )
        role = self._role(name, image)
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image.uri, environment={"HAYLIFT_ENDPOINT_MODELS": ",".join(spec.models)}
            ),
        )
        model.node.add_dependency(image.build, role)
        config = sagemaker.CfnEndpointConfig(self, "Config", production_variants=[_variant(model, spec)])
        sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_name=name, endpoint_config_name=config.attr_endpoint_config_name
        )
        self.connection = ModelConnection(
            endpoint_name=name, model=environment.embed_model, rights=[invocation_right(self, name)]
        )

    def _role(self, endpoint_name: str, image: BuiltImage) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        image.repository.grant_pull(role)
        streams = self.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws/sagemaker/Endpoints/{endpoint_name}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[f"logs:{action}" for action in LOG_ACTIONS],
                resources=[streams],
            )
        )  # fmt: skip
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "AWS/SageMaker"]}},
            )
        )
        acknowledge(
            role,
            f"IAM5[Resource::arn:{LOG_GROUPS}:/aws/sagemaker/Endpoints/{endpoint_name}:*]",
            "SageMaker names the streams of the endpoint's own log group; only that group is open.",
        )
        acknowledge(
            role,
            "IAM5[Resource::*]",
            "ECR's log-in and PutMetricData know no resources; the metrics are bounded by namespace.",
        )
        return role


def _variant(
    model: sagemaker.CfnModel, spec: ServerlessEndpoint | InstanceEndpoint
) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    config = sagemaker.CfnEndpointConfig
    name, weight = model.attr_model_name, 1
    if isinstance(spec, ServerlessEndpoint):
        return config.ProductionVariantProperty(
            variant_name=VARIANT,
            model_name=name,
            initial_variant_weight=weight,
            serverless_config=config.ServerlessConfigProperty(
                memory_size_in_mb=spec.memory_mib, max_concurrency=spec.max_concurrency
            ),
        )
    return config.ProductionVariantProperty(
        variant_name=VARIANT,
        model_name=name,
        initial_variant_weight=weight,
        instance_type=spec.instance_type,
        initial_instance_count=spec.instances,
        container_startup_health_check_timeout_in_seconds=CONTAINER_START_S,
    )
