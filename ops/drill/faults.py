"""Faults that are made and repaired through AWS's own APIs, the same here and there."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, override

from ops import sources
from ops.deployment import LOCAL_STAGE, queue_output
from ops.drill.ground import Ground
from ops.faults import OpsFault

type Known = Mapping[str, Any]
"""What a repair needs to know, as JSON: it may be another process that repairs."""

SETTLING_S = 60.0
"""A mapping that is switched takes up to a minute on AWS."""


WAITING, IN_WORK = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"
LEAST_VISIBILITY_S = 4
DRAIN_LIMIT_S = 90.0
"""Others may be sending."""

DRAIN_VISIBILITY_S = 20


class Fault(Protocol):
    """Something that breaks. `repair` may be called at any time, twice, and by another process."""

    def learn(self, ground: Ground) -> Known:
        """Looks at the healthy state; changes nothing."""

    def prepare(self, ground: Ground, known: Known) -> None:
        """What must be in place before the first request of the drill; breaks nothing. Usually nothing."""
        _ = ground, known

    def inject(self, ground: Ground, known: Known) -> None:
        """Breaks it."""

    def repair(self, ground: Ground, known: Known) -> None:
        """Mends it; harmless when it is whole."""


@dataclass(frozen=True)
class NoFault(Fault):
    """Nothing breaks: the traffic alone is the fault."""

    @override
    def learn(self, ground: Ground) -> Known:
        """Nothing needs to be known."""
        return {}

    @override
    def inject(self, ground: Ground, known: Known) -> None:
        """Does nothing."""

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Does nothing."""


