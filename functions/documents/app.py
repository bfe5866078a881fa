"""The HTTP face of a tenant's documents."""

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Self

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse
from haylift import http
from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.domain.identity import Permission, Principal
from haylift.http import RequestModel, caller, invalid_field, require
from haylift.http.decisions import note_decision
from haylift.services.documents import DocumentsService, Upload
from haylift.settings import HttpSettings
from haylift.telemetry import Telemetry
from pydantic import ConfigDict, JsonValue, model_validator

from functions.documents.operations import DELETE, LIST, SHOW, UPLOAD

DEFAULT_PAGE_LIMIT = 20
MAX_PAGE_LIMIT = 100
MAX_CURSOR_CHARS = 2_048

type Caller = Annotated[Principal, Depends(caller)]


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

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.filename is None):
            raise invalid_field("invalid_path", "Give either `path` or `filename`.")
        if self.filename is not None and "/" in self.filename:
            raise invalid_field("invalid_path", "A `filename` has no slash; give folders in `path`.")
        return self

    @property
    def place(self) -> str:
        """The path, whichever way it was given."""
        return self.path if self.path is not None else self.filename or ""


def create_app(
    service: DocumentsService, telemetry: Telemetry, settings: HttpSettings | None = None
) -> FastAPI:
    """The routes of `contract.ROUTES`."""
    app = http.create_app("Haylift documents", telemetry, settings)

    @app.get("/v1/documents", **LIST)
    async def list_documents(
        principal: Caller,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE_LIMIT)] = DEFAULT_PAGE_LIMIT,
        cursor: Annotated[str | None, Query(max_length=MAX_CURSOR_CHARS)] = None,
        state: DocumentState | None = None,
    ) -> JSONResponse:
        require(principal, Permission.READ)
        page = service.list(principal, limit=limit, cursor=cursor, state=state)
        return JSONResponse({"documents": [_shown(row) for row in page.documents], "cursor": page.cursor})

    @app.post("/v1/documents", **UPLOAD)
    async def upload_document(principal: Caller, request: UploadRequest, call: Request) -> JSONResponse:
        require(principal, Permission.WRITE)
        groups = None if request.access_groups is None else frozenset(request.access_groups)
        upload = service.upload(
            principal, request.place, content_type=request.content_type, access_groups=groups
        )
        note_decision(call, resource=upload.key.document_id)
        return JSONResponse(_form(upload), 201)

    @app.get("/v1/documents/{document_id}", **SHOW)
    async def show_document(principal: Caller, document_id: str) -> JSONResponse:
        require(principal, Permission.READ)
        record = service.get(principal, document_id)
        url = service.download_url(record)
        return JSONResponse(_shown(record) | ({"download_url": url} if url else {}))

    @app.delete("/v1/documents/{document_id}", **DELETE)
    async def delete_document(principal: Caller, document_id: str) -> JSONResponse:
        require(principal, Permission.WRITE)
        return JSONResponse(_shown(service.delete(principal, document_id)), 202)

    return app


def _shown(record: DocumentRecord) -> dict[str, object]:
    return {
        "document_id": record.document_id,
        "key": record.key,
        "title": record.title,
        "state": record.state.value,
        "reason": record.reason,
        "stage": record.stage,
        "percent": record.percent,
        "revision": record.revision,
        "size_bytes": record.size_bytes,
        "chunk_count": record.chunk_count,
        "partial": record.partial,
        "partial_detail": record.partial_detail,
        "media_type": record.media_type,
        "received_at": _moment(record.received_at),
        "updated_at": _moment(record.updated_at),
        "searchable_at": _moment(record.searchable_at),
    }


def _moment(epoch_s: float) -> str | None:
    """ISO 8601 in UTC with milliseconds; None for what has not happened."""
    if not epoch_s:
        return None
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _form(upload: Upload) -> dict[str, object]:
    form = upload.form
    return {
        "document_id": upload.key.document_id,
        "key": upload.key.object_key,
        "upload": {
            "url": form.url,
            "fields": dict(form.fields),
            "expires_s": form.expires_s,
            "max_bytes": form.max_bytes,
        },
        "curl": _curl(form.url, form.fields),
    }


def _curl(url: str, fields: Mapping[str, str]) -> str:
    """A command that sends the file `FILE`; `--form-string` reads no field as a file name."""
    parts = [f"--form-string {shlex.quote(f'{name}={value}')}" for name, value in fields.items()]
    return " ".join(["curl", *parts, "--form file=@FILE", shlex.quote(url)])
