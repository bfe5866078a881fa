"""`ops ingest pause|resume|gate`: the lanes as an operator closes and opens them."""

from argparse import ArgumentParser
from collections.abc import Sequence

from haylift.domain.documents import Lane
from haylift.domain.lanes import Holder

from ops.at_hand import at_hand
from ops.changes import audited
from ops.deployment import Deployment
from ops.faults import EXIT_OK, EXIT_UNWELL, UsageFault
from ops.lanes import hold_store, lane_sources, pause, resume
from ops.session import Session

ALL = "all"
ON, OFF = "on", "off"
PAUSE_WARNING = (
    "Nothing that any tenant puts into {lanes} would reach the search until it is resumed; nothing is lost."
)
GATE_WARNING = (
    "The lanes would be opened within a minute though the model endpoint may not answer: each message could "
    "be received again and again, and become a dead letter after ten times."
)


def add_pause_arguments(parser: ArgumentParser) -> None:
    """The options of `ops ingest pause`."""
    _add_lane(parser)
    parser.add_argument("--yes", action="store_true", help="needed for what users feel")


def add_resume_arguments(parser: ArgumentParser) -> None:
    """The options of `ops ingest resume`."""
    _add_lane(parser)


def add_gate_arguments(parser: ArgumentParser) -> None:
    """The options of `ops ingest gate`."""
    parser.add_argument("value", choices=(ON, OFF), help="off: it opens what it holds, and closes nothing")
    parser.add_argument("--yes", action="store_true", help="needed to switch it off")


def _add_lane(parser: ArgumentParser) -> None:
    lanes = (*(lane.value for lane in Lane), ALL)
    parser.add_argument("--lane", choices=lanes, default=ALL, help="default %(default)s")


def run_pause(session: Session) -> int:
    """Closes lanes; the gate does not open them.

    Raises:
        UsageFault: `yes_missing`.
    """
    options, lanes = session.options, _lanes(session)
    if not options.yes:
        command = at_hand(f"python -m ops ingest pause --lane {options.lane} --yes", options)
        warning = PAUSE_WARNING.format(lanes=" and ".join(lanes))
        raise UsageFault("yes_missing", f"{warning} To do it: {command}")
    deployment = session.deployment()
    pause(session, deployment, lanes)
    return _told(session, deployment, "ingest.pause", lanes, ())


def run_resume(session: Session) -> int:
    """Opens lanes; exit code 3 when the gate still holds one."""
    deployment, lanes = session.deployment(), _lanes(session)
    held = resume(session, deployment, lanes)
    return _told(session, deployment, "ingest.resume", lanes, held)


def run_gate(session: Session) -> int:
    """Lets the gate act, or not.

    Raises:
        UsageFault: `yes_missing`.
    """
    options, is_on = session.options, session.options.value == ON
    if not is_on and not options.yes:
        command = at_hand("python -m ops ingest gate off --yes", options)
        raise UsageFault("yes_missing", f"{GATE_WARNING} To do it: {command}")
    deployment = session.deployment()
    hold_store(deployment).switch_gate(is_on=is_on)
    audited(deployment, "ingest.gate", options.value, done=f"the gate is {options.value}")
    _show(session, deployment)
    return EXIT_OK


def _lanes(session: Session) -> Sequence[Lane]:
    asked = session.options.lane
    return tuple(Lane) if asked == ALL else (Lane(asked),)


def _told(
    session: Session, deployment: Deployment, action: str, lanes: Sequence[Lane], gated: Sequence[Lane]
) -> int:
    names = ",".join(lanes)
    audited(deployment, action, names, done=f"{action} {names}")
    _show(session, deployment)
    if not gated:
        return EXIT_OK
    text = (
        f"The gate holds {', '.join(gated)} until the model endpoint answers, and opens them then; "
        "not to wait: python -m ops ingest gate off --yes"
    )
    session.terminal.remark(at_hand(text, session.options))
    return EXIT_UNWELL


def _show(session: Session, deployment: Deployment) -> None:
    holds = hold_store(deployment).read()
    states = {source.queue: source.state for source in lane_sources(deployment)}
    rows = [
        {
            "lane": lane.value,
            "state": states.get(lane.value, "missing"),
            "paused_by_operator": Holder.OPERATOR in holds.holders(lane),
            "closed_by_gate": Holder.GATE in holds.holders(lane),
        }
        for lane in Lane
    ]
    lines = [
        f"{row['lane']:12} {row['state']:10}"
        + ("  paused by an operator" if row["paused_by_operator"] else "")
        + ("  closed by the gate" if row["closed_by_gate"] else "")
        for row in rows
    ]
    gate = ON if holds.is_gate_on else OFF
    session.terminal.result({"lanes": rows, "gate": gate}, [*lines, f"gate         {gate}"])
