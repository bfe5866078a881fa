"""The HTTP face of a tenant's documents."""

import shlex
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse
from haylift import http
from haylift.domain.identity import Permission, Principal
from haylift.http import caller, require
from haylift.http.decisions import note_decision
from haylift.services.documents import DocumentsService, Upload
from haylift.settings import HttpSettings
from haylift.telemetry import Telemetry

from functions.documents.operations import DELETE, LIST, RECEIPT, SHOW, UPLOAD
from functions.documents.requests import ListQuery, UploadRequest
from functions.documents.shown import shown, shown_receipt, shown_with_history

PURGE_ACTION = "DELETE /v1/documents/{document_id}?purge=true"
"""What the audit calls a deletion that cannot be undone."""

type Caller = Annotated[Principal, Depends(caller)]


def create_app(
    service: DocumentsService, telemetry: Telemetry, settings: HttpSettings | None = None
) -> FastAPI:
    """The routes of `contract.ROUTES`."""
    app = http.create_app("Haylift documents", telemetry, settings)

    @app.get("/v1/documents", **LIST)
    async def list_documents(principal: Caller, asked: Annotated[ListQuery, Query()]) -> JSONResponse:
        require(principal, Permission.READ)
        page = service.list(principal, limit=asked.limit, cursor=asked.cursor, wanted=asked.filter)
        return JSONResponse({"documents": [shown(row) for row in page.documents], "cursor": page.cursor})

    @app.post("/v1/documents", **UPLOAD)
    async def upload_document(principal: Caller, request: UploadRequest, call: Request) -> JSONResponse:
        require(principal, Permission.WRITE)
        groups = None if request.access_groups is None else frozenset(request.access_groups)
        upload = service.upload(
            principal,
            request.place,
            content_type=request.content_type,
            access_groups=groups,
            said=request.said,
        )
        note_decision(call, resource=upload.key.document_id)
        return JSONResponse(_form(upload), 201)

    @app.get("/v1/documents/{document_id}", **SHOW)
    async def show_document(principal: Caller, document_id: str) -> JSONResponse:
        require(principal, Permission.READ)
        record = service.get(principal, document_id)
        url = service.download_url(record)
        return JSONResponse(shown_with_history(record) | ({"download_url": url} if url else {}))

    @app.delete("/v1/documents/{document_id}", **DELETE)
    async def delete_document(
        principal: Caller, document_id: str, call: Request, purge: bool = False
    ) -> JSONResponse:
        require(principal, Permission.WRITE)
        if purge:
            note_decision(call, action=PURGE_ACTION)
        return JSONResponse(shown_receipt(service.delete(principal, document_id, purge=purge)), 202)

    @app.get("/v1/receipts/{receipt_id}", **RECEIPT)
    async def show_receipt(principal: Caller, receipt_id: str, call: Request) -> JSONResponse:
        require(principal, Permission.READ)
        state = service.receipt(principal, receipt_id)
        note_decision(call, resource=state.receipt.document_id)
        return JSONResponse(shown_receipt(state))

    return app


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
