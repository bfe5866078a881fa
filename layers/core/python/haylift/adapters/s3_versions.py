"""All versions of objects in S3, and what keeps them."""

from collections.abc import Collection, Sequence
from itertools import batched
from typing import Any

from botocore.exceptions import ClientError

from haylift.adapters.aws import error_code, translated
from haylift.domain.errors import LegalHold, StoreUnavailable
from haylift.ports.erasure import KeptVersion

BATCH = 1_000
"""S3's limit for one DeleteObjects."""

NO_LOCK_CODES = frozenset({"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration", "404"})
GONE_CODES = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed", "405"})
NOT_HELD_CODES = NO_LOCK_CODES | GONE_CODES | {"InvalidRequest"}
"""A version without hold or retention; a delete marker can have neither."""


class S3Versions:
    """Implements `ObjectVersions` for one bucket, with or without versions and Object Lock."""

    def __init__(self, bucket: str, client: Any) -> None:
        self._bucket = bucket
        self._client = client

    def versions(self, key: str) -> Sequence[KeptVersion]:
        """The versions and delete markers of exactly this key, the newest first."""
        found: list[tuple[bool, Any, bool, KeptVersion]] = []
        with translated("upload bucket"):
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self._bucket, Prefix=key
            )
            for page in pages:
                entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
                found += [(*_place_in_time(entry), _kept(entry)) for entry in entries if entry["Key"] == key]
                # Keys come in their order, and no key with this one as its beginning stands before it.
                if any(entry["Key"] != key for entry in entries):
                    break
        return [kept for *_, kept in sorted(found, key=lambda entry: entry[:3], reverse=True)]

    def is_held(self, versions: Collection[KeptVersion]) -> bool:
        """Says whether a legal hold or a retention keeps any; a bucket without Object Lock has none."""
        with translated("upload bucket"):
            try:
                self._client.get_object_lock_configuration(Bucket=self._bucket)
            except ClientError as fault:
                if error_code(fault) not in NO_LOCK_CODES:
                    raise
                return False
            return any(self._has_hold(kept) or self._is_retained(kept) for kept in versions)

    def _has_hold(self, kept: KeptVersion) -> bool:
        answer = self._asked(self._client.get_object_legal_hold, kept)
        return bool(answer.get("LegalHold", {}).get("Status") == "ON")

    def _is_retained(self, kept: KeptVersion) -> bool:
        """Also when its time is over: S3 then says nothing against a removal, but an operator should."""
        return bool(self._asked(self._client.get_object_retention, kept).get("Retention"))

    def _asked(self, question: Any, kept: KeptVersion) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = question(**self._place(kept))
        except ClientError as fault:
            if error_code(fault) not in NOT_HELD_CODES:
                raise
            return {}
        return answer

    def remove(self, versions: Sequence[KeptVersion]) -> None:
        """Removes these versions for good; those that are gone are no error."""
        for some in batched(versions, BATCH, strict=False):
            doomed = [{"Key": kept.key, "VersionId": kept.version_id} for kept in some]
            with translated("upload bucket"):
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": doomed, "Quiet": True}
                )
            codes = {fault["Code"] for fault in answer.get("Errors", ())}
            if "AccessDenied" in codes:
                raise LegalHold("The bucket keeps a version of this file under legal hold or retention.")
            if codes:
                raise StoreUnavailable("The upload bucket kept a version that was to be removed.")

    def _place(self, kept: KeptVersion) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": kept.key, "VersionId": kept.version_id}


def _kept(entry: dict[str, Any]) -> KeptVersion:
    return KeptVersion(key=entry["Key"], version_id=entry["VersionId"])


def _place_in_time(entry: dict[str, Any]) -> tuple[bool, Any, bool]:
    """The SDK gives versions and markers apart, and times have whole seconds.

    Of one second the version counts as newer: what may be a new upload is not taken for the deleted file.
    """
    return entry["IsLatest"], entry["LastModified"], "Size" in entry
