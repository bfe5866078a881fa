"""Drills of the audit: what becomes of a delivery that its function gives up."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import override

from ops.drill.drill import EVERYWHERE, Drill
from ops.drill.faults import Fault, Known
from ops.drill.ground import Ground
from ops.redelivery import ALIAS, DEAD_QUEUE_OUTPUT, FUNCTION, Undelivered

GIVEN_UP_WITHIN_MIN = 5.0
"""Lambda tries an event again after one minute, and after two more."""

TRIES_S = 15.0
"""The tries themselves, however short a minute of the alarms' clock is."""


@dataclass(frozen=True)
class UnreadableDelivery(Fault):
    """A delivery of CloudWatch Logs that nobody can unpack: tried three times, given up, kept."""

    @override
    def learn(self, ground: Ground) -> Known:
        """What the delivery will say, and until when it may still be on its way."""
        on_its_way_s = GIVEN_UP_WITHIN_MIN * ground.minute_s + TRIES_S
        return {"data": f"drill-{uuid.uuid4().hex}", "until_s": time.time() + on_its_way_s}

    @override
    def inject(self, ground: Ground, known: Known) -> None:
        """Sends it, as CloudWatch Logs does: nobody waits for an answer."""
        ground.client("lambda").invoke(
            FunctionName=ground.prefix + FUNCTION,
            Qualifier=ALIAS,
            InvocationType="Event",
            Payload=json.dumps(_delivery(known)).encode(),
        )

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Takes this delivery, and no other, out of the queue; waits for it while it may still come."""
        while not _taken_away(ground, known) and time.time() < known["until_s"]:
            if not ground.pause(1.0):
                return


def _delivery(known: Known) -> dict[str, object]:
    return {"awslogs": {"data": known["data"]}}


def _taken_away(ground: Ground, known: Known) -> bool:
    """Whether the drill's letter was there."""
    url = ground.deployment.output(DEAD_QUEUE_OUTPUT)
    with Undelivered(ground.client("sqs"), url) as queue:
        mine = [lost for lost in queue.received() if lost.payload == _delivery(known)]
        for lost in mine:
            queue.delete(lost)
    return bool(mine)


AUDIT_DRILLS = (
    Drill(
        name="audit-failing",
        breaks="the audit is sent a delivery of log lines that it cannot read",
        felt="nothing; the archive lacks what such a delivery says",
        fault=UnreadableDelivery,
        traffic=(),
        # Three minutes of tries; and AWS measures a queue that has slept up to a quarter of an hour late.
        rings={"dead-letters/audit-dead": 19},
        causes=("dead-letters",),
        clear_min=5,
        parts=frozenset({"audit"}),
        stages=EVERYWHERE,
    ),
)
