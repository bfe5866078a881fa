"""What CloudWatch says of event source mappings that read streams."""

from uuid import uuid4

from tests.integration.local.running_emulator import RunningEmulator

PROBE = "conformance-probe"


def iterator_age(system: RunningEmulator) -> None:
    """ "Lambda function metrics": a stream's batch tells its age by function, each time that it is sent."""
    table, lambdas = f"stream-{uuid4().hex[:8]}", system.client("lambda")
    described = system.client("dynamodb").create_table(
        TableName=table, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]  # fmt: skip
    dimensions = {"FunctionName": PROBE}
    before = system.records("AWS/Lambda", "IteratorAge", dimensions)

    mapping = lambdas.create_event_source_mapping(
        FunctionName=PROBE, EventSourceArn=described["LatestStreamArn"], StartingPosition="TRIM_HORIZON"
    )["UUID"]
    try:
        system.client("dynamodb").put_item(TableName=table, Item={"id": {"S": "1"}})
        told = not system.stays(
            lambda: system.records("AWS/Lambda", "IteratorAge", dimensions) == before, for_s=8
        )
    finally:
        lambdas.delete_event_source_mapping(UUID=mapping)
        system.client("dynamodb").delete_table(TableName=table)
    system.invoke(PROBE, {})
    assert told, "no IteratorAge of the batch"
