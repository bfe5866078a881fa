"""`ops drill`: break something for real, and see that the right alarms ring and clear."""

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from ops import sources
from ops.deployment import Patience
from ops.diagnosis import diagnose
from ops.drill import report, uploads
from ops.drill.catalogue import DRILLS, DRILLS_BY_NAME
from ops.drill.drill import Drill
from ops.drill.ground import Ground
from ops.drill.memory import FILE, Memory
from ops.drill.program import Program, chosen
from ops.drill.reading import lay_out, take_away
from ops.drill.runner import Causes, Runner
from ops.drill.traffic import Users
from ops.drill.verdict import Result, never_rang
from ops.drill.watch import Watch
from ops.faults import EXIT_FAILED, EXIT_OK, EXIT_UNWELL, OpsFault, UsageFault
from ops.gathering import take_snapshot
from ops.rules import RULES
from ops.session import Session
from ops.state import AlarmState

REPAIRS = {
    f"{name.removesuffix('-stop')}-start": name for name in ("model-stop", "cache-stop", "heartbeat-stop")
}
"""The other half of drills whose fault was kept, under a name of its own."""

STATUS_MIN = 3.0
"""How far `ops status` looks back during drills: what an earlier drill did should be over."""

PART = "PART"
"""First word of an alarm that tells nobody by itself."""

LOOK = Patience(connect_s=2.0, read_s=10.0, attempts=2)


def add_list_arguments(_parser: ArgumentParser) -> None:
    """`drill list` has no options of its own."""


def add_undo_arguments(parser: ArgumentParser) -> None:
    """The options of `drill undo`."""
    _add_tenant(parser)


def add_all_arguments(parser: ArgumentParser) -> None:
    """The options of `drill all`."""
    _add_tenant(parser)
    _add_yes(parser)


def add_run_arguments(parser: ArgumentParser) -> None:
    """The options of `drill run`."""
    parser.add_argument("name", help=f"a drill of `drill list`, or {', '.join(REPAIRS)}")
    parser.add_argument(
        "--keep", action="store_true", help="leave the fault in place (`drill undo` repairs it)"
    )
    _add_tenant(parser)
    _add_yes(parser)


def _add_yes(parser: ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="really break it")


def _add_tenant(parser: ArgumentParser) -> None:
    parser.add_argument("--tenant", help="whose documents drills add (and remove); locally the first tenant")


def run_list(session: Session) -> int:
    """Shows all drills."""
    ground = Ground.of(session)
    stage = ground.deployment.stage
    session.terminal.result(
        report.listed_document(DRILLS, stage), report.listed(DRILLS, stage, ground.minute_s)
    )
    return EXIT_OK


def run_undo(session: Session) -> int:
    """Repairs whatever a killed drill may have left; harmless when nothing is broken."""
    ground = Ground.of(session)
    # With the time-outs of a person who waits, and a word about a part that does not answer.
    ground = replace(ground, patience=ground.deployment.patience)
    repaired, failed = _mended(ground, Memory(ground.state_dir))
    removed = 0
    try:
        removed = uploads.remove_all(ground)
        take_away(ground)
    except Exception as fault:  # outermost of one repair: the others count all the same
        failed["files"] = _why(fault)
    nothing = "nothing" if failed else "nothing was broken"
    said = f"repaired: {', '.join(repaired) or nothing}; files of drills removed: {removed}"
    left = [f"not repaired: {name} ({why})" for name, why in failed.items()]
    document = {"repaired": repaired, "files_removed": removed}
    session.terminal.result(document | ({"not_repaired": failed} if failed else {}), [said, *left])
    return EXIT_FAILED if failed else EXIT_OK


def _mended(ground: Ground, memory: Memory) -> tuple[list[str], dict[str, str]]:
    """Repairs all that is written down as broken, each by itself; their names, and why others are not."""
    repaired: list[str] = []
    failed: dict[str, str] = {}
    try:
        broken = memory.broken()
    except OpsFault as fault:
        return repaired, {FILE: fault.detail}
    for name, known in broken.items():
        if name not in DRILLS_BY_NAME:
            failed[name] = (
                f"no such drill here; repair it by the version that began it, or drop it from {FILE}"
            )
            continue
        try:
            DRILLS_BY_NAME[name].fault().repair(ground, known)
            memory.drop(name)
        except Exception as fault:  # outermost of one repair: the others count all the same
            failed[name] = _why(fault)
            continue
        ground.keep_record("drill.end", name)
        repaired.append(name)
    return repaired, failed


def _why(fault: Exception) -> str:
    return fault.detail if isinstance(fault, OpsFault) else f"{type(fault).__name__}: {fault}"


