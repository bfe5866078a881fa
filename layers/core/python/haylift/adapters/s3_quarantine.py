"""Rejected files, copied inside the upload bucket."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from haylift.adapters.aws import error_code, translated
from haylift.domain.documents import DocumentKey, ObjectVersion
from haylift.domain.quarantine import QuarantineKeys
from haylift.ports.quarantine import SetAside

GONE_CODES = frozenset({"NoSuchKey", "NoSuchVersion", "404", "405", "MethodNotAllowed"})

MAX_COPY_BYTES = 1_073_741_824
"""S3 copies up to 5 GB in one request; a larger one than this might outlast the client's time-out."""

UNREAD_TYPE = "application/octet-stream"
"""So that a browser saves the copy and never shows it."""


class S3Quarantine:
    """The prefix `quarantine/` of one versioned bucket.

    Args:
        bucket: the bucket's name.
        client: an `s3` client.
    """

    def __init__(self, bucket: str, client: Any) -> None:
        self._bucket = bucket
        self._client = client

    def set_aside(
        self, key: DocumentKey, version: ObjectVersion, reason: Mapping[str, str | int]
    ) -> SetAside:
        """Copies that very version on S3's side and writes the reason beside it; safe to repeat."""
        keys = QuarantineKeys.of(key)
        with translated("upload bucket"):
            copied = self._copy(key, version, keys.copy) if version.size_bytes <= MAX_COPY_BYTES else None
            body = json.dumps({**reason, "copied": copied is not None}, indent=1)
            answer = self._client.put_object(
                Bucket=self._bucket, Key=keys.reason, Body=body.encode(), ContentType="application/json"
            )
        written = [(keys.copy, copied)] if copied is not None else []
        return SetAside(objects=(*written, (keys.reason, answer.get("VersionId", ""))))

    def _copy(self, key: DocumentKey, version: ObjectVersion, target: str) -> str | None:
        """The copy's version id; None when the original is gone."""
        source = {"Bucket": self._bucket, "Key": key.object_key, "VersionId": version.version_id}
        try:
            answer = self._client.copy_object(
                Bucket=self._bucket,
                Key=target,
                CopySource=source,
                MetadataDirective="REPLACE",
                ContentType=UNREAD_TYPE,
                # Tags are the uploader's and ours about the original; copying them would need more rights.
                TaggingDirective="REPLACE",
            )
        except ClientError as fault:
            if error_code(fault) not in GONE_CODES:
                raise
            return None
        return str(answer.get("VersionId", ""))

    def take_back(self, written: SetAside) -> None:
        """Removes exactly these versions, so that those of another worker show again."""
        with translated("upload bucket"):
            for key, version_id in written.objects:
                place = {"Bucket": self._bucket, "Key": key}
                self._client.delete_object(**place, **({"VersionId": version_id} if version_id else {}))

    def release(self, key: DocumentKey) -> None:
        """Puts delete markers on copy and reason."""
        keys = QuarantineKeys.of(key)
        with translated("upload bucket"):
            for name in (keys.copy, keys.reason):
                self._client.delete_object(Bucket=self._bucket, Key=name)
