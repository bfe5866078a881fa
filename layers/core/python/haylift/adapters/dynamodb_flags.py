"""The operators' flags: one row of the tenants' table, whose name no tenant can have."""

from typing import Any

from haylift.adapters.aws import translated
from haylift.adapters.dynamodb_settings import bounded_setting, switch
from haylift.domain.flags import Flags

ROW = "#flags"


class DynamoDbFlags:
    """Implements `FlagStore`.

    Args:
        table_name: the tenants' table (key `tenant`).
        client: a `dynamodb` client.
    """

    def __init__(self, table_name: str, client: Any) -> None:
        self._table_name = table_name
        self._client = client

    def read(self) -> Flags:
        """The flags as they stand, strongly consistent; without any, the defaults.

        Written by other hands, a share outside 0 to 100 is the nearest of these, and an attribute that cannot
        be read is its default: a slip at night must not end every search. The next `write` mends the row.
        """
        with translated("tenants table"):
            answer = self._client.get_item(
                TableName=self._table_name, Key={"tenant": {"S": ROW}}, ConsistentRead=True
            )
        item = answer.get("Item", {})
        return Flags(
            keyword_only=switch(item, "keyword_only"),
            shed_percent=bounded_setting(item, "shed_percent", default=0, most=100),
        )

    def write(self, flags: Flags) -> None:
        """Replaces the flags."""
        item = {
            "tenant": {"S": ROW},
            "keyword_only": {"BOOL": flags.keyword_only},
            "shed_percent": {"N": str(flags.shed_percent)},
        }
        with translated("tenants table"):
            self._client.put_item(TableName=self._table_name, Item=item)
