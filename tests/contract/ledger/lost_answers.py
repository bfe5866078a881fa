"""Answers that never come, at the border that moto itself stands at."""

from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session
from moto.core.models import botocore_stubber


def lose_next_answer(client: Any, operation: str) -> None:
    """The next write of this kind is done, and its answer never comes."""
    is_lost = False

    def write_and_lose(request: AWSPreparedRequest, event_name: str, **_: Any) -> Any:
        nonlocal is_lost
        if is_lost:
            return None
        is_lost = True
        if botocore_stubber(event_name=event_name, request=request) is None:
            session = URLLib3Session()
            session.send(request)
            session.close()
        raise ReadTimeoutError(endpoint_url="http://127.0.0.1")

    client.meta.events.register_first(f"before-send.dynamodb.{operation}", write_and_lose)
