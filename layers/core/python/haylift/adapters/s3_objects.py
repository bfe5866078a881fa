"""The upload bucket in S3."""

from collections.abc import Mapping
from email.errors import HeaderParseError
from email.header import Header, decode_header, make_header
from pathlib import Path
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError, IncompleteReadError

from haylift.adapters.aws import error_code, translated
from haylift.adapters.s3_quarantine import S3Quarantine
from haylift.domain.documents import ObjectVersion
from haylift.domain.errors import InvalidInput, StoreUnavailable
from haylift.ports.ingestion import UploadForm

GONE_CODES = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound", "MethodNotAllowed", "405"})
"""A HEAD answers without a body, so its code is the status; 405 is a delete marker asked for by version."""

DOWNLOAD_CHUNK_BYTES = 1_048_576


class S3Objects(S3Quarantine):
    """One bucket's objects, versions and presigned requests.

    Args:
        bucket: the bucket's name.
        client: an `s3` client that signs with SigV4.
    """

    def head(self, key: str, version_id: str | None = None) -> ObjectVersion | None:
        """The current (or the given) version; None when it is gone or hidden by a delete marker."""
        with translated("upload bucket"):
            try:
                answer = self._client.head_object(**self._object(key, version_id))
            except ClientError as fault:
                if not _is_gone(fault, version_id):
                    raise
                return None
        return _version(answer)

    def download(self, key: str, version_id: str, target: Path) -> ObjectVersion | None:
        """Writes that version's bytes to `target`; None when the version is gone."""
        with translated("upload bucket"):
            try:
                answer = self._client.get_object(**self._object(key, version_id))
            except ClientError as fault:
                if not _is_gone(fault, version_id):
                    raise
                return None
            try:
                with target.open("wb") as file:
                    file.writelines(answer["Body"].iter_chunks(DOWNLOAD_CHUNK_BYTES))
            except IncompleteReadError as fault:
                raise StoreUnavailable("The upload bucket broke off a download.") from fault
        return _version(answer)

    def delete(self, key: str) -> str:
        """Puts a delete marker and gives its version id; deleting twice is no error."""
        with translated("upload bucket"):
            answer = self._client.delete_object(Bucket=self._bucket, Key=key)
        return str(answer.get("VersionId", ""))

    def upload_form(
        self,
        key: str,
        *,
        max_bytes: int,
        expires_s: int,
        content_type: str = "",
        metadata: Mapping[str, str] = MappingProxyType({}),
    ) -> UploadForm:
        """A presigned POST for exactly this key, type and metadata; S3 itself refuses a larger file.

        Raises:
            InvalidInput: `invalid_key` for a key with `${filename}`, which S3 would replace by a name
                that the uploader chooses.
        """
        if "${filename}" in key:
            raise InvalidInput("A key cannot hold ${filename}.", code="invalid_key", where="key")
        limit: list[Any] = ["content-length-range", 0, max_bytes]
        fixed = {f"x-amz-meta-{name}": Header(text).encode(maxlinelen=0) for name, text in metadata.items()}
        if content_type:
            fixed["Content-Type"] = content_type
        form = self._client.generate_presigned_post(
            self._bucket,
            key,
            Fields=dict(fixed),
            Conditions=[limit, *({name: value} for name, value in fixed.items())],
            ExpiresIn=expires_s,
        )
        return UploadForm(url=form["url"], fields=form["fields"], expires_s=expires_s, max_bytes=max_bytes)

    def download_url(self, key: str, version_id: str, *, expires_s: int) -> str:
        """A presigned GET of that version; a browser saves it rather than showing it on our origin."""
        request = self._object(key, version_id) | {"ResponseContentDisposition": "attachment"}
        url = self._client.generate_presigned_url("get_object", Params=request, ExpiresIn=expires_s)
        return str(url)

    def _object(self, key: str, version_id: str | None) -> dict[str, str]:
        place = {"Bucket": self._bucket, "Key": key}
        return place | {"VersionId": version_id} if version_id else place


def _is_gone(fault: ClientError, version_id: str | None) -> bool:
    is_no_version = version_id is not None and error_code(fault) in {"400", "InvalidArgument"}
    return is_no_version or error_code(fault) in GONE_CODES


def _version(answer: dict[str, Any]) -> ObjectVersion:
    return ObjectVersion(
        version_id=answer.get("VersionId", "null"),
        etag=answer["ETag"].strip('"'),
        size_bytes=answer["ContentLength"],
        content_type=answer.get("ContentType", ""),
        metadata={name.lower(): _decoded(text) for name, text in answer.get("Metadata", {}).items()},
    )


def _decoded(text: str) -> str:
    """S3 gives metadata beyond ASCII as RFC 2047 words; text that only looks like one stays as it is."""
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, UnicodeDecodeError):
        return text
