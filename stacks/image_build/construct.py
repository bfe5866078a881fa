"""A folder with a Containerfile becomes an image in ECR, built by CodeBuild during the deployment."""

import base64
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from stacks.acknowledgements import acknowledge

TRIGGER = Path(__file__).parent / "trigger"
BUILD_MINUTES = 45
KEPT_IMAGES = 5
NOT_IN_IMAGE = ["/*", "!/Containerfile", "!/.dockerignore", "!/requirements", "!/haylift_endpoint"]
COMPILED = ["__pycache__", "*.pyc"]


def answering_command() -> str:
    """The build's last command; what it runs travels inside, the source archive holds only the image's."""
    program = base64.b64encode((TRIGGER / "trigger.py").read_bytes()).decode()
    return f"printf %s '{program}' | base64 -d > /tmp/answer.py && python3 /tmp/answer.py"


class BuiltImage(Construct):
    """`uri` names the image of exactly this folder's content; what uses it must depend on `build`.

    Args:
        folder: holds the Containerfile.
        target: stage of the Containerfile to build.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        folder: Path,
        target: str,
        log_retention: logs.RetentionDays,
        removal: cdk.RemovalPolicy,
    ) -> None:
        super().__init__(scope, "Image")
        self._log_retention = log_retention
        source = assets.Asset(
            self,
            "Source",
            path=str(folder),
            exclude=[*NOT_IN_IMAGE, *COMPILED],
            ignore_mode=cdk.IgnoreMode.GIT,
        )
        self.repository = ecr.Repository(
            self,
            "Repository",
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            lifecycle_rules=[ecr.LifecycleRule(max_image_count=KEPT_IMAGES)],
            removal_policy=removal,
        )
        tag = f"{target}-{source.asset_hash}"
        self.uri = self.repository.repository_uri_for_tag(tag)
        self.build = cdk.CustomResource(
            self,
            "Build",
            service_token=self._trigger(self._project(source, target, tag)).function_arn,
            properties={"Image": self.uri},
        )
        # As a number: CDK writes a text, which CloudFormation's schema warns about.
        resource = self.build.node.default_child
        assert isinstance(resource, cdk.CfnResource)
        resource.add_property_override("ServiceTimeout", (BUILD_MINUTES + 10) * 60)

    def _project(self, source: assets.Asset, target: str, tag: str) -> codebuild.Project:
        image = f"{self.repository.repository_uri}:{tag}"
        registry = cdk.Fn.select(0, cdk.Fn.split("/", self.repository.repository_uri))
        log_in = f'aws ecr get-login-password | docker login -u AWS --password-stdin "{registry}"'
        # Tags are immutable: a second build of the same content has nothing to do.
        is_there = (
            f"aws ecr describe-images --repository-name {self.repository.repository_name} "
            f"--image-ids imageTag={tag}"
        )
        make = f"DOCKER_BUILDKIT=1 docker build -f Containerfile --target {target} -t {image} ."
        project = codebuild.Project(
            self,
            "Project",
            source=codebuild.Source.s3(bucket=source.bucket, path=source.s3_object_key),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.STANDARD_7_0,
                compute_type=codebuild.ComputeType.MEDIUM,
                privileged=True,
            ),
            timeout=cdk.Duration.minutes(BUILD_MINUTES),
            grant_report_group_permissions=False,
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self._log("BuildLog"))
            ),
            build_spec=codebuild.BuildSpec.from_object({
                "version": "0.2",
                "phases": {
                    "build": {"commands": [log_in, f"{is_there} || ({make} && docker push {image})"]},
                    "post_build": {"commands": [answering_command()]},
                },
            }),
        )  # fmt: skip
        self.repository.grant_pull_push(project)
        self.repository.grant(project, "ecr:DescribeImages")
        _acknowledge_project(project)
        return project

    def _trigger(self, project: codebuild.Project) -> lambda_.Function:
        log = self._log("TriggerLog")
        role = iam.Role(self, "TriggerRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log.grant_write(role)
        role.add_to_policy(
            iam.PolicyStatement(actions=["codebuild:StartBuild"], resources=[project.project_arn])
        )
        trigger = lambda_.Function(
            self,
            "Trigger",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(TRIGGER), exclude=COMPILED),
            handler="trigger.handler",
            timeout=cdk.Duration.seconds(60),
            environment={"PROJECT_NAME": project.project_name},
            role=role,
            log_group=log,
        )
        acknowledge(
            trigger, "L1", "Python 3.13 is the one version that the whole project runs and is tested with."
        )
        return trigger

    def _log(self, name: str) -> logs.LogGroup:
        return logs.LogGroup(
            self, name, retention=self._log_retention, removal_policy=cdk.RemovalPolicy.DESTROY
        )


def _acknowledge_project(project: codebuild.Project) -> None:
    resource = project.node.default_child
    assert isinstance(resource, codebuild.CfnProject)
    name = cdk.Stack.of(project).get_logical_id(resource)
    log_groups = "<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group"
    streams = f"Resource::arn:{log_groups}:/aws/codebuild/<{name}>:*"
    reasons_by_finding = {
        "Action::s3:GetBucket*": "CDK's own grant to read the one source archive.",
        "Action::s3:GetObject*": "CDK's own grant to read the one source archive.",
        "Action::s3:List*": "CDK's own grant to read the one source archive.",
        streams: "CodeBuild itself names the streams of its own log.",
        "Resource::*": "The log-in to ECR knows no resources; pulling and pushing know one.",
    }
    for finding, reason in reasons_by_finding.items():
        acknowledge(project, f"IAM5[{finding}]", reason)
    acknowledge(project, "CB4", "The build has no artifacts: its product is an image, which ECR encrypts.")
