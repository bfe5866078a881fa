"""What users thought of answers, in DynamoDB: key `tenant`, sort key `rating_id`."""

from typing import Any

from haylift.adapters.aws import translated
from haylift.ports.limits import Rating


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
        }
        with translated("feedback table"):
            answer = self._client.put_item(TableName=self._table_name, Item=item, ReturnValues="ALL_OLD")
        return not answer.get("Attributes")
