"""What the documents routes are asked."""

from typing import Annotated, Self

from haylift.domain.documents import DocumentState
from haylift.domain.listing import DocumentFilter
from haylift.domain.metadata import MAX_LANGUAGE_CHARS, MAX_TITLE_CHARS, UploadMetadata
from haylift.http import RequestModel, invalid_field
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)

DEFAULT_PAGE_LIMIT = 20
MAX_PAGE_LIMIT = 100
MAX_CURSOR_CHARS = 2_048
MAX_PREFIX_CHARS = 1_024


def _written_date_time(value: object) -> object:
    """Pydantic would take `12` for the twelfth second of 1970; the contract says RFC 3339.

    Raises:
        ValueError: a time without the `T` between its date and its hour.
    """
    if isinstance(value, str) and "t" not in value.lower():
        raise ValueError("Give a date and time with its zone, as 2026-01-31T12:00:00Z.")
    return value


class ListQuery(BaseModel):
    """Which documents, and how many at a time; all filters that are given must hold."""

    limit: int = Field(DEFAULT_PAGE_LIMIT, ge=1, le=MAX_PAGE_LIMIT)
    cursor: str | None = Field(None, max_length=MAX_CURSOR_CHARS)
    state: DocumentState | None = None
    reason: Annotated[str, Field(description="Of rejected documents.", pattern="^[a-z_]{0,64}$")] = ""
    prefix: Annotated[
        str, Field(description="How the path below the tenant begins.", max_length=MAX_PREFIX_CHARS)
    ] = ""
    media_type: Annotated[str, Field(pattern="^[A-Za-z0-9.+/-]{0,100}$")] = ""
    changed_since: Annotated[
        AwareDatetime | None,
        Field(description="Documents that changed then or later."),
        BeforeValidator(_written_date_time),
    ] = None

    @property
    def filter(self) -> DocumentFilter:
        """The filter, as services know it."""
        return DocumentFilter(
            state=self.state,
            reason=self.reason,
            path_prefix=self.prefix,
            media_type=self.media_type,
            changed_since=self.changed_since.timestamp() if self.changed_since else 0.0,
        )


def _given(name: str) -> dict[str, JsonValue]:
    return {"required": [name], "properties": {name: {"type": "string"}}}


class UploadRequest(RequestModel):
    """Where a file shall lie: `path` below the tenant's folder, or just a `filename`.

    `access_groups`: who may read it, `[]` everybody in the tenant; left out, those of the file that is
    replaced.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [_given("path"), _given("filename")]})

    path: str | None = None
    filename: str | None = None
    content_type: str = ""
    access_groups: list[str] | None = None
    title: str = Field("", description="Shown instead of the file's own.", max_length=MAX_TITLE_CHARS)
    language: str = Field("", description="A BCP 47 tag.", max_length=MAX_LANGUAGE_CHARS)
    expires_at: str = Field("", description="When it shall be deleted: a date, or a time with its zone.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.filename is None):
            raise invalid_field("invalid_path", "Give either `path` or `filename`.")
        if self.filename is not None and "/" in self.filename:
            raise invalid_field("invalid_path", "A `filename` has no slash; give folders in `path`.")
        return self

    @property
    def said(self) -> UploadMetadata:
        """What the uploader says about the file."""
        return UploadMetadata(title=self.title, language=self.language, expires_at=self.expires_at)

    @property
    def place(self) -> str:
        """The path, whichever way it was given."""
        return self.path if self.path is not None else self.filename or ""
