"""The lanes' event source mappings."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from haylift.adapters.aws import error_code, translated
from haylift.domain.documents import Lane
from haylift.domain.errors import StoreUnavailable

WORKING = {"Creating", "Enabling", "Enabled", "Updating"}
IN_USE = "ResourceInUseException"


class LambdaLanes:
    """Implements `LaneSwitches`.

    Args:
        mapping_ids: the event source mapping's id by lane.
        client: a `lambda` client.
    """

    def __init__(self, mapping_ids: Mapping[Lane, str], client: Any) -> None:
        self._mapping_ids = mapping_ids
        self._client = client

    def states(self) -> Mapping[Lane, bool]:
        """Each lane: True when its messages are worked on, also while it is only being switched on."""
        return {lane: self._state(lane) in WORKING for lane in self._mapping_ids}

    def _state(self, lane: Lane) -> str:
        with translated("lane's mapping"):
            return str(self._client.get_event_source_mapping(UUID=self._mapping_ids[lane])["State"])

    def switch(self, lane: Lane, *, is_on: bool) -> None:
        """Lets the lane feed ingestion, or not; takes effect within a minute.

        Raises:
            StoreUnavailable: also while Lambda is still busy with an earlier change.
        """
        try:
            with translated("lane's mapping"):
                self._client.update_event_source_mapping(UUID=self._mapping_ids[lane], Enabled=is_on)
        except ClientError as fault:
            if error_code(fault) != IN_USE:
                raise
            raise StoreUnavailable("The lane's mapping is still being changed.") from fault
