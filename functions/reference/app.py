"""The HTTP face of the reference: the OpenAPI document, and a page that shows it without the internet."""

from typing import Annotated

from fastapi import FastAPI, Header
from fastapi.responses import Response
from haylift import http
from haylift.domain.errors import NotFound
from haylift.settings import HttpSettings
from haylift.telemetry import Telemetry

from functions.reference.operations import ASSET, DOCUMENT, PAGE
from functions.reference.pages import FRESH, POLICY, Page, Pages

type Known = Annotated[str | None, Header(alias="If-None-Match", description="The `ETag` that you have.")]


def create_app(pages: Pages, telemetry: Telemetry, settings: HttpSettings | None = None) -> FastAPI:
    """The routes of `contract.ROUTES`."""
    app = http.create_app("Haylift reference", telemetry, settings)

    @app.get("/openapi.json", **DOCUMENT)
    async def document(if_none_match: Known = None) -> Response:
        return _answer(pages.document, if_none_match)

    @app.get("/docs", **PAGE)
    async def page(if_none_match: Known = None) -> Response:
        return _answer(pages.page, if_none_match)

    @app.get("/docs/{asset}", **ASSET)
    async def asset(asset: str, if_none_match: Known = None) -> Response:
        if asset not in pages.assets:
            raise NotFound("The page has no such file.", code="asset_not_found")
        return _answer(pages.assets[asset], if_none_match)

    return app


def _answer(page: Page, if_none_match: str | None) -> Response:
    headers = {"ETag": page.etag, "Cache-Control": FRESH, "Content-Security-Policy": POLICY}
    if page.is_known(if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(page.content, headers=headers, media_type=page.media_type)
