"""What drills are tried with: alarms moved by hand, a fault that counts, a ground without a network."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ops.deployment import Deployment
from ops.drill.drill import Drill
from ops.drill.faults import Fault
from ops.drill.ground import Ground
from ops.drill.memory import Memory
from ops.drill.runner import Runner
from ops.drill.traffic import Users
from ops.drill.watch import Watch
from ops.session import Session
from ops.state import AlarmState
from ops.terminal import Terminal
from tests.fakes.ops import captured_world

PREFIX = "haylift-local-"


def alarm(name: str, state: str) -> AlarmState:
    """One alarm of the stage `local`."""
    return AlarmState(
        name=PREFIX + name, state=state, severity="PAGE", since="", symptom="", runbook="", description="PAGE"
    )


@dataclass
class HandAlarms:
    """Alarms that a test, or a fault, moves."""

    states: dict[str, str] = field(default_factory=dict)

    def look(self) -> list[AlarmState]:
        """All of them as they are."""
        return [alarm(name, state) for name, state in self.states.items()]


@dataclass(frozen=True)
class QuietGround(Ground):
    """A ground that audits nothing and says nothing."""

    kept: list[tuple[str, str]] = field(default_factory=list)

    def keep_record(self, action: str, drill: str) -> None:
        """Remembers it for the test."""
        self.kept.append((action, drill))


def ground(state_dir: Path) -> QuietGround:
    """A ground whose minute is a hundredth of a second."""
    world = captured_world()
    terminal = Terminal(out=world.out, err=world.err)
    options = Namespace(state_dir=str(state_dir), tenant="acme", stage="local")
    deployment = Deployment(stage="local", region="eu-central-1", outputs={})
    return QuietGround(Session(options=options, world=world, terminal=terminal), deployment, minute_s=0.01)


@dataclass
class RingingFault(Fault):
    """Makes alarms ring while it is there, and writes down what is done to it."""

    alarms: HandAlarms
    rings: tuple[str, ...]
    memory: Memory
    watch: Watch
    log: list[str] = field(default_factory=list)
    stays: tuple[str, ...] = ()
    breaks_down: bool = False

    def learn(self, ground: Ground) -> Mapping[str, Any]:
        """Something to remember."""
        self.log.append("learn")
        return {"before": 7}

    def inject(self, ground: Ground, known: Mapping[str, Any]) -> None:
        """Rings, or fails to break anything."""
        self.log.append(f"inject, written down: {'drill' in self.memory.broken()}")
        if self.breaks_down:
            raise OSError("no such part")
        self.alarms.states.update(dict.fromkeys(self.rings, "ALARM"))
        self.watch.look_once()

    def repair(self, ground: Ground, known: Mapping[str, Any]) -> None:
        """Everything is OK again but what stays."""
        self.log.append(f"repair of {known['before']}")
        quiet = {name: "OK" for name in self.alarms.states if name not in self.stays}
        self.alarms.states.update(quiet)
        self.watch.look_once()


@dataclass
class Stand:
    """One drill ready to be tried."""

    runner: Runner
    drill: Drill
    fault: RingingFault
    alarms: HandAlarms


def stand(
    state_dir: Path,
    *,
    rings: tuple[str, ...] = ("a-symptom",),
    causes: tuple[str, ...] = ("a-cause",),
    **fault: Any,
) -> Stand:
    """A drill that must make `a-symptom` ring, and a fault that makes `rings` ring."""
    place = ground(state_dir)
    alarms = HandAlarms({"a-symptom": "OK", "another": "OK", "third": "OK"})
    watch, memory = Watch(alarms.look, PREFIX), Memory(state_dir)
    watch.look_once()
    ringing = RingingFault(alarms, rings, memory, watch, **fault)
    drill = Drill(
        name="drill",
        breaks="a part",
        felt="nothing",
        fault=lambda: cast("Fault", ringing),
        traffic=(),
        rings={"a-symptom": 2},
        may_ring=("another",),
        causes=("a-cause",),
        clear_min=5,
        parts=frozenset({"part"}),
        can_keep=True,
    )
    runner = Runner(place, watch, lambda: causes, memory, Users(place), slack_s=0.2, ask_status_every_s=0.0)
    return Stand(runner, drill, ringing, alarms)
