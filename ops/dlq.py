"""`ops dlq`: dead letters by cause, and their way back to work."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from typing import Any

from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_ledger_attempts import forget_attempts

from ops import redelivery
from ops.at_hand import at_hand
from ops.changes import audited
from ops.deployment import QUEUES, Deployment
from ops.faults import EXIT_OK, EXIT_UNWELL, UsageFault
from ops.letters import BATCH, MOST_LETTERS, Cause, DeadLetters, Letter, RowOf, shown
from ops.session import Session

AUDIT = "audit"
ALL = "all"
DEFAULT_SHOWN = 20
DEFAULT_PER_SECOND = 50.0
"""Dispatch and ingestion take them as fast as they can anyway; this bounds what the ledger is asked."""

REMARK_EVERY = 500

type Act = Callable[[DeadLetters, Sequence[Letter]], int]


def add_list_arguments(_parser: ArgumentParser) -> None:
    """`ops dlq list` has no options of its own."""


def add_show_arguments(parser: ArgumentParser) -> None:
    """The options of `ops dlq show`."""
    _add_choice(parser)
    parser.add_argument("--limit", type=int, default=DEFAULT_SHOWN, metavar="N", help="default %(default)s")


def add_change_arguments(parser: ArgumentParser) -> None:
    """The options of `ops dlq redrive` and `ops dlq discard`."""
    _add_choice(parser)
    parser.add_argument(
        "--limit", type=int, default=MOST_LETTERS, metavar="N", help="at most so many (default: all)"
    )
    parser.add_argument(
        "--per-second", type=float, default=DEFAULT_PER_SECOND, metavar="N", help="default %(default)s"
    )
    parser.add_argument("--yes", action="store_true", help="really do it; without it nothing changes")


def _add_choice(parser: ArgumentParser) -> None:
    parser.add_argument("queue", choices=(*QUEUES, AUDIT, ALL), help="whose dead letters")
    parser.add_argument(
        "--cause", choices=[cause.value for cause in Cause], help="only letters of this cause"
    )


def run_list(session: Session) -> int:
    """Counts by queue and cause; exit code 3 when there are any."""
    deployment = session.deployment()
    row_of = _rows(deployment)
    counts: dict[str, dict[str, int]] = {}
    for name in QUEUES:
        with DeadLetters(deployment, name, row_of) as queue:
            counts[f"{name}-dead"] = dict(Counter(letter.cause.value for letter in queue.letters()))
    counts[f"{AUDIT}-dead"] = _audit_count(deployment)
    total = sum(sum(causes.values()) for causes in counts.values())
    lines = [
        f"{name:17} {', '.join(f'{cause} {count}' for cause, count in sorted(causes.items())) or 'none'}"
        for name, causes in counts.items()
    ]
    session.terminal.result({"queues": counts, "total": total}, lines)
    return EXIT_UNWELL if total else EXIT_OK


def _audit_count(deployment: Deployment) -> dict[str, int]:
    url = deployment.outputs.get(redelivery.DEAD_QUEUE_OUTPUT)
    if url is None:
        return {}
    asked = ["ApproximateNumberOfMessages"]
    found = deployment.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"]
    count = int(found[asked[0]])
    return {"delivery_failed": count} if count else {}


def run_show(session: Session) -> int:
    """Shows single letters, and what the ledger says of each.

    Raises:
        UsageFault: `other_command` for the audit's.
    """
    deployment, options = session.deployment(), session.options
    rows: list[dict[str, Any]] = []
    for name in _queues(session):
        with DeadLetters(deployment, name, _rows(deployment)) as queue:
            rows += [shown(letter) for letter in _chosen(queue, options.cause, options.limit - len(rows))]
    session.terminal.result({"letters": rows}, map(_line, rows))
    return EXIT_UNWELL if rows else EXIT_OK


def run_redrive(session: Session) -> int:
    """Sends letters back to the queues that gave them up: counts, and with `--yes` does it."""
    deployment = session.deployment()

    def act(queue: DeadLetters, letters: Sequence[Letter]) -> int:
        for letter in letters:
            if letter.cause is Cause.WORKER_DIED:
                forget_attempts(
                    deployment.output("LedgerTableName"),
                    deployment.client("dynamodb"),
                    tenant=letter.tenant,
                    document_id=letter.document_id,
                    revision=letter.revision,
                )
        return queue.move_back(letters)

    return _change(session, deployment, "redrive", act)


def run_discard(session: Session) -> int:
    """Throws letters away: counts, and with `--yes` does it. Their documents stay as the ledger says."""
    return _change(session, session.deployment(), "discard", lambda queue, letters: queue.remove(letters))


def _change(session: Session, deployment: Deployment, verb: str, act: Act) -> int:
    """What is done is gone from the queue: a command that was ended goes on when it is given again."""
    options, found, done = session.options, Counter[str](), 0
    if options.per_second <= 0:
        raise UsageFault("invalid_rate", "--per-second is a number above 0.")
    for name in _queues(session):
        with DeadLetters(deployment, name, _rows(deployment)) as queue:
            letters = _chosen(queue, options.cause, options.limit - sum(found.values()))
            in_queue = 0
            for part in batched(letters, BATCH, strict=False):
                found.update(letter.cause.value for letter in part)
                if options.yes:
                    in_queue += act(queue, part)
                    _progress(session, verb, done + in_queue)
                    session.world.sleep(len(part) / options.per_second)
            if in_queue:
                resource = f"{name}-dead:{options.cause or ALL}:{in_queue}"
                audited(deployment, f"dlq.{verb}", resource, done=f"{verb} of {in_queue} letters")
            done += in_queue
    _report(session, verb, found, done)
    return EXIT_OK if options.yes or not found else EXIT_UNWELL


def _progress(session: Session, verb: str, done: int) -> None:
    if done % REMARK_EVERY < BATCH and done >= REMARK_EVERY:
        session.terminal.remark(f"{verb}: {done} letters")


def _report(session: Session, verb: str, found: Counter[str], done: int) -> None:
    options = session.options
    document = {"action": verb, "found": dict(found), "done": done, "is_dry_run": not options.yes}
    causes = ", ".join(f"{cause} {count}" for cause, count in sorted(found.items())) or "none"
    line = f"{verb}: {done} of {sum(found.values())} letters ({causes})"
    session.terminal.result(document, [line])
    if found and not options.yes:
        cause = f" --cause {options.cause}" if options.cause else ""
        command = at_hand(f"python -m ops dlq {verb} {options.queue}{cause} --yes", options)
        session.terminal.remark(f"Nothing was changed. To do it: {command}")


def _queues(session: Session) -> Sequence[str]:
    if session.options.queue == AUDIT:
        command = at_hand("python -m ops audit --redeliver", session.options)
        raise UsageFault("other_command", f"Deliveries of the audit have a command of their own: {command}")
    return QUEUES if session.options.queue == ALL else (session.options.queue,)


def _chosen(queue: DeadLetters, cause: str | None, most: int) -> Iterator[Letter]:
    """Up to `most` letters of the cause; none when `most` is 0."""
    if most <= 0:
        return
    left = most
    for letter in queue.letters():
        if cause is None or letter.cause.value == cause:
            yield letter
            left -= 1
            if not left:
                return


def _rows(deployment: Deployment) -> RowOf:
    return DynamoDbLedger(
        deployment.output("LedgerTableName"),
        deployment.output("TenantsTableName"),
        deployment.client("dynamodb"),
    ).get


def _line(row: dict[str, Any]) -> str:
    what = row["key"] or row.get("body", "")
    return "  ".join(
        part for part in (f"{row['queue']:17}", f"{row['cause']:12}", what, row["detail"]) if part
    )
