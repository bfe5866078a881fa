"""What the emulator does by itself, or by several patches together, and Haylift relies on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from local.polling import until
from tests.integration.local.checks import PROBE
from tests.integration.local.running_emulator import RunningEmulator, free_port

POISON = "poison"


def test_missing_token_is_401_as_the_api_words_it(system: RunningEmulator) -> None:
    refused = system.call("GET", "/guarded")

    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert refused.headers["content-type"] == "application/problem+json"


def test_authorizer_refusals_are_401_and_403(system: RunningEmulator) -> None:
    unknown = system.call("GET", "/guarded", headers={"Authorization": "nobody"})
    denied = system.call("GET", "/guarded", headers={"Authorization": "deny"})

    assert (unknown.status_code, unknown.json()["code"]) == (401, "unauthorized")
    assert (denied.status_code, denied.json()["code"]) == (403, "access_denied")


def test_authorizer_result_is_cached_for_its_five_seconds(system: RunningEmulator) -> None:
    headers = {"Authorization": uuid4().hex}

    def authorizer_call() -> str:
        answer = system.call("GET", "/guarded", headers=headers).json()
        return str(answer["event"]["requestContext"]["authorizer"]["call"])

    first, started = authorizer_call(), time.monotonic()
    assert authorizer_call() == first
    until(lambda: authorizer_call() != first, what="a fresh authorizer call", limit_s=8, pause_s=0.5)
    assert time.monotonic() - started > 3


def test_authorizer_without_identity_source_sees_anonymous_callers(system: RunningEmulator) -> None:
    anonymous = system.call("GET", "/anyone").json()
    named = system.call("GET", "/anyone", headers={"Authorization": "someone"}).json()

    assert anonymous["event"]["requestContext"]["authorizer"]["principalId"] == "anonymous"
    assert named["event"]["requestContext"]["authorizer"]["principalId"] == "someone"


def test_kms_signs_with_a_key_from_the_template(system: RunningEmulator) -> None:
    kms, key = system.client("kms"), system.outputs["KeyName"]
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"header.payload")
    content = digest.finalize()

    signature = kms.sign(
        KeyId=key, Message=content, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
    )["Signature"]  # fmt: skip
    public = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])

    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signature, content, ec.ECDSA(Prehashed(hashes.SHA256())))


def test_standard_queue_takes_message_groups(system: RunningEmulator) -> None:
    sqs, url = system.client("sqs"), system.outputs["UnreadName"]
    sqs.purge_queue(QueueUrl=url)

    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(number), MessageGroupId="tenant-a")
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])["Messages"]

    # A fair queue: the group orders nothing and blocks nothing.
    assert {m["Body"] for m in received} == {"0", "1", "2"}
    assert {m["Attributes"]["MessageGroupId"] for m in received} == {"tenant-a"}


def test_failed_records_alone_return_to_the_queue(system: RunningEmulator) -> None:
    sqs, url = system.client("sqs"), system.outputs["WorkName"]
    entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(["a", POISON, "b"])]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)

    def held_and_waiting() -> tuple[str, str]:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return found[names[0]], found[names[1]]

    until(lambda: held_and_waiting() == ("0", "1"), what="only the poison is left", limit_s=15)


def test_time_limit_ends_the_process(system: RunningEmulator) -> None:
    before = system.invoke(PROBE, {})["pid"]

    late = system.invoke(PROBE, {"do": "sleep", "seconds": 30})
    after = system.invoke(PROBE, {})["pid"]

    assert late["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 2.00 seconds" in late["errorMessage"]
    assert after != before
    assert not Path(f"/proc/{before}").exists()


def test_function_sees_lambdas_environment_and_not_this_machines(system: RunningEmulator) -> None:
    found = system.invoke(PROBE, {})

    names = set(found["environment"])
    assert {
        "AWS_LAMBDA_FUNCTION_NAME",
        "LAMBDA_TASK_ROOT",
        "AWS_REGION",
        "AWS_ENDPOINT_URL",
        "OWN_SETTING",
    } <= names
    assert not {name for name in names if name.startswith(("PYTEST", "HAYLIFT", "VIRTUAL_ENV", "STATE_DIR"))}
    assert found["home"] == "/dev/null"


def test_printed_lines_are_in_the_log_group_when_the_answer_is_there(system: RunningEmulator) -> None:
    text = uuid4().hex

    system.invoke(PROBE, {"do": "print", "text": text})

    request = {"logGroupName": f"/aws/lambda/{PROBE}", "filterPattern": f'?"{text}" ?"Max Memory Used: "'}
    found = system.client("logs").filter_log_events(**request)["events"]
    messages = [event["message"] for event in found]
    assert text in messages
    assert any(m.startswith("REPORT RequestId: ") and "Max Memory Used: " in m for m in messages)


def test_answers_do_not_wait_for_log_lines(system: RunningEmulator) -> None:
    system.call("GET", "/echo")

    def duration_s() -> float:
        started = time.monotonic()
        system.call("GET", "/echo")
        return time.monotonic() - started

    # ministack alone waits 50 ms in each call for a line that never comes.
    assert min(duration_s() for _ in range(20)) < 0.04


def test_functions_end_with_a_killed_emulator(tmp_path: Path) -> None:
    environment = {
        **os.environ, "HAYLIFT_EMULATOR_PORT": str(free_port()), "HAYLIFT_EMULATOR_STATE": str(tmp_path),
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "local.emulator"], env=environment, stderr=subprocess.DEVNULL
    )
    running = RunningEmulator(int(environment["HAYLIFT_EMULATOR_PORT"]), process.pid)
    try:
        running.wait_until_ready()
        code = "import os, time\ndef handler(event, context):\n    print(os.getpid())\n    time.sleep(600)"
        function = {
            "FunctionName": "sleeper", "Runtime": "python3.13", "Handler": "index.handler", "Timeout": 900,
            "Role": "arn:aws:iam::000000000000:role/any", "Code": {"ZipFile": code},
        }  # fmt: skip
        resources = {"F": {"Type": "AWS::Lambda::Function", "Properties": function}}
        running.deploy("sleeper", {"Resources": resources})
        running.client("lambda").invoke(FunctionName="sleeper", InvocationType="Event")

        def children() -> list[int]:
            listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").parent.parent.glob("*/children")
            return [int(pid) for path in listed for pid in path.read_text().split()]

        pids = until(children, what="the function's process", limit_s=10)
    finally:
        running.close()
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)

    until(
        lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="no process is left", limit_s=5
    )
    assert not (tmp_path / "clean-stop").exists()
