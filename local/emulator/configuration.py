"""What the emulator is told by its launcher, through environment variables."""

import os
from dataclasses import dataclass
from pathlib import Path

PREFIX = "HAYLIFT_EMULATOR_"


@dataclass(frozen=True)
class Configuration:
    """Addresses, folders and limits of one emulator."""

    port: int
    """On 127.0.0.1."""
    state: Path
    """What outlives a restart."""
    archive_cache: Path
    """Extracted code and layers; may be shared between emulators."""
    runtime_python: Path
    """Interpreter of the functions."""
    workers_per_function: int
    """Processes of one function version at a time, for each of its queues; further invocations wait."""
    parallel_spawns: int
    """Processes that may initialise at a time."""
    warm_s: float
    """A process beyond a function's first is ended after so long without work."""
    alarm_period_s: float
    """How often alarms are evaluated."""
    queue_metrics_period_s: float
    """How often queues are measured; CloudWatch has them once a minute."""
    minute_s: float
    """Real seconds of one minute of alarm periods, schedules and ages of messages; 60 is real time."""
    service_addresses: dict[str, str]
    """AWS_ENDPOINT_URL variables that functions receive."""
    patches_can_be_switched: bool
    """For tests: `POST /_haylift/patches/NAME?state=on|off` is answered."""

    @property
    def pace(self) -> float:
        """How many seconds of alarms, schedules and ages pass in one real second."""
        return 60 / self.minute_s

    @property
    def scratch(self) -> Path:
        """Parent of the functions' own TMPDIRs; emptied at start."""
        return self.state / "tmp"


def read_configuration(environment: dict[str, str]) -> Configuration:
    """The configuration in `environment`; every name has a default that fits a checkout."""
    root = Path(__file__).resolve().parents[2]

    def setting(name: str, default: object) -> str:
        return environment.get(PREFIX + name, str(default))

    port, minute_s = int(setting("PORT", 4566)), float(setting("MINUTE_S", 60))
    addresses = {k: v for k, v in environment.items() if k.startswith("AWS_ENDPOINT_URL_") and v}
    return Configuration(
        port=port,
        state=Path(setting("STATE", root / ".local" / "emulator")).absolute(),
        archive_cache=Path(setting("ARCHIVES", root / ".tools" / "lambda-cache")),
        # Not resolved: the link is what makes it the virtual environment's interpreter.
        runtime_python=Path(setting("RUNTIME_PYTHON", root / ".tools" / "lambda-runtime" / "bin" / "python")),
        workers_per_function=int(setting("WORKERS", 2)),
        parallel_spawns=int(setting("PARALLEL_SPAWNS", 2)),
        warm_s=float(setting("WARM_S", 60)),
        alarm_period_s=float(setting("ALARM_PERIOD_S", min(2.0, minute_s / 10))),
        queue_metrics_period_s=float(setting("QUEUE_METRICS_PERIOD_S", minute_s / 6)),
        minute_s=minute_s,
        service_addresses={"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", **addresses},
        patches_can_be_switched=setting("SWITCHES", "0") == "1",
    )


CONFIGURATION = read_configuration(dict(os.environ))
