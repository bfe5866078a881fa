"""What says something about an object in S3: the tags of its versions, and small files beside it."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError, IncompleteReadError

from haylift.adapters.aws import error_code, translated
from haylift.domain.documents import MAX_KEY_BYTES
from haylift.domain.errors import StoreUnavailable

GONE_CODES = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed", "NoSuchTagSet", "404"})


class S3Tags:
    """Implements `ObjectTags` for one bucket.

    S3 replaces all tags of a version at once: whoever else changes them between our read and our write
    (some milliseconds) loses that change.
    """

    def __init__(self, bucket: str, client: Any) -> None:
        self._bucket = bucket
        self._client = client

    def tags(self, key: str, version_id: str) -> Mapping[str, str] | None:
        """The version's tags; None when the version is gone."""
        with translated("upload bucket"):
            try:
                answer = self._client.get_object_tagging(**self._version(key, version_id))
            except ClientError as fault:
                if error_code(fault) not in GONE_CODES:
                    raise
                return None
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def put_tags(self, key: str, version_id: str, tags: Mapping[str, str]) -> bool:
        """Replaces all tags of the version; False when the version is gone."""
        found = [{"Key": name, "Value": text} for name, text in tags.items()]
        with translated("upload bucket"):
            try:
                self._client.put_object_tagging(**self._version(key, version_id), Tagging={"TagSet": found})
            except ClientError as fault:
                if error_code(fault) not in GONE_CODES:
                    raise
                return False
        return True

    def _version(self, key: str, version_id: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": key, "VersionId": version_id}


class S3SmallFiles:
    """Implements `SmallFiles` for one bucket."""

    def __init__(self, bucket: str, client: Any) -> None:
        self._bucket = bucket
        self._client = client

    def read(self, key: str, *, max_bytes: int) -> bytes | None:
        """Its first `max_bytes` bytes; None when there is none."""
        if len(key.encode()) > MAX_KEY_BYTES:
            return None
        with translated("upload bucket"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as fault:
                if error_code(fault) not in GONE_CODES:
                    raise
                return None
            try:
                data: bytes = answer["Body"].read(max_bytes)
            except IncompleteReadError as fault:
                raise StoreUnavailable("The upload bucket broke off a download.") from fault
            finally:
                answer["Body"].close()
        return data
