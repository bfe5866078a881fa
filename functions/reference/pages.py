"""The files of the reference: what they are called, what they hold, and how a browser may use them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources.abc import Traversable

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""No script but our files, no connection but to this deployment; nothing inline."""

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
}

OWN_ASSETS = ("page.css", "page.js")
SWAGGER_ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js")
"""Of the npm package swagger-ui-dist, which the layer `pages` carries."""

FRESH = "no-cache"
"""Kept, but asked for again each time: an unchanged file costs a 304 without a body."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A file as it is answered; `etag` is a digest of its bytes (strong, quoted)."""

    content: bytes
    media_type: str
    etag: str

    def is_known(self, if_none_match: str | None) -> bool:
        """Whether the caller has exactly these bytes (RFC 9110, 13.1.2: compared weakly)."""
        offered = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
        return "*" in offered or self.etag in offered


@dataclass(frozen=True, kw_only=True)
class Pages:
    """Everything that the reference answers."""

    document: Page
    page: Page
    assets: dict[str, Page]


def read_pages(own: Traversable, swagger: Traversable) -> Pages:
    """Reads the files of this function's folder and those of Swagger UI, 2 MB in all."""
    return Pages(
        document=_page(own, "openapi.json"),
        page=_page(own, "page.html"),
        assets=_assets(own, OWN_ASSETS) | _assets(swagger, SWAGGER_ASSETS),
    )


def _assets(folder: Traversable, names: Iterable[str]) -> dict[str, Page]:
    return {name: _page(folder, name) for name in names}


def _page(folder: Traversable, name: str) -> Page:
    content = folder.joinpath(name).read_bytes()
    media_type = MEDIA_TYPES[name[name.rindex(".") :]]
    return Page(content=content, media_type=media_type, etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"')
