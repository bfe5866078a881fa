"""What AWS does, one check per patch of the emulator; AssertionError when the system does otherwise.

Each check fails when its patch is off: `test_conformance.py` runs it both ways. What CloudWatch does is
checked in `checks_monitoring.py`.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from tests.integration.local.fixture_app import NAMESPACE
from tests.integration.local.running_emulator import Check, RunningEmulator, eventually

PROBE = "conformance-probe"


def lambda_runtime(system: RunningEmulator) -> None:
    """A raised exception is reported as the managed runtime does, and the process goes on."""
    first = system.invoke(PROBE, {})
    error = system.invoke(PROBE, {"do": "raise"})
    second = system.invoke(PROBE, {})

    assert error["errorType"] == "ValueError"
    assert error["errorMessage"] == "a detail of the inside"
    assert "in handler" in error["stackTrace"][0]
    assert error["requestId"]
    assert second["pid"] == first["pid"]
    # The managed runtime brings boto3, and this project's packages are not there.
    assert (first["boto3"], first["ministack"]) == (True, False)


def lambda_queue(system: RunningEmulator) -> None:
    """Eight invocations at a time all succeed, on at most two processes."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: system.invoke(PROBE, {"do": "sleep"}), range(8)))

    assert all("pid" in answer for answer in answers), answers
    assert len({answer["pid"] for answer in answers}) <= 2


def lambda_throttles(system: RunningEmulator) -> None:
    """A function with a reserved concurrency of 0 runs no version of itself, and the throttles count."""
    lambdas, dimensions, names = system.client("lambda"), {"FunctionName": PROBE}, []
    version = lambdas.publish_version(FunctionName=PROBE)["Version"]
    before = system.metric_sum("AWS/Lambda", "Throttles", dimensions)
    lambdas.put_function_concurrency(FunctionName=PROBE, ReservedConcurrentExecutions=0)
    try:
        answer = system.call("GET", "/echo")
        lambdas.invoke(FunctionName=PROBE, Qualifier=version, Payload=b"{}")
    except lambdas.exceptions.TooManyRequestsException as refusal:
        names.append(refusal.response["Error"]["Code"])
    finally:
        lambdas.delete_function_concurrency(FunctionName=PROBE)

    assert names == ["TooManyRequestsException"]
    assert (answer.status_code, answer.json()["code"]) == (500, "default_5xx")
    assert system.metric_sum("AWS/Lambda", "Throttles", dimensions) >= before + 2


def lambda_metrics(system: RunningEmulator) -> None:
    """An invocation through API Gateway counts in AWS/Lambda, and its error too."""
    dimensions = {"FunctionName": PROBE}
    before = system.metric_sum("AWS/Lambda", "Invocations", dimensions)
    errors_before = system.metric_sum("AWS/Lambda", "Errors", dimensions)

    system.call("GET", "/echo")
    system.call("GET", "/echo", params={"do": "raise"})
    throttles_before = system.metric_sum("AWS/Lambda", "Throttles", dimensions)
    with system.throttled(PROBE):
        system.call("GET", "/echo")

    assert system.metric_sum("AWS/Lambda", "Throttles", dimensions) == throttles_before + 1
    assert system.metric_sum("AWS/Lambda", "ConcurrentExecutions", dimensions, "Maximum") >= 1
    assert system.metric_sum("AWS/Lambda", "Invocations", dimensions) == before + 2
    assert system.metric_sum("AWS/Lambda", "Errors", dimensions) == errors_before + 1


def embedded_metrics(system: RunningEmulator) -> None:
    """A printed record in the embedded metric format becomes a metric in every set of dimensions."""
    part, metrics = uuid4().hex, [{"Name": "Found", "Unit": "Count"}]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["Part"], ["Part", "Kind"]], "Metrics": metrics}
    metadata = {"Timestamp": 1, "CloudWatchMetrics": [directive]}
    record = {"_aws": metadata, "Part": part, "Kind": "a", "Found": [2, 3]}

    system.invoke(PROBE, {"do": "print", "text": json.dumps(record)})

    assert system.metric_sum(NAMESPACE, "Found", {"Part": part}) == 5
    assert system.metric_sum(NAMESPACE, "Found", {"Part": part, "Kind": "a"}) == 5


def alias_weights(system: RunningEmulator) -> None:
    """An alias with a weight of one half sends about half of the calls to the second version."""
    lambdas, alias = system.client("lambda"), f"a{uuid4().hex[:8]}"
    versions = []
    for number in (1, 2):
        lambdas.update_function_configuration(FunctionName=PROBE, Description=f"{alias} {number}")
        versions.append(lambdas.publish_version(FunctionName=PROBE)["Version"])
    routing = {"AdditionalVersionWeights": {versions[1]: 0.5}}
    lambdas.create_alias(FunctionName=PROBE, Name=alias, FunctionVersion=versions[0], RoutingConfig=routing)

    seen = [system.invoke(PROBE, {}, Qualifier=alias)["version"] for _ in range(24)]

    assert set(seen) == set(versions)
    assert 3 <= seen.count(versions[1]) <= 21


