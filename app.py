"""The CDK app: `cdk deploy --all -c stage=local|dev|prod` deploys one stage."""

import aws_cdk as cdk

from stacks.application import add_stacks
from stacks.environment import ContextFault
from stacks.environments import read_environment


def main() -> None:
    """Writes the cloud assembly of the stage that the context names; a wrong context ends with its fault."""
    app = cdk.App()
    try:
        environment = read_environment(app.node.try_get_context)
    except ContextFault as fault:
        raise SystemExit(f"cdk: {fault}") from fault
    add_stacks(app, environment)
    app.synth()


if __name__ == "__main__":
    main()
