"""The lanes as an operator closes and opens them; what the gate holds is left to the gate."""

from collections.abc import Callable, Sequence

from haylift.adapters.dynamodb_lane_holds import DynamoDbLaneHolds
from haylift.domain.documents import Lane
from haylift.domain.lanes import Holder

from ops.deployment import Deployment
from ops.faults import OpsFault
from ops.session import Session, World
from ops.sources import event_sources
from ops.state import SourceState

SETTLED_S = 60.0
"""How long Lambda may take to change an event source mapping; it is a few seconds."""

LANES_FUNCTION = "ingestion"
LOOK_AGAIN_S = 1.0


def lane_sources(deployment: Deployment) -> list[SourceState]:
    """The queues that feed ingestion."""
    return [one for one in event_sources(deployment, None) if one.function == LANES_FUNCTION]


def hold_store(deployment: Deployment) -> DynamoDbLaneHolds:
    """Where it is kept who holds which lane."""
    return DynamoDbLaneHolds(deployment.output("TenantsTableName"), deployment.client("dynamodb"))


def pause(session: Session, deployment: Deployment, lanes: Sequence[Lane]) -> None:
    """Closes lanes and waits until Lambda has done so; the gate will not open them.

    Raises:
        OpsFault: `lanes_missing`; `not_settled` when Lambda takes longer than a minute.
    """
    store = hold_store(deployment)
    for lane in lanes:
        store.add(lane, Holder.OPERATOR)
    _switch(session, deployment, lanes, is_on=False)


def resume(session: Session, deployment: Deployment, lanes: Sequence[Lane]) -> tuple[Lane, ...]:
    """Opens lanes and waits until Lambda has done so; gives those that the gate still holds.

    Raises:
        OpsFault: as `pause`.
    """
    store = hold_store(deployment)
    left = {lane: store.remove(lane, Holder.OPERATOR) for lane in lanes}
    _switch(session, deployment, [lane for lane in lanes if Holder.GATE not in left[lane]], is_on=True)
    return tuple(lane for lane in lanes if Holder.GATE in left[lane])


def _switch(session: Session, deployment: Deployment, lanes: Sequence[Lane], *, is_on: bool) -> None:
    found = lane_sources(deployment)
    if not found:
        raise OpsFault("lanes_missing", "No queue feeds the function ingestion; deploy the stage again.")
    meant = {lane.value for lane in lanes}
    for source in found:
        if source.queue in meant:
            deployment.client("lambda").update_event_source_mapping(UUID=source.mapping_id, Enabled=is_on)
    wait_until(
        session.world,
        lambda: [one for one in lane_sources(deployment) if one.queue in meant],
        wanted="Enabled" if is_on else "Disabled",
    )


def wait_until(world: World, look: Callable[[], Sequence[SourceState]], *, wanted: str) -> None:
    """Waits until every lane is in the state that is wanted; raises `OpsFault` as `pause` says."""
    ends_at = world.now() + SETTLED_S
    while any(lane.state != wanted for lane in look()):
        if world.now() >= ends_at:
            detail = f"Lambda has not switched all lanes to {wanted} yet; look: python -m ops flags list."
            raise OpsFault("not_settled", detail)
        world.sleep(LOOK_AGAIN_S)