def s3_events(system: RunningEmulator) -> None:
    """Created and deleted objects are announced as the S3 user guide shows."""
    s3, bucket, key = system.client("s3"), system.outputs["BucketName"], f"documents/{uuid4()}.txt"

    version = s3.put_object(Bucket=bucket, Key=key, Body=b"hello")["VersionId"]
    created = system.received("EventsName")
    marker = s3.delete_object(Bucket=bucket, Key=key)["VersionId"]
    marked = system.received("EventsName")
    s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    purged = system.received("EventsName")

    assert (created["detail-type"], created["detail"]["reason"]) == ("Object Created", "PutObject")
    found = created["detail"]["object"]
    assert found == {
        "key": key, "size": 5, "etag": "5d41402abc4b2a76b9719d911017c592",
        "version-id": version, "sequencer": found["sequencer"],
    }  # fmt: skip
    assert marked["detail"]["deletion-type"] == "Delete Marker Created"
    assert marked["detail"]["reason"] == "DeleteObject"
    assert marked["detail"]["object"]["version-id"] == marker
    assert marked["detail"]["object"]["etag"] == "d41d8cd98f00b204e9800998ecf8427e"
    assert "size" not in marked["detail"]["object"]
    assert purged["detail"]["deletion-type"] == "Permanently Deleted"
    assert purged["detail"]["object"]["version-id"] == version
    sequence = [event["detail"]["object"]["sequencer"] for event in (created, marked, purged)]
    assert sequence == sorted(set(sequence))


def source_address(system: RunningEmulator) -> None:
    """The source address is the peer's for function and authorizer, whatever X-Forwarded-For says."""
    headers = {"X-Forwarded-For": "203.0.113.7", "Authorization": uuid4().hex}

    context = system.call("GET", "/guarded", headers=headers).json()["event"]

    assert context["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert context["requestContext"]["authorizer"]["source"] == "127.0.0.1"
    assert context["headers"]["X-Forwarded-For"] == "203.0.113.7, 127.0.0.1"


def request_id(system: RunningEmulator) -> None:
    """Function, authorizer, response header and gateway error know a call by the same id."""
    answer = system.call("GET", "/guarded", headers={"Authorization": uuid4().hex})
    refused = system.call("GET", "/guarded")

    context = answer.json()["event"]["requestContext"]
    assert context["requestId"] == answer.headers["x-amzn-requestid"]
    assert context["authorizer"]["request"] == context["requestId"]
    assert refused.json()["request_id"] == refused.headers["x-amzn-requestid"]


def gateway_limits(system: RunningEmulator) -> None:
    """More than 10 MB is 413, and a failed function a 502 without its error: both as the API words them."""
    large = system.call("POST", "/echo", content=b"x" * (10 * 1024 * 1024 + 1))
    failed = system.call("GET", "/echo", params={"do": "raise"})

    assert (large.status_code, large.json()["code"]) == (413, "request_too_large")
    assert large.headers["content-type"] == "application/problem+json"
    assert (failed.status_code, failed.json()["code"]) == (502, "default_5xx")
    assert "inside" not in failed.text
    with system.throttled(PROBE):
        throttled = system.call("GET", "/echo")
    assert (throttled.status_code, throttled.json()["code"]) == (500, "default_5xx")


def gateway_paths(system: RunningEmulator) -> None:
    """Only the path of a resource reaches it; any other is an unknown route, authorizer or not."""
    exact = [system.call("GET", path).status_code for path in ("/echo", "/echo/again")]
    others = (
        "//echo", "/echo/", "/echo//again", "/echo%2Fagain", "/echo%2f", "/guarded/", "/nothing", "//",
    )  # fmt: skip
    answers = [system.call("GET", path, headers={"Authorization": "someone"}) for path in others]

    assert exact == [200, 200]
    found = {path: (a.status_code, a.json().get("code")) for path, a in zip(others, answers, strict=True)}
    assert found == dict.fromkeys(others, (403, "missing_authentication_token"))


def gateway_metrics(system: RunningEmulator) -> None:
    """Calls of the API count by API and stage, errors by their class."""
    dimensions = {"ApiName": "conformance", "Stage": "v"}
    names = ("Count", "4XXError", "5XXError")
    before = [system.metric_sum("AWS/ApiGateway", name, dimensions) for name in names]
    system.call("GET", "/echo")
    system.call("GET", "/guarded")
    system.call("GET", "/echo", params={"do": "raise"})

    after = [system.metric_sum("AWS/ApiGateway", name, dimensions) for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [3, 1, 1]
    assert system.metric_sum("AWS/ApiGateway", "Latency", dimensions, "Maximum") > 0
    assert system.metric_sum("AWS/ApiGateway", "IntegrationLatency", dimensions, "Maximum") > 0


def access_log(system: RunningEmulator) -> None:
    """ "Variables for access logging": a line for each call, answered by a function or by the gateway."""
    group = system.outputs["AccessLogName"]
    calls = [
        system.call("GET", "/guarded", headers={"Authorization": (someone := uuid4().hex)}),
        system.call("GET", "/guarded"),
        system.call("GET", "/nothing"),
        system.call("GET", "/echo", params={"do": "raise"}),
        *[system.call("GET", "/guarded", headers={"Authorization": "deny"}) for _ in range(2)],
    ]
    pattern = " ".join(f'?"{call.headers["x-amzn-requestid"]}"' for call in calls)
    found = system.client("logs").filter_log_events(logGroupName=group, filterPattern=pattern)
    by_id = {(line := json.loads(event["message"]))["id"]: line for event in found["events"]}
    lines = [by_id[call.headers["x-amzn-requestid"]] for call in calls]

    assert [(line["status"], line["path"], line["error"], line["function"]) for line in lines] == [
        ("200", "/guarded", "-", "200"),
        ("401", "/guarded", "UNAUTHORIZED", "-"),
        ("403", "-", "MISSING_AUTHENTICATION_TOKEN", "-"),
        ("502", "/echo", "DEFAULT_5XX", "-"),
        *[("403", "/guarded", "ACCESS_DENIED", "-")] * 2,
    ]
    assert [line["principal"] for line in lines] == [someone, "-", "-", "-", "deny", "deny"]
    assert lines[0]["source"] == lines[0]["ip"] == "127.0.0.1"
    assert int(lines[0]["took"]) >= int(lines[0]["integration"]) >= 0
    assert {line["unknown"] for line in lines} == {"-"}


def stand_ins(system: RunningEmulator) -> None:
    """A template with a SageMaker endpoint and its scaling is deployed, and Ref gives the name."""
    stack = f"stand-ins-{uuid4().hex[:8]}"
    resources: dict[str, Any] = {
        "Model": {"Type": "AWS::SageMaker::Model", "Properties": {"ModelName": f"{stack}-model"}},
        "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {}},
        "Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": {"EndpointName": f"{stack}-embed"}},
        "Target": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {"MaxCapacity": 2}},
    }
    outputs = system.deploy(
        stack, {"Resources": resources, "Outputs": {"Named": {"Value": {"Ref": "Endpoint"}}}}
    )
    system.delete(stack)

    assert outputs["Named"] == f"{stack}-embed"


