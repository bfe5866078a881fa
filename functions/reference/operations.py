"""What the reference routes answer."""

from haylift.http.operations import Answered, operation

TAG = "Reference"
_HEADERS = {"ETag": "A digest of the content; send it as `If-None-Match` to get 304 while it is the same."}
_UNCHANGED = Answered(description="Unchanged since the `ETag` that you sent.", headers=_HEADERS)


def _text(description: str, media_type: str) -> Answered:
    return Answered(
        description=description,
        media_type=media_type,
        content={"schema": {"type": "string"}},
        headers=_HEADERS,
    )


DOCUMENT = operation(
    tag=TAG,
    summary="This document",
    description="The OpenAPI 3.1 document of all routes, for generators of clients and for tests.",
    answers={
        200: Answered(description="The document.", content={"schema": {"type": "object"}}, headers=_HEADERS),
        304: _UNCHANGED,
    },
)
PAGE = operation(
    tag=TAG,
    summary="The page that shows this document",
    description="Swagger UI with a login form; everything on it comes from this deployment.",
    answers={200: _text("The page.", "text/html"), 304: _UNCHANGED},
)
_SCRIPT_OR_STYLE = Answered(
    description="The file.",
    media_type="text/javascript",
    content={"schema": {"type": "string"}},
    headers=_HEADERS,
)
ASSET = operation(
    tag=TAG,
    summary="A file of the page",
    description="Scripts and styles of the page, by name.",
    answers={200: _SCRIPT_OR_STYLE, 304: _UNCHANGED},
    problems={404: "`asset_not_found`: the page has no such file."},
)
ASSET["responses"][200]["content"]["text/css"] = {"schema": {"type": "string"}}
