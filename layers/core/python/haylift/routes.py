"""The one table of routes: what each function answers, and which permission each route needs.

It stands here because functions do not know each other, yet the authorizer must: its policy is
cached for every path of a token, so it has to name all routes of a role. Each function's contract
gives its own part on as `ROUTES`.
"""

from haylift.contract import Access, Route
from haylift.domain.identity import Permission

AUTH_ROUTES = (
    Route(method="POST", path="/v1/auth/login", access=Access.PUBLIC),
    Route(method="POST", path="/v1/auth/refresh", access=Access.PUBLIC),
    Route(method="POST", path="/v1/auth/logout", permission=Permission.READ),
    Route(method="GET", path="/.well-known/jwks.json", access=Access.PUBLIC),
    Route(method="POST", path="/login", access=Access.PUBLIC, alias_of="/v1/auth/login"),
)

DOCUMENTS_ROUTES = (
    Route(method="GET", path="/v1/documents", permission=Permission.READ),
    Route(method="POST", path="/v1/documents", permission=Permission.WRITE),
    Route(method="GET", path="/v1/documents/{document_id}", permission=Permission.READ),
    Route(method="DELETE", path="/v1/documents/{document_id}", permission=Permission.WRITE),
    Route(method="GET", path="/v1/receipts/{receipt_id}", permission=Permission.READ),
)

SEARCH_ROUTES = (
    Route(method="POST", path="/v1/search", permission=Permission.READ),
    Route(method="POST", path="/v1/search/batch", permission=Permission.READ),
    Route(method="POST", path="/v1/query", permission=Permission.READ),
    Route(method="POST", path="/v1/feedback", permission=Permission.READ),
    Route(method="GET", path="/health", access=Access.OPTIONAL),
    Route(method="GET", path="/ready", access=Access.PUBLIC),
    Route(method="POST", path="/search", permission=Permission.READ, alias_of="/v1/search"),
    Route(method="POST", path="/batch-search", permission=Permission.READ, alias_of="/v1/search/batch"),
    Route(method="POST", path="/query", permission=Permission.READ, alias_of="/v1/query"),
)

METRICS_ROUTES = (Route(method="GET", path="/metrics", permission=Permission.READ),)

REFERENCE_ROUTES = (
    Route(method="GET", path="/docs", access=Access.PUBLIC),
    Route(method="GET", path="/docs/{asset}", access=Access.PUBLIC),
    Route(method="GET", path="/openapi.json", access=Access.PUBLIC),
)

ALL_ROUTES = (*AUTH_ROUTES, *DOCUMENTS_ROUTES, *SEARCH_ROUTES, *METRICS_ROUTES, *REFERENCE_ROUTES)

ALIASED_PATHS = {route.path: route.alias_of for route in ALL_ROUTES if route.alias_of}
"""What each alias repeats. Requests count under it in metrics: one endpoint is one symptom."""
