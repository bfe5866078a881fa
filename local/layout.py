"""Where a local system keeps what: everything below one state folder."""

from dataclasses import dataclass
from pathlib import Path

from local.toolchain import ROOT

MARKER = "haylift-local-system"
DEFAULT_STATE = ROOT / ".local"


@dataclass(frozen=True)
class Layout:
    """The paths of one local system. Several may live side by side, each in a folder of its own."""

    state: Path

    @property
    def marker(self) -> Path:
        """Shows that the folder is ours: only then is it ever removed."""
        return self.state / MARKER

    @property
    def emulator(self) -> Path:
        """State of the AWS services."""
        return self.state / "emulator"

    @property
    def index(self) -> Path:
        """The sqlite indexes; valid only together with the emulator's state."""
        return self.state / "index"

    @property
    def cache(self) -> Path:
        """Working folder of Valkey, which keeps nothing."""
        return self.state / "cache"

    @property
    def logs(self) -> Path:
        """Output of every process and of the CDK command line."""
        return self.state / "logs"

    @property
    def processes(self) -> Path:
        """One file per running process."""
        return self.state / "processes"

    @property
    def ports(self) -> Path:
        """The ports in use, so that addresses survive a restart."""
        return self.state / "ports.json"

    @property
    def choices(self) -> Path:
        """What the user has chosen, so that a later `up` without the options keeps it."""
        return self.state / "choices.json"

    @property
    def assembly(self) -> Path:
        """What the CDK app was synthesised to."""
        return self.state / "cdk.out"

    @property
    def assembly_is_whole(self) -> Path:
        """There unless a synthesis was cut off: CDK would take its half-copied assets for whole ones."""
        return self.state / "cdk.out.is-whole"

    @property
    def stack_outputs(self) -> Path:
        """CloudFormation's outputs, as the CDK command line writes them."""
        return self.state / "stack-outputs.json"

    @property
    def outputs(self) -> Path:
        """What a user or a test needs to know of the system."""
        return self.state / "outputs.json"

    @property
    def seeded(self) -> Path:
        """Written when the users exist."""
        return self.emulator / "users-seeded"

    @property
    def lock(self) -> Path:
        """Held by the command that changes the system."""
        return self.state / "lock"

    def create(self) -> None:
        """Make the folders; harmless when they are there."""
        for folder in (self.emulator, self.index, self.cache, self.logs, self.processes):
            folder.mkdir(parents=True, exist_ok=True)
        self.marker.touch()
