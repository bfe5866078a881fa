"""`ops status`: what users feel now and why, in one screen and within five seconds."""

from argparse import ArgumentParser, ArgumentTypeError
from contextlib import suppress
from dataclasses import dataclass, replace

from ops.at_hand import at_hand
from ops.diagnosis import Cause, Severity, diagnose
from ops.faults import EXIT_FAILED, EXIT_OK, EXIT_UNWELL
from ops.gathering import take_snapshot
from ops.rules import RULES
from ops.session import Session
from ops.state import HEALTH, METRICS, PAGE, AlarmState, Snapshot
from ops.status_document import document
from ops.status_screen import screen

DEFAULT_MINUTES = 5.0
MAX_MINUTES = 180.0
LEAST_WATCH_S = 2.0
ESSENTIAL = (METRICS, HEALTH)
"""Without one of these nobody can say that everything works."""


@dataclass(frozen=True)
class Verdict:
    """The first line, and the exit code that says the same."""

    text: str
    exit_code: int


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `ops status`."""
    parser.add_argument(
        "--minutes", type=_minutes, default=DEFAULT_MINUTES, metavar="N", help="how far back (default 5)"
    )
    parser.add_argument(
        "--watch", type=_seconds, metavar="S", help="look again every S seconds, until Ctrl-C"
    )
    parser.epilog = "exit codes: 0 everything works, 1 cannot look, 2 asked wrongly, 3 something is wrong"


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes <= MAX_MINUTES:
        raise ArgumentTypeError(f"{text} does not lie between 0 and {MAX_MINUTES:g}")
    return minutes


def _seconds(text: str) -> float:
    seconds = float(text)
    if seconds < LEAST_WATCH_S:
        raise ArgumentTypeError(f"{text} is less than {LEAST_WATCH_S:g}")
    return seconds


def run(session: Session) -> int:
    """Shows the status, once or again and again; gives the last look's exit code."""
    exit_code = _look(session)
    with suppress(KeyboardInterrupt):
        while session.options.watch is not None:
            session.world.sleep(session.options.watch)
            exit_code = _look(session)
    return exit_code


def _look(session: Session) -> int:
    snapshot = take_snapshot(session, session.deployment(), session.options.minutes)
    causes = tuple(
        replace(cause, commands=tuple(at_hand(text, session.options) for text in cause.commands))
        for cause in diagnose(snapshot, RULES)
    )
    verdict = verdict_of(snapshot, causes)
    session.terminal.result(
        document(snapshot, causes, verdict.text), [verdict.text, "", *screen(snapshot, causes)]
    )
    return verdict.exit_code


def verdict_of(snapshot: Snapshot, causes: tuple[Cause, ...]) -> Verdict:
    """The first line: the worst cause, else an alarm without one, else what could not be seen."""
    if causes and causes[0].severity > Severity.NOTICE:
        return Verdict(causes[0].sentence, EXIT_UNWELL)
    ringing = sorted(
        (alarm for alarm in snapshot.alarms if alarm.is_telling), key=lambda a: (a.severity != PAGE, a.since)
    )
    if ringing:
        return Verdict(_ringing(ringing, causes), EXIT_UNWELL)
    if snapshot.health is not None and snapshot.health.status != "healthy":
        felt = f"GET /health says {snapshot.health.status}, and no cause is seen"
        return Verdict(f"{felt}; runbook docs/runbooks/search-errors.md", EXIT_UNWELL)
    is_health_slow = any(cause.name == "health-slow" for cause in causes)
    unseen = [name for name in ESSENTIAL if name in snapshot.unanswered]
    unseen = [name for name in unseen if name != HEALTH or not is_health_slow]
    if unseen:
        why = snapshot.unanswered[unseen[0]]
        return Verdict(f"Cannot say how users fare: no answer from {', '.join(unseen)} ({why})", EXIT_FAILED)
    if causes:
        return Verdict(
            f"Everything works; {causes[0].felt[0].lower()}{causes[0].felt[1:]}: {causes[0].because}", EXIT_OK
        )
    return Verdict("Everything works", EXIT_OK)


def _ringing(alarms: list[AlarmState], causes: tuple[Cause, ...]) -> str:
    """What to say of alarms that no cause of users' pain stands behind, the worst first."""
    alarm = alarms[0]
    more = f" and {len(alarms) - 1} more" if len(alarms) > 1 else ""
    runbook = f"; runbook {alarm.runbook}" if alarm.runbook else ""
    likely = next((cause for cause in causes if alarm.runbook.endswith(f"/{cause.runbook}.md")), None)
    why = f" ({likely.felt[0].lower()}{likely.felt[1:]}: {likely.because})" if likely else ""
    unknown = "" if likely else ", and no cause for it is seen now"
    return f"An alarm rings{unknown}: {alarm.name}{more} since {alarm.since}{why}{runbook}"