def table_ttl(system: RunningEmulator) -> None:
    """A table from a template expires its items."""
    stack = f"ttl-{uuid4().hex[:8]}"
    table = {
        "TableName": stack, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
    }  # fmt: skip
    system.deploy(stack, {"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": table}}})

    found = system.client("dynamodb").describe_time_to_live(TableName=stack)["TimeToLiveDescription"]
    system.delete(stack)
    assert found == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def rest_api_id(system: RunningEmulator) -> None:
    """A REST API that is deployed, deleted and deployed again keeps its id."""
    stack = f"api-{uuid4().hex[:8]}"
    resources = {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": stack}}}
    template = {"Resources": resources, "Outputs": {"Id": {"Value": {"Ref": "Api"}}}}

    def deployed_id() -> str:
        made = system.deploy(stack, template)["Id"]
        system.delete(stack)
        names = {stack}
        eventually(lambda: not names & _live_stacks(system), "deleted stack")
        return made

    assert deployed_id() == deployed_id()


def _live_stacks(system: RunningEmulator) -> set[str]:
    stacks = system.client("cloudformation").describe_stacks()["Stacks"]
    return {s["StackName"] for s in stacks if s["StackStatus"] != "DELETE_COMPLETE"}


CHECKS_OF_SERVICES: dict[str, Check] = {
    "lambda-runtime": lambda_runtime,
    "lambda-queue": lambda_queue,
    "lambda-throttles": lambda_throttles,
    "lambda-metrics": lambda_metrics,
    "embedded-metrics": embedded_metrics,
    "alias-weights": alias_weights,
    "s3-events": s3_events,
    "source-address": source_address,
    "request-id": request_id,
    "gateway-limits": gateway_limits,
    "gateway-paths": gateway_paths,
    "gateway-metrics": gateway_metrics,
    "access-log": access_log,
    "stand-ins": stand_ins,
    "table-ttl": table_ttl,
    "rest-api-id": rest_api_id,
}
