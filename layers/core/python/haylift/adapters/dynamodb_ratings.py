"""What users thought of answers, in DynamoDB: key `tenant`, sort key `rating_id`, TTL `expires_at`."""

import math
from typing import Any

from haylift.adapters.aws import translated
from haylift.ports.limits import Rating

KEPT_S = 400 * 86_400.0
"""A rating is dropped after 400 days: long enough to compare with the same month of the year before."""


class DynamoDbRatings:
    """Implements `Ratings`.

    Args:
        table_name: the feedback table.
        client: a `dynamodb` client.
    """

    def __init__(self, table_name: str, client: Any) -> None:
        self._table_name = table_name
        self._client = client

    def put(self, rating: Rating) -> bool:
        """Keeps the rating under its tenant and `rating_id`; False when it replaced one."""
        item = {
            "tenant": {"S": rating.tenant},
            "rating_id": {"S": rating.rating_id},
            "subject": {"S": rating.subject},
            "kind": {"S": rating.kind},
            "rated_request_id": {"S": rating.rated_request_id},
            "rating": {"N": str(rating.rating)},
            "comment": {"S": rating.comment},
            "at": {"N": repr(rating.at)},
            "expires_at": {"N": str(math.ceil(rating.at + KEPT_S))},
        }
        with translated("feedback table"):
            answer = self._client.put_item(TableName=self._table_name, Item=item, ReturnValues="ALL_OLD")
        return not answer.get("Attributes")
