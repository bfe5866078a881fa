"""`ops inbox`: what the alarms told the people on call, newest first."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from ops.faults import EXIT_OK
from ops.session import Session

MOST_MESSAGES = 200
BATCH = 10
"""SQS's limit of one receive."""

HIDDEN_S = 20
"""What is shown is hidden from other readers for so long, then it is back."""

FOLLOW_WAIT_S = 10
"""How long SQS waits for a message while following."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One change of an alarm, as SNS delivered it."""

    at: str
    alarm: str
    old_state: str
    new_state: str
    reason: str
    description: str
    receipt: str

    @property
    def is_first(self) -> bool:
        """True of a new alarm's first look that found nothing: CloudWatch tells that too."""
        return (self.old_state, self.new_state) == ("INSUFFICIENT_DATA", "OK")


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `ops inbox`."""
    parser.add_argument("--take", action="store_true", help="remove what is shown; otherwise it stays")
    parser.add_argument("--all", action="store_true", help="show also alarms that are new and began at OK")
    parser.add_argument("--follow", action="store_true", help="go on and show new ones, until Ctrl-C")


def run(session: Session) -> int:
    """Shows the messages; an empty inbox is no failure."""
    client, url = _inbox(session)
    notices = _receive_all(client, url)
    newest_first = sorted(notices, key=lambda notice: notice.at, reverse=True)
    session.terminal.result([_document(notice) for notice in newest_first], _lines(session, newest_first))
    if not notices:
        session.terminal.remark("The inbox is empty.")
    _settle(session, client, url, notices)
    if session.options.follow:
        _follow(session, client, url, shown=notices)
    return EXIT_OK


def _inbox(session: Session) -> tuple[Any, str]:
    deployment = session.deployment()
    patience = replace(deployment.patience, read_s=deployment.patience.read_s + FOLLOW_WAIT_S)
    client = deployment.client("sqs", patience if session.options.follow else None)
    return client, deployment.output("OnCallInboxUrl")


def _receive_all(client: Any, url: str, wait_s: int = 0) -> list[Notice]:
    """Every message there is, at most 200; they are hidden while this runs."""
    notices: list[Notice] = []
    while len(notices) < MOST_MESSAGES:
        answer = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HIDDEN_S,
            WaitTimeSeconds=0 if notices else wait_s,
        )
        messages = answer.get("Messages", [])
        if not messages:
            break
        notices += [notice_of(message) for message in messages]
    return notices


def notice_of(message: dict[str, Any]) -> Notice:
    """One message of the queue; a text that is no alarm's is shown as its reason."""
    text = str(message["Body"])
    envelope = _object(text)
    inner = _object(str(envelope.get("Message", ""))) or envelope
    return Notice(
        at=str(inner.get("StateChangeTime") or envelope.get("Timestamp") or ""),
        alarm=str(inner.get("AlarmName") or envelope.get("Subject") or "no alarm"),
        old_state=str(inner.get("OldStateValue") or ""),
        new_state=str(inner.get("NewStateValue") or ""),
        reason=str(inner.get("NewStateReason") or envelope.get("Message") or text),
        description=str(inner.get("AlarmDescription") or ""),
        receipt=str(message["ReceiptHandle"]),
    )


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _settle(session: Session, client: Any, url: str, notices: list[Notice]) -> None:
    """Removes what was shown, or gives it back at once."""
    for notice in notices:
        if session.options.take:
            client.delete_message(QueueUrl=url, ReceiptHandle=notice.receipt)
        else:
            client.change_message_visibility(QueueUrl=url, ReceiptHandle=notice.receipt, VisibilityTimeout=0)
    if notices and session.options.take:
        session.terminal.remark(f"{len(notices)} removed from the inbox.")


def _follow(session: Session, client: Any, url: str, shown: list[Notice]) -> None:
    """Shows messages as they come; those seen before that are still there are not shown again."""
    seen = {_key(notice) for notice in shown}
    try:
        while True:
            notices = _receive_all(client, url, FOLLOW_WAIT_S)
            fresh = [notice for notice in notices if _key(notice) not in seen]
            seen |= {_key(notice) for notice in notices}
            fresh.sort(key=lambda one: one.at)
            if session.terminal.is_json:
                for notice in fresh:
                    session.terminal.result(_document(notice), ())
            else:
                session.terminal.result((), _lines(session, fresh))
            _settle(session, client, url, notices)
            session.world.sleep(1.0)
    except KeyboardInterrupt:
        return


def _key(notice: Notice) -> tuple[str, str, str]:
    return notice.alarm, notice.at, notice.new_state


def _document(notice: Notice) -> dict[str, object]:
    told = {name: text for name, text in asdict(notice).items() if name != "receipt"}
    return {**told, "is_first": notice.is_first}


def _lines(session: Session, notices: list[Notice]) -> Iterator[str]:
    """A line each; those of new alarms that began at OK are one line at the end, but for `--all`."""
    folded = () if session.options.all else [notice for notice in notices if notice.is_first]
    yield from (_line(notice) for notice in notices if notice not in folded)
    count = len({notice.alarm for notice in folded})
    if count:
        yield f"{count} alarm{'s' if count > 1 else ''} began at OK; --all shows them"


def _line(notice: Notice) -> str:
    change = f"{notice.old_state or '?'} -> {notice.new_state or '?'}"
    return f"{notice.at}  {change:26}  {notice.alarm}  {notice.reason}"
