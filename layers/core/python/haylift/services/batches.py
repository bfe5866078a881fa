"""Messages of a queue, one by one or side by side: a bad one never fails or delays its neighbours."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any

from haylift.domain.errors import DeadlineExceeded, HayliftError
from haylift.resilience import Deadline

logger = logging.getLogger(__name__)

type PartialBatch = dict[str, list[dict[str, str]]]
"""What Lambda takes as an answer: the messages that must be delivered again, and only those."""

type Record = Mapping[str, Any]


def deliver(
    records: Sequence[Record],
    consume: Callable[[str], None],
    *,
    stop_on: tuple[type[HayliftError], ...] = (),
) -> PartialBatch:
    """Gives each record's body to `consume`; what raised is delivered again, everything else is done.

    After an error of `stop_on` nothing else is started: the rest would fail the same way, and each
    receive counts towards the dead-letter queue.
    """
    undone: list[Record] = []
    for position, record in enumerate(records):
        fault = _fault_of(consume, record)
        if isinstance(fault, stop_on):
            undone += records[position:]
            break
        if fault is not None:
            undone.append(record)
    return _answer(undone)


def deliver_side_by_side(
    records: Sequence[Record], consume: Callable[[str], None], deadline: Deadline, *, threads: int
) -> PartialBatch:
    """As `deliver`, but a record that hangs holds up none of the others.

    What has not ended by the deadline is delivered again, whether it was begun or not: `consume` must be
    safe to repeat while an earlier call of it still runs.
    """
    pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="record")
    try:
        # A context of its own for each, so that log lines carry the ids of their request.
        futures = {pool.submit(copy_context().run, _fault_of, consume, record): record for record in records}
        ended = wait(futures, timeout=deadline.remaining_s).done
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return _answer([record for future, record in futures.items() if not _is_done(future, ended, record)])


def _is_done(
    future: "Future[BaseException | None]", ended: set["Future[BaseException | None]"], record: Record
) -> bool:
    if future not in ended:
        _log(DeadlineExceeded("The time of this batch is over."), record)
        return False
    return future.result() is None


def _fault_of(consume: Callable[[str], None], record: Record) -> BaseException | None:
    """What `consume` raised, logged; None when it returned."""
    try:
        consume(record["body"])
    # The outermost loop. Not only `Exception`: a library that calls `sys.exit`, and a panic of one that is
    # written in Rust (`pyo3_runtime.PanicException`), would take the neighbours along.
    except BaseException as fault:
        if isinstance(fault, KeyboardInterrupt):
            raise
        _log(fault, record)
        return fault
    return None


def _answer(undone: Sequence[Record]) -> PartialBatch:
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in undone]}


def _log(fault: BaseException, record: Record) -> None:
    receives = record.get("attributes", {}).get("ApproximateReceiveCount", "")
    told = {"message_id": record["messageId"], "receives": receives}
    if isinstance(fault, HayliftError):
        logger.warning("message is tried later", extra={**told, "code": fault.code})
    else:
        logger.error("message failed", extra=told, exc_info=fault)
