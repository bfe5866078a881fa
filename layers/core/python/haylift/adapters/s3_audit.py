"""Audit objects in S3."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from haylift.adapters.aws import error_code, translated
from haylift.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3AuditArchive:
    """A bucket of audit objects (`ports.audit.AuditArchive`); needs `s3:PutObject` and nothing else."""

    def __init__(self, bucket: str, client: S3Client) -> None:
        self._bucket = bucket
        self._client = client

    def put(self, key: str, content: bytes) -> None:
        """Writes the object once, with its SHA-256 for S3 to check; a second time changes nothing."""
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        try:
            with translated("audit bucket"):
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=content,
                    ContentType="application/jsonl",
                    ChecksumSHA256=digest,
                    IfNoneMatch="*",
                )
        except ClientError as fault:
            if error_code(fault) == "ConditionalRequestConflict":
                raise StoreUnavailable("The audit object is being written by another delivery.") from fault
            if error_code(fault) != "PreconditionFailed":
                raise
