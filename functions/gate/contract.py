"""Closes the lanes while the model endpoint does not answer."""

from dataclasses import dataclass

from haylift.contract import Schedule
from haylift.settings import CommonSettings

ALARM = "model-endpoint-failing"
"""The symptom whose alarms call the gate at once."""

ALARM_SOURCE, ALARM_DETAIL_TYPE = "aws.cloudwatch", "CloudWatch Alarm State Change"
"""EventBridge's event of every alarm. Source: CloudWatch user guide, "Alarm events and EventBridge"."""

SCHEDULES = (Schedule(name="gate", every_minutes=1),)


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """Settings of the gate function.

    Args:
        tenants_table: DynamoDB table, one row of which says who holds which lane.
        interactive_mapping_id, backfill_mapping_id: the lanes' event source mappings.
        alarm_prefix: names of the model endpoint's alarms begin so.
        embed_endpoint, embed_model: SageMaker endpoint and the model's name.
    """

    tenants_table: str
    interactive_mapping_id: str
    backfill_mapping_id: str
    alarm_prefix: str
    embed_endpoint: str
    embed_model: str