def run_all(session: Session) -> int:
    """Runs every drill that this stage allows."""
    ground = Ground.of(session)
    drills, left_out = chosen(DRILLS, ground)
    _require_yes(session, drills)
    with prepared(ground) as runner:
        results = Program(runner, drills).run()
        never = never_rang(runner.watch.states(), results)
    order = {drill.name: number for number, drill in enumerate(DRILLS)}
    results.sort(key=lambda result: order[result.drill.name])
    return _shown(session, results, never, left_out)


def run_one(session: Session) -> int:
    """Runs one drill, or repairs one whose fault was kept."""
    ground = Ground.of(session)
    name = session.options.name
    if name in REPAIRS:
        return _repair_kept(session, ground, DRILLS_BY_NAME[REPAIRS[name]])
    drill = _wanted(ground, name, is_kept=session.options.keep)
    _require_yes(session, [drill])
    with prepared(ground, keeps_files=session.options.keep) as runner:
        result = runner.run(drill, is_kept=session.options.keep)
    if session.options.keep:
        session.terminal.remark(f"{drill.name} stays broken: `drill undo` repairs it.")
    return _shown(session, [result], (), {})


def _wanted(ground: Ground, name: str, *, is_kept: bool) -> Drill:
    drill = DRILLS_BY_NAME.get(name)
    stage = ground.deployment.stage
    if drill is None:
        known = ", ".join((*DRILLS_BY_NAME, *REPAIRS))
        raise UsageFault("drill_unknown", f"There is no drill {name}; there are {known}.")
    if stage not in drill.stages:
        raise UsageFault("drill_refused", f"{name} does not run on {stage}: {drill.refusal}.")
    if is_kept and not drill.can_keep:
        raise UsageFault("drill_not_kept", f"The fault of {name} lasts only as long as this command.")
    return drill


def _repair_kept(session: Session, ground: Ground, drill: Drill) -> int:
    """Mends what `--keep` left, and waits for the quiet."""
    memory = Memory(ground.state_dir)
    known = memory.broken().get(drill.name)
    if known is None:
        raise UsageFault("drill_not_kept", f"{drill.name} is not under way; `drill run {drill.name} --keep`.")
    with prepared(ground, goes_on=True) as runner:
        result = runner.end(drill, known)
    return _shown(session, [result], (), {})


def _require_yes(session: Session, drills: Sequence[Drill]) -> None:
    if not session.options.yes:
        broken = "; ".join(drill.breaks for drill in drills)
        raise UsageFault("yes_missing", f"This breaks things that users need ({broken}): say so with --yes.")


@contextmanager
def prepared(ground: Ground, *, goes_on: bool = False, keeps_files: bool = False) -> Iterator[Runner]:
    """A runner whose watch looks at the alarms; at the end the drills' files are removed.

    Raises:
        OpsFault: `drill_unfinished`, unless the command `goes_on` with what is broken.
    """
    memory = Memory(ground.state_dir)
    if (broken := memory.broken()) and not goes_on:
        raise OpsFault("drill_unfinished", f"An earlier drill left {', '.join(broken)} broken: `drill undo`.")
    watch = Watch(lambda: alarms_that_tell(sources.alarms(ground.deployment, LOOK)), ground.prefix)
    users = Users(ground)
    try:
        if not goes_on:
            lay_out(ground, users)
        watch.begin()
        yield Runner(ground, watch, lambda: causes_now(ground), memory, users)
    except BaseException:
        ground.is_stopping.set()
        raise
    finally:
        watch.end()
        if not keeps_files:
            for name, why in _mended(ground, memory)[1].items():
                ground.say(name, f"not repaired: {why}")
            uploads.remove_all(ground)
            take_away(ground)


def alarms_that_tell(alarms: Iterable[AlarmState]) -> list[AlarmState]:
    """The alarms that tell somebody; parts of composite alarms do not."""
    return [alarm for alarm in alarms if not alarm.description.startswith(PART)]


def causes_now(ground: Ground) -> Causes:
    """What `ops status` says, its first cause first."""
    minutes = max(1.0, STATUS_MIN * ground.minute_s / 60)
    snapshot = take_snapshot(ground.session, ground.deployment, minutes)
    return tuple(cause.name for cause in diagnose(snapshot, RULES))


def _shown(
    session: Session, results: Sequence[Result], never: Sequence[str], left_out: dict[str, str]
) -> int:
    session.terminal.result(report.document(results, never, left_out), report.lines(results, never, left_out))
    return EXIT_OK if results and all(result.is_good for result in results) else EXIT_UNWELL
