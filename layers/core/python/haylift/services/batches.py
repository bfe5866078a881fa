"""Messages of a queue, one by one: a bad one never fails its neighbours."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from haylift.domain.errors import HayliftError

logger = logging.getLogger(__name__)

type PartialBatch = dict[str, list[dict[str, str]]]
"""What Lambda takes as an answer: the messages that must be delivered again, and only those."""


def deliver(
    records: Sequence[Mapping[str, Any]],
    consume: Callable[[str], None],
    *,
    stop_on: tuple[type[HayliftError], ...] = (),
) -> PartialBatch:
    """Gives each record's body to `consume`; what raised is delivered again, everything else is done.

    After an error of `stop_on` nothing else is started: the rest would fail the same way, and each
    receive counts towards the dead-letter queue.
    """
    undone: list[str] = []
    for position, record in enumerate(records):
        try:
            consume(record["body"])
        except stop_on as fault:
            _log(fault, record["messageId"])
            undone += [later["messageId"] for later in records[position:]]
            break
        # The outermost loop: SystemExit of a library must not take the neighbours along.
        except (Exception, SystemExit) as fault:
            _log(fault, record["messageId"])
            undone.append(record["messageId"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in undone]}


def _log(fault: BaseException, message_id: str) -> None:
    if isinstance(fault, HayliftError):
        logger.warning("message is tried later", extra={"message_id": message_id, "code": fault.code})
    else:
        logger.error("message failed", extra={"message_id": message_id}, exc_info=fault)
