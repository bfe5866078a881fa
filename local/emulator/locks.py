"""Patches `object-lock` and `disabled-keys`: what may not be done to objects and with keys.

Sources: "AWS::S3::Bucket" (ObjectLockEnabled turns versioning on, ObjectLockConfiguration sets the default
retention) and "Key states of AWS KMS keys" (GetPublicKey of a disabled key is a DisabledException).
"""

from collections.abc import Mapping
from typing import Any

from ministack.services import kms, s3
from ministack.services.cloudformation import provisioners

from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.s3", ("_bucket_object_lock", "_bucket_versioning")),
    Needs("ministack.services.kms", ("_get_public_key", "_resolve_key", "_check_key_state")),
]
_BUCKET = "AWS::S3::Bucket"


def lock_of(props: Mapping[str, Any]) -> dict[str, Any] | None:
    """ministack's record of a template's object lock; None for a bucket without."""
    wanted = props.get("ObjectLockConfiguration") or {}
    if str(props.get("ObjectLockEnabled")).lower() != "true" and not wanted:
        return None
    rule = (wanted.get("Rule") or {}).get("DefaultRetention")
    numbers = {name: int(rule[name]) for name in ("Days", "Years") if rule and rule.get(name)}
    return {"enabled": True, "default_retention": {"Mode": rule["Mode"], **numbers} if rule else None}


def object_lock_patch() -> Patch:
    """Lock the objects of a bucket whose template says so."""
    table = provisioners._RESOURCE_HANDLERS
    handler = table[_BUCKET]

    def locked(made: tuple[str, Any], props: Mapping[str, Any]) -> tuple[str, Any]:
        lock = lock_of(props)
        if lock is not None:
            s3._bucket_object_lock[made[0]] = lock
            s3._bucket_versioning[made[0]] = "Enabled"
        return made

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, Any]:
        return locked(handler["create"](logical_id, props, stack_name), props)

    def update(physical_id: str, old: Any, new: dict[str, Any], *args: Any, **named: Any) -> tuple[str, Any]:
        return locked(handler["update"](physical_id, old, new, *args, **named), new)

    return Patch(
        "object-lock",
        "ministack ignores the object lock of a template",
        [Replacement(table, _BUCKET, {**handler, "create": create, "update": update})],
    )


def disabled_keys_patch() -> Patch:
    """Give no public key of a disabled key."""
    get_public_key = kms._get_public_key

    def checked(request: dict[str, Any]) -> Any:
        key = kms._resolve_key(request.get("KeyId", ""))
        return (kms._check_key_state(key) if key else None) or get_public_key(request)

    return Patch(
        "disabled-keys",
        "ministack gives the public key of a disabled key",
        [Replacement(kms, "_get_public_key", checked)],
    )
