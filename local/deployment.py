"""The unmodified CDK command line, pointed at the emulator."""

import json
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local import ocr, toolchain
from local.choices import NOTHING_CHOSEN, Choices
from local.faults import LocalFault
from local.layout import Layout
from local.ports import HOST, Ports
from local.services import ACCOUNT, REGION
from local.steps import kept, step
from local.supervisor import Launch, Supervised

BOOTSTRAP_STACK = "CDKToolkit"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
LINES_OF_A_FAILURE = 40
NO_CHANGES = "(no changes)"
COMMANDS = ("synth", "bootstrap", "deploy")
STANDING = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


@dataclass(frozen=True)
class Deployment:
    """Deploys the stage `local` of this checkout to one emulator."""

    layout: Layout
    ports: Ports
    choices: Choices = NOTHING_CHOSEN

    @property
    def address(self) -> str:
        """Where the AWS APIs are."""
        return f"http://{HOST}:{self.ports.emulator}"

    def synthesise(self) -> None:
        """Write the cloud assembly; `LocalFault` with the end of the output when the app fails."""
        context = {
            "stage": "local",
            "cache_endpoint": f"{HOST}:{self.ports.cache}",
            "index_dir": str(self.layout.index),
            **self.choices.context(),
            **({"ocr_packages": str(ocr.packages())} if self.choices.ocr == "on" else {}),
        }
        words = [word for key, value in context.items() for word in ("-c", f"{key}={value}")]
        self._prepare_assembly()
        self._cdk("synth", ["synth", "-q", "-o", str(self.layout.assembly), *words], toolchain.ROOT)
        self.layout.assembly_is_whole.touch()

    def _prepare_assembly(self) -> None:
        """Take back what killed CDK commands have left: half an assembly, and locks in a whole one.

        CDK honours a lock as long as there is a process of its number, even an ended one that nobody has
        waited for. Here no CDK command uses the folder: one command at a time changes a system, and it has
        ended its predecessors' (`end_leftovers`).
        """
        if not self.layout.assembly_is_whole.exists():
            shutil.rmtree(self.layout.assembly, ignore_errors=True)
        self.layout.assembly_is_whole.unlink(missing_ok=True)
        for lock in self.layout.assembly.glob("*.lock"):
            lock.unlink()

    def bootstrap(self) -> None:
        """Make the bucket for assets, once per state of the emulator."""
        if self._has_stack(BOOTSTRAP_STACK):
            kept("the bootstrap stack is there")
        else:
            # In a folder without cdk.json, so that the app is not synthesised for it.
            self._cdk("bootstrap", ["bootstrap", f"aws://{ACCOUNT}/{REGION}"], self.layout.state)

    def deploy(self) -> None:
        """Bring all stacks to what was synthesised; quick when nothing has changed."""
        options = ["--all", "--require-approval", "never", "--method", "direct", "--progress", "events"]
        files = ["-a", str(self.layout.assembly), "--outputs-file", str(self.layout.stack_outputs)]
        self._cdk("deploy", ["deploy", *files, *options], toolchain.ROOT)

    def run(self) -> None:
        """Synthesise and bootstrap side by side, then deploy; every step with its time."""
        self.end_leftovers()
        with ThreadPoolExecutor(1) as aside, step("synthesise the CDK app, bootstrap"):
            bootstrapped = aside.submit(self.bootstrap)
            self.synthesise()
            bootstrapped.result()
        with step("deploy the stacks"):
            self.deploy()
        if unchanged := self._supervised("deploy").log.read_text(encoding="utf-8").count(NO_CHANGES):
            kept(f"{unchanged} stacks are as synthesised")

    def outputs(self) -> dict[str, str]:
        """The outputs of all stacks by key."""
        stacks = json.loads(self.layout.stack_outputs.read_text(encoding="utf-8"))
        return {key: value for outputs in stacks.values() for key, value in outputs.items()}

    def _has_stack(self, name: str) -> bool:
        client = self._client("cloudformation")
        try:
            found = client.describe_stacks(StackName=name)["Stacks"]
        except ClientError:
            return False
        finally:
            client.close()
        return bool(found and found[0]["StackStatus"] in STANDING)

    def _client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # the stubs list each name
            service, endpoint_url=self.address, region_name=REGION, aws_access_key_id="test",
            aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 2}),  # noqa: S106
        )  # fmt: skip

    def end_leftovers(self) -> None:
        """End CDK commands that an earlier run, killed meanwhile, has left running."""
        for name in COMMANDS:
            self._supervised(name).stop(at_once=True)

    def _supervised(self, name: str) -> Supervised:
        record = self.layout.processes / f"cdk-{name}.json"
        return Supervised(f"cdk {name}", record, self.layout.logs / f"cdk-{name}.log")

    def _cdk(self, name: str, arguments: Sequence[str], folder: Path) -> None:
        environment = {
            **{
                key: value for key, value in toolchain.cdk_environment().items() if not key.startswith("AWS_")
            },
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.address,
            "AWS_REGION": REGION,
            "NO_PROXY": HOST,
        }
        process = self._supervised(name)
        process.log.unlink(missing_ok=True)
        command = [str(toolchain.CDK), *arguments, "--no-color", "--no-notices"]
        if process.run(Launch(command, environment, folder, name)) != 0:
            end = process.last_lines(LINES_OF_A_FAILURE)
            raise LocalFault(f"`cdk {name}` failed; the end of {process.log}:\n{end}")
