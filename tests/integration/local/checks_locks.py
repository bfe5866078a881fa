"""What may not be done to locked objects and with disabled keys, one check per patch of the emulator."""

from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from tests.integration.local.running_emulator import Check, RunningEmulator


def code_of(action: Any, **request: Any) -> str:
    """The error code of a call; empty when it succeeds."""
    try:
        action(**request)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def disabled_keys(system: RunningEmulator) -> None:
    """ "Key states": a disabled key signs nothing and shows nothing, until it is enabled."""
    kms, key = system.client("kms"), system.outputs["KeyName"]
    request = {
        "KeyId": key, "Message": b"0" * 32, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256",
    }  # fmt: skip

    kms.disable_key(KeyId=key)
    disabled = [code_of(kms.sign, **request), code_of(kms.get_public_key, KeyId=key)]
    kms.enable_key(KeyId=key)

    assert disabled == ["DisabledException", "DisabledException"]
    assert [code_of(kms.sign, **request), code_of(kms.get_public_key, KeyId=key)] == ["", ""]


def object_lock(system: RunningEmulator) -> None:
    """ "AWS::S3::Bucket": objects of a bucket with a default retention keep their versions."""
    name, s3 = f"locked-{uuid4().hex[:8]}", system.client("s3")
    configuration = {
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
    }  # fmt: skip
    properties = {"BucketName": name, "ObjectLockEnabled": True, "ObjectLockConfiguration": configuration}
    system.deploy(name, {"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": properties}}})

    version = s3.put_object(Bucket=name, Key="a", Body=b"1")["VersionId"]

    assert s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"] == configuration
    assert code_of(s3.delete_object, Bucket=name, Key="a", VersionId=version) == "AccessDenied"


CHECKS_OF_LOCKS: dict[str, Check] = {"disabled-keys": disabled_keys, "object-lock": object_lock}
