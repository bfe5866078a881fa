"""Looking through the upload bucket: current versions and markers, in key order."""

from typing import Any

from haylift.adapters.aws import translated
from haylift.domain.drift import CurrentObject
from haylift.ports.maintenance import ObjectPage

MOST_KEYS = 1_000
"""S3's limit for one page."""

_BREAK = "\n"
"""Between key and version id of a cursor: a version id has none."""


class S3Inventory:
    """Implements `BucketInventory`.

    Versions are listed, since S3's list of objects says nothing of version ids: a page costs the same,
    $0.005 for 1,000 pages, and is longer by the old versions that the bucket keeps for some weeks.

    Args:
        bucket: the bucket's name; with or without versions.
        client: an `s3` client.
    """

    def __init__(self, bucket: str, client: Any) -> None:
        self._bucket = bucket
        self._client = client

    def current_objects(
        self, prefix: str, *, cursor: str | None = None, limit: int = MOST_KEYS
    ) -> ObjectPage:
        """The current objects below a prefix; `limit` counts old versions and markers too."""
        request: dict[str, Any] = {"Prefix": prefix, "MaxKeys": min(limit, MOST_KEYS)}
        if cursor:
            key, _, version_id = cursor.rpartition(_BREAK)
            request |= {"KeyMarker": key} | ({"VersionIdMarker": version_id} if version_id else {})
        page = self._page(request)
        following = None
        if page.get("IsTruncated"):
            following = f"{page['NextKeyMarker']}{_BREAK}{page.get('NextVersionIdMarker', '')}"
        found = [_current(version) for version in page.get("Versions", ()) if version["IsLatest"]]
        return ObjectPage(objects=tuple(found), cursor=following)

    def newest(self, key: str) -> CurrentObject | None:
        """What lies under the key now, a delete marker included.

        The key's own versions come first below it as a prefix, the newest of them first; a marker and a
        version are in lists of their own, so that one page of a few is read.
        """
        page = self._page({"Prefix": key, "MaxKeys": 2})
        for version in page.get("Versions", ()):
            if version["Key"] == key and version["IsLatest"]:
                return _current(version)
        for marker in page.get("DeleteMarkers", ()):
            if marker["Key"] == key and marker["IsLatest"]:
                return CurrentObject(key=key, version_id="", changed_at=marker["LastModified"].timestamp())
        return None

    def folders(self, prefix: str) -> tuple[str, ...]:
        """The names right below the prefix, by name; also of folders in which all is deleted."""
        names: list[str] = []
        request: dict[str, Any] = {"Prefix": prefix, "Delimiter": "/"}
        while True:
            page = self._page(request)
            names += [
                each["Prefix"].removeprefix(prefix).removesuffix("/")
                for each in page.get("CommonPrefixes", ())
            ]
            if not page.get("IsTruncated"):
                return tuple(names)
            request["KeyMarker"] = page["NextKeyMarker"]

    def delete(self, key: str) -> None:
        """Puts a delete marker; deleting twice is no error."""
        with translated("upload bucket"):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def _page(self, request: dict[str, Any]) -> dict[str, Any]:
        with translated("upload bucket"):
            page: dict[str, Any] = self._client.list_object_versions(Bucket=self._bucket, **request)
        return page


def _current(version: dict[str, Any]) -> CurrentObject:
    return CurrentObject(
        key=version["Key"],
        version_id=version["VersionId"],
        changed_at=version["LastModified"].timestamp(),
    )
