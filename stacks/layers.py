"""The layers of one stack. Each stack has its own versions: a layer's ARN changes with its content, and
CloudFormation refuses to change an export that another stack uses."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.layer_recipe import CORE, PAGES, BundleTarget, layer_archive

API_LAYERS = (CORE, "api")
REFERENCE_LAYERS = (*API_LAYERS, PAGES)
SEARCH_LAYERS = (*API_LAYERS, "search")
INGESTION_LAYERS = (*SEARCH_LAYERS, "parsing")


class Layers(Construct):
    """Layer versions by name, made when a function first asks for them."""

    def __init__(self, scope: Construct, target: BundleTarget) -> None:
        super().__init__(scope, "Layers")
        self._target = target
        self._versions_by_name: dict[str, lambda_.LayerVersion] = {}

    def versions(self, names: tuple[str, ...]) -> list[lambda_.LayerVersion]:
        """The versions of `names`, lowest first."""
        for name in names:
            if name not in self._versions_by_name:
                self._versions_by_name[name] = self._version(name)
        return [self._versions_by_name[name] for name in names]

    def _version(self, name: str) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            name,
            code=lambda_.Code.from_asset(str(layer_archive(name, self._target))),
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[architecture_of(self._target)],
            # Versions of functions that `live` may go back to still name the layer.
            removal_policy=RemovalPolicy.RETAIN,
        )


def architecture_of(target: BundleTarget) -> lambda_.Architecture:
    """Lambda's architecture for packages built for `target`."""
    return lambda_.Architecture.ARM_64 if target.architecture == "arm64" else lambda_.Architecture.X86_64
