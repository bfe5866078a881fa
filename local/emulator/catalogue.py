"""All patches, in the order in which they wrap each other."""

from collections.abc import Sequence

from local.emulator import (
    alarm_actions,
    alarm_math,
    alarms,
    alias_weights,
    embedded_metrics,
    gateway_access_log,
    gateway_identity,
    gateway_limits,
    gateway_metrics,
    gateway_paths,
    lambda_async,
    lambda_metrics,
    lambda_patch,
    lambda_queue,
    lambda_throttles,
    locks,
    log_groups,
    metric_data,
    metric_memory,
    metric_store,
    provisioners,
    queue_metrics,
    s3_events,
    schedules,
)
from local.emulator.patching import Needs, Patch, PatchFactory, check_ministack

_FACTORIES: Sequence[PatchFactory] = (
    lambda_patch.patch,
    lambda_queue.patch,
    lambda_throttles.patch,
    lambda_metrics.patch,
    embedded_metrics.patch,
    alias_weights.patch,
    lambda_async.patch,
    log_groups.patterns_patch,
    log_groups.subscriptions_patch,
    log_groups.memory_patch,
    s3_events.patch,
    gateway_identity.source_address_patch,
    gateway_limits.patch,
    gateway_paths.patch,
    # The next three wrap the same name, from the inside out.
    gateway_access_log.patch,
    gateway_metrics.patch,
    gateway_identity.request_id_patch,
    metric_memory.patch,
    metric_data.patch,
    alarms.patch,
    alarm_math.math_patch,
    alarm_math.composite_patch,
    alarm_actions.patch,
    schedules.patch,
    queue_metrics.patch,
    provisioners.stand_ins_patch,
    provisioners.table_ttl_patch,
    provisioners.rest_api_id_patch,
    locks.object_lock_patch,
    locks.disabled_keys_patch,
)
_NEEDS: Sequence[Sequence[Needs]] = (
    lambda_patch.NEEDS,
    lambda_queue.NEEDS,
    lambda_throttles.NEEDS,
    lambda_metrics.NEEDS,
    embedded_metrics.NEEDS,
    alias_weights.NEEDS,
    lambda_async.NEEDS,
    log_groups.NEEDS,
    s3_events.NEEDS,
    gateway_identity.NEEDS,
    gateway_limits.NEEDS,
    gateway_paths.NEEDS,
    gateway_access_log.NEEDS,
    gateway_metrics.NEEDS,
    alarms.NEEDS,
    metric_store.NEEDS,
    metric_memory.NEEDS,
    metric_data.NEEDS,
    alarm_math.NEEDS,
    alarm_actions.NEEDS,
    schedules.NEEDS,
    queue_metrics.NEEDS,
    provisioners.NEEDS,
    locks.NEEDS,
)


class PatchSet:
    """The patches in force."""

    def __init__(self) -> None:
        """Check the installed ministack, then apply every patch."""
        check_ministack(need for needs in _NEEDS for need in needs)
        self._switched_off: set[str] = set()
        self._applied: list[Patch] = []
        self._names: list[str] = []
        self._apply()
        self._names = [patch.name for patch in self._applied]

    def states(self) -> dict[str, bool]:
        """Every patch by name: whether it is on."""
        return {name: name not in self._switched_off for name in self._names}

    def switch(self, name: str, *, on: bool) -> None:
        """Switch one patch while the emulator runs; for seeded-fault tests. KeyError for an unknown name."""
        if name not in self._names:
            raise KeyError(name)
        for patch in reversed(self._applied):
            patch.revert()
        (self._switched_off.discard if on else self._switched_off.add)(name)
        self._apply()

    def _apply(self) -> None:
        # Made one after the other: a patch wraps what the one before it has put in place.
        self._applied = []
        for factory in _FACTORIES:
            patch = factory()
            if patch.name not in self._switched_off:
                patch.apply()
                self._applied.append(patch)
