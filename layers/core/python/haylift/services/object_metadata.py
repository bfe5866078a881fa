"""Reads what uploaders say about their documents."""

from dataclasses import dataclass

from haylift.domain.documents import DocumentKey, ObjectVersion
from haylift.domain.metadata import (
    MAX_SIDECAR_BYTES,
    DocumentMetadata,
    Said,
    merged,
    said_by_headers,
    said_by_sidecar,
    said_by_tags,
    sidecar_key,
)
from haylift.ports.announcements import ObjectTags
from haylift.ports.metadata import SmallFiles


@dataclass(frozen=True)
class HeaderMetadata:
    """Implements `MetadataReader` by the object's headers alone."""

    def read(self, key: DocumentKey, version: ObjectVersion) -> DocumentMetadata:  # noqa: ARG002  # the port's
        """Reads `x-amz-meta-*`."""
        return DocumentMetadata.of_object(version.metadata)


@dataclass(frozen=True, kw_only=True)
class ObjectMetadata:
    """Implements `MetadataReader`: sidecar before headers before tags."""

    tags: ObjectTags
    files: SmallFiles

    def read(self, key: DocumentKey, version: ObjectVersion) -> DocumentMetadata:
        """Reads all three places."""
        data = self.files.read(sidecar_key(key).object_key, max_bytes=MAX_SIDECAR_BYTES + 1)
        sidecar = Said() if data is None else said_by_sidecar(data)
        tags = self.tags.tags(key.object_key, version.version_id) or {}
        return merged(sidecar, said_by_headers(version.metadata), said_by_tags(tags))
