"""The way of one request through the system: a log line for each hop, which `ops trace` puts together.

A line carries `hop`, `duration_ms`, `outcome` (`ok`, or the stable code of the error) and the request's id,
which every log line has. What a hop knows besides (a cache level, a number of hits) stands under `facts`,
never anything that a user wrote.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from haylift.domain.errors import HayliftError

OK = "ok"
CRASHED = "internal_error"
logger = logging.getLogger("haylift.trace")


class Hop(StrEnum):
    """Where a request passes, outermost first; the gateway writes its own line, the access log."""

    AUTHORIZER = "authorizer"
    FUNCTION = "function"
    RATE_LIMIT = "rate_limit"
    CACHE = "cache"
    EMBEDDING = "embedding"
    INDEX = "index"
    RERANK = "rerank"
    TABLES = "tables"
    OBJECTS = "objects"
    KEYS = "keys"


@dataclass
class HopNote:
    """What a hop adds to its line; `outcome` may be set by a hop that goes on in spite of a fault."""

    outcome: str = OK
    facts: dict[str, str | int | float | bool] = field(default_factory=dict)


@contextmanager
def hop(name: Hop, **facts: str | int | float | bool) -> Iterator[HopNote]:
    """Writes the hop's line when the block ends; an exception is its outcome and goes on."""
    note = HopNote(facts=dict(facts))
    started = time.perf_counter()
    try:
        yield note
    except HayliftError as fault:
        note.outcome = fault.code
        raise
    except BaseException:
        note.outcome = CRASHED
        raise
    finally:
        duration_ms = round((time.perf_counter() - started) * 1_000, 2)
        fields = {"hop": name.value, "duration_ms": duration_ms, "outcome": note.outcome, "facts": note.facts}
        logger.info("hop", extra=fields)