@dataclass(frozen=True)
class Throttled(Fault):
    """Functions whose reserved concurrency is 0: every invocation is refused.

    Args:
        functions: the last of a chain first, so that each is still called.
        queues: what feeds a function, by its name; the one before it goes on until something waits there.
    """

    functions: tuple[str, ...]
    queues: Mapping[str, str] = field(default_factory=dict)

    @override
    def learn(self, ground: Ground) -> Known:
        """The reserved concurrency of each before; None for the account's."""
        client = ground.client("lambda")
        found = {
            name: client.get_function_concurrency(FunctionName=ground.prefix + name)
            for name in self.functions
        }
        return {"reserved": {name: one.get("ReservedConcurrentExecutions") for name, one in found.items()}}

    @override
    def inject(self, ground: Ground, known: Known) -> None:
        """Takes all concurrency away."""
        for name in self.functions:
            self._reserve(ground, name, 0)
            if name in self.queues:
                _wait_for_message(ground, self.queues[name])

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Gives the concurrency back."""
        for name, reserved in known["reserved"].items():
            if reserved is None:
                ground.client("lambda").delete_function_concurrency(FunctionName=ground.prefix + name)
            else:
                self._reserve(ground, name, int(reserved))

    def _reserve(self, ground: Ground, name: str, number: int) -> None:
        ground.client("lambda").put_function_concurrency(
            FunctionName=ground.prefix + name, ReservedConcurrentExecutions=number
        )


@dataclass(frozen=True)
class KeyDisabled(Fault):
    """The key that signs tokens is disabled in KMS: nobody can log in."""

    @override
    def learn(self, ground: Ground) -> Known:
        """The key's id."""
        return {"key": ground.deployment.output("SigningKeyId")}

    @override
    def inject(self, ground: Ground, known: Known) -> None:
        """Disables it."""
        ground.client("kms").disable_key(KeyId=known["key"])

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Enables it."""
        ground.client("kms").enable_key(KeyId=known["key"])


@dataclass(frozen=True)
class RuleDisabled(Fault):
    """The rule of the heartbeat is disabled: nobody looks after the system."""

    rule: str

    @override
    def learn(self, ground: Ground) -> Known:
        """Nothing needs to be known: the rule's name is its own."""
        return {}

    @override
    def inject(self, ground: Ground, known: Known) -> None:
        """Disables it."""
        ground.client("events").disable_rule(Name=ground.prefix + self.rule)

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Enables it."""
        ground.client("events").enable_rule(Name=ground.prefix + self.rule)


@dataclass(frozen=True)
class SourcesDisabled(Fault):
    """Queues feed nobody: their event source mappings are disabled, the last queue of a way first."""

    queues: tuple[str, ...]

    @override
    def learn(self, ground: Ground) -> Known:
        """The mappings' ids, by queue."""
        found = {source.queue: source.mapping_id for source in sources.event_sources(ground.deployment)}
        return {"mappings": {queue: found[queue] for queue in self.queues}}

    @override
    def inject(self, ground: Ground, known: Known) -> None:
        """Disables them, each when something waits in the one after it: nothing would come there later."""
        for number, (queue, mapping) in enumerate(known["mappings"].items(), start=1):
            self._switch(ground, {"mappings": {queue: mapping}}, is_on=False)
            if number < len(known["mappings"]):
                _wait_for_message(ground, queue)

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Enables them."""
        self._switch(ground, known, is_on=True)

    def _switch(self, ground: Ground, known: Known, *, is_on: bool) -> None:
        client, wanted = ground.client("lambda"), "Enabled" if is_on else "Disabled"
        for mapping in known["mappings"].values():
            client.update_event_source_mapping(UUID=mapping, Enabled=is_on)
        ends_at = time.monotonic() + SETTLING_S
        while any(
            client.get_event_source_mapping(UUID=mapping)["State"] != wanted
            for mapping in known["mappings"].values()
        ):
            if time.monotonic() > ends_at:
                raise OpsFault("mapping_not_switched", f"A mapping is not {wanted} after {SETTLING_S:.0f} s.")
            ground.pause(1.0)


def _wait_for_message(ground: Ground, queue: str) -> None:
    """Waits until something is in the queue, for a while at most."""
    ends_at = time.monotonic() + SETTLING_S
    while time.monotonic() < ends_at and not _messages(ground, queue, (WAITING,)):
        if not ground.pause(0.5):
            return


def _messages(ground: Ground, queue: str, names: tuple[str, ...] = (WAITING, IN_WORK)) -> int:
    url = ground.deployment.output(queue_output(queue))
    asked = list(names)
    found = ground.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"]
    return sum(map(int, found.values()))


@dataclass(frozen=True)
class Impatient(Fault):
    """Queues that hand an unfinished message out again soon, and give it up early.

    Args:
        visibility_min: minutes of the alarms' clock, at least 4 s.
        receives: after so many it is a dead letter; None leaves that as it is.
    """

    queues: tuple[str, ...]
    visibility_min: float = 0.0
    receives: int | None = None

    @override
    def learn(self, ground: Ground) -> Known:
        """Both attributes, by the queue's address; none on AWS, where work may take longer than that."""
        if ground.deployment.stage != LOCAL_STAGE:
            return {"attributes": {}}
        client, names = ground.client("sqs"), ["VisibilityTimeout", "RedrivePolicy"]
        urls = [ground.deployment.output(queue_output(queue)) for queue in self.queues]
        return {
            "attributes": {
                url: client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
                for url in urls
            }
        }

    @override
    def inject(self, ground: Ground, known: Known) -> None:
        """Shortens both."""
        visibility_s = max(LEAST_VISIBILITY_S, round(self.visibility_min * ground.minute_s))
        for url, before in known["attributes"].items():
            attributes = {"VisibilityTimeout": str(visibility_s)}
            if self.receives is not None:
                policy = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": self.receives}
                attributes["RedrivePolicy"] = json.dumps(policy)
            ground.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)

    def drain(self, ground: Ground, known: Known) -> None:
        """Waits until nothing is in the queues.

        What died comes back soon, yet nobody who works on it now is overtaken or called dead.
        """
        for url, before in known["attributes"].items():
            attributes = {
                "VisibilityTimeout": str(DRAIN_VISIBILITY_S),
                "RedrivePolicy": before["RedrivePolicy"],
            }
            ground.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
        self.wait_until_empty(ground)

    def wait_until_empty(self, ground: Ground) -> None:
        """Waits until nothing is in the queues, for a while at most."""
        ends_at = time.monotonic() + DRAIN_LIMIT_S
        while time.monotonic() < ends_at and any(_messages(ground, queue) for queue in self.queues):
            if not ground.pause(1.0):
                return

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Sets both as they were."""
        for url, attributes in known["attributes"].items():
            ground.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
