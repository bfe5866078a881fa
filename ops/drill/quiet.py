"""The other half of a drill: users do what they do, nothing is broken, and no alarm may ring."""

from argparse import ArgumentParser
from collections import Counter
from contextlib import ExitStack

from ops.drill.commands import prepared
from ops.drill.ground import Ground
from ops.drill.traffic import Kind, Rate, Traffic
from ops.faults import EXIT_OK, EXIT_UNWELL
from ops.session import Session

HEALTHY = (
    Rate(kind=Kind.SEARCH, per_minute=24),
    Rate(kind=Kind.QUESTION, per_minute=4),
    Rate(kind=Kind.TOUR, per_minute=6),
    Rate(kind=Kind.SMALL_FILE, per_minute=3, is_bulk=True),
)
"""A working day of a small tenant."""

FIRST_HEARTBEATS_MIN = 6.0


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `drill quiet`."""
    parser.add_argument("--tenant", help="who searches and uploads; locally the first tenant")
    parser.add_argument(
        "--minutes", type=float, default=30.0, metavar="N", help="of the alarms' clock (default %(default)g)"
    )


def run(session: Session) -> int:
    """Lets users work for a while, and says which alarms rang."""
    ground = Ground.of(session)
    minutes = session.options.minutes
    with prepared(ground) as runner:
        watch = runner.watch
        watch.wait_for(lambda: not watch.ringing(), FIRST_HEARTBEATS_MIN * ground.minute_s)
        began = runner.now()
        traffic = [Traffic(ground, runner.users, rate) for rate in HEALTHY]
        with ExitStack() as stack:
            for one in traffic:
                stack.enter_context(one.running())
            ground.say("quiet", f"users work for {minutes * ground.minute_s:.0f} s")
            watch.wait_for(lambda: False, minutes * ground.minute_s)
        rang = sorted(watch.rang_since(began))
    requests = dict(sum((one.outcomes for one in traffic), Counter[str]()))
    said = f"rang: {', '.join(rang) or 'nothing'}; requests: {requests}"
    session.terminal.result({"rang": rang, "minutes": minutes, "requests": requests}, [said])
    return EXIT_UNWELL if rang else EXIT_OK
