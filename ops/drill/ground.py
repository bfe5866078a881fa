"""What a drill works with: the deployment, its clock, and a voice."""

import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from haylift.audit import Outcome
from haylift.domain.errors import HayliftError

from ops import audit
from ops.deployment import LOCAL_STAGE, Deployment, Patience
from ops.faults import OpsFault
from ops.session import Session

CHOICES_FILE = "choices.json"
"""Where the local system keeps how many real seconds a minute of its alarms lasts."""

REAL_MINUTE_S = 60.0
STEADY = Patience(connect_s=5.0, read_s=30.0, attempts=4)


@dataclass(frozen=True)
class Ground:
    """One deployment under drill.

    Args:
        minute_s: real seconds of one minute of alarm periods, schedules and ages of messages.
        is_stopping: set when the drills are to end early; everything that waits looks at it.
        audit_is_silent: set when a record was not kept; it is told once.
        patience: of clients of AWS's APIs.
    """

    session: Session
    deployment: Deployment
    minute_s: float = REAL_MINUTE_S
    is_stopping: threading.Event = field(default_factory=threading.Event)
    audit_is_silent: threading.Event = field(default_factory=threading.Event)
    patience: Patience = STEADY

    @classmethod
    def of(cls, session: Session) -> "Ground":
        """The ground that the options name. Raises `OpsFault` (`not_deployed`)."""
        deployment = session.deployment()
        return cls(session, deployment, minute_s_of(deployment.stage, Path(session.options.state_dir)))

    @property
    def state_dir(self) -> Path:
        """Of the local system; on AWS a folder of this machine for what drills keep."""
        return Path(self.session.options.state_dir)

    @cached_property
    def prefix(self) -> str:
        """What the names of all resources of the stage begin with."""
        return f"haylift-{self.deployment.stage}-"

    def client(self, service: str) -> Any:
        """A client of AWS's APIs, or of the emulator's."""
        return self.deployment.client(service, self.patience)

    def say(self, drill: str, text: str) -> None:
        """One line of progress with the time; silent with `--json`."""
        self.session.terminal.remark(f"{time.strftime('%H:%M:%S')} {drill:<16} {text}")

    def pause(self, seconds: float) -> bool:
        """Waits; False when the drills are to end."""
        return not self.is_stopping.wait(seconds)

    def keep_record(self, action: str, drill: str) -> None:
        """One record in the audit; a stage without one, or with a fault in it, is drilled all the same."""
        try:
            audit.record(self.deployment, action, drill, Outcome.ALLOWED)
        except (OpsFault, HayliftError, ClientError, BotoCoreError) as fault:
            if not self.audit_is_silent.is_set():
                self.audit_is_silent.set()
                self.say(drill, f"the audit does not have it ({fault}); drills go on, note them by hand")


def minute_s_of(stage: str, state_dir: Path) -> float:
    """Real seconds of an alarm's minute: 60, unless a local system was told otherwise."""
    if stage == LOCAL_STAGE:
        with suppress(OSError, ValueError):
            chosen: Mapping[str, Any] = json.loads((state_dir / CHOICES_FILE).read_text(encoding="utf-8"))
            return float(chosen.get("minute_s", REAL_MINUTE_S))
    return REAL_MINUTE_S
