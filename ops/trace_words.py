"""What the codes of a trace mean, and which runbook to open."""

WORDS_BY_CODE = {
    "cache_unavailable": "the shared cache does not answer",
    "index_unavailable": "the document index does not answer",
    "invalid_credentials": "user name or password is wrong",
    "invalid_refresh_token": "the refresh token is not valid any more",
    "load_shed": "an operator sheds a share of the searches",
    "model_busy": "the model endpoint has too much to do",
    "model_sleeping": "the model endpoint was asleep and is waking up",
    "model_unavailable": "the model endpoint does not answer",
    "permission_missing": "the caller lacks the permission",
    "query_timeout": "the question's own time-out was over",
    "tables_unavailable": "the tables do not answer",
    "store_unavailable": "a table, a bucket or the key service does not answer",
    "timeout": "the request's time was over",
    "too_many_requests": "the caller is over a rate limit",
    "unauthorized": "the token was refused",
    "internal_error": "the code crashed; the function's log has the traceback",
    "untrusted_host": "the Host header names no host of this deployment",
    "unfinished": "the function was ended before it could answer",
}

WORDS_BY_RESPONSE = {
    "ACCESS_DENIED": "the token is valid, but does not open this route",
    "AUTHORIZER_CONFIGURATION_ERROR": "the gateway cannot use the authorizer's answer",
    "AUTHORIZER_FAILURE": "the authorizer failed or took too long",
    "API_CONFIGURATION_ERROR": "the API is deployed wrongly",
    "BAD_REQUEST_BODY": "the body does not fit the route",
    "BAD_REQUEST_PARAMETERS": "the parameters do not fit the route",
    "EXPIRED_TOKEN": "the token has expired",
    "INTEGRATION_FAILURE": "the function could not be called, or crashed",
    "INTEGRATION_TIMEOUT": "the function did not answer within the gateway's 29 s",
    "INVALID_SIGNATURE": "the signature is wrong",
    "MISSING_AUTHENTICATION_TOKEN": "there is no such route or method",
    "REQUEST_TOO_LARGE": "the body is larger than the gateway takes",
    "RESOURCE_NOT_FOUND": "there is no such route",
    "THROTTLED": "the whole API, or the function, has more requests than it may take",
    "UNAUTHORIZED": "the request has no token, or the authorizer refused it",
    "UNSUPPORTED_MEDIA_TYPE": "the gateway does not take this content type",
    "WAF_FILTERED": "the web application firewall stopped it",
}
"""`$context.error.responseType` of API Gateway: "Gateway response types" in its developer guide."""

RUNBOOK_BY_HOP = {
    "cache": "cache-unhealthy",
    "embedding": "model-endpoint-failing",
    "rerank": "model-endpoint-failing",
    "endpoint": "model-endpoint-failing",
    "index": "index-unhealthy",
    "tables": "api-errors",
    "objects": "api-errors",
    "keys": "api-errors",
    "authorizer": "api-errors",
    "function": "api-errors",
    "gateway": "api-errors",
}
RUNBOOK_BY_CODE = {
    "cache_unavailable": "cache-unhealthy",
    "index_unavailable": "index-unhealthy",
    "model_unavailable": "model-endpoint-failing",
}
"""Wherever such a code is found, as in an answer about health that was kept from a moment before."""

SEARCH_FAILED = "search-errors"
THROTTLED = "functions-throttled"


def in_words(code: str) -> str:
    """A code's meaning, or the code itself.

    >>> in_words("index_unavailable"), in_words("REQUEST_TOO_LARGE"), in_words("status_502")
    ('the document index does not answer', 'the body is larger than the gateway takes', 'status 502')
    """
    words = WORDS_BY_CODE.get(code) or WORDS_BY_RESPONSE.get(code)
    return words or code.replace("_", " ")


WORDS_BY_HOP = {
    ("embedding", "timeout"): "the model endpoint took longer than this step waits for it",
    ("rerank", "timeout"): "the model endpoint took longer than this step waits for it",
}
"""Of a step that was given up while the request went on: not the request's time was over."""


def in_words_of_step(hop: str, code: str) -> str:
    """What a code means of a step that the request did without."""
    return WORDS_BY_HOP.get((hop, code)) or in_words(code)


def place_in_words(hop: str, function: str) -> str:
    """Where something happened.

    >>> place_in_words("rate_limit", "search"), place_in_words("authorizer", "authorizer")
    ('the rate limit of search', 'the authorizer')
    >>> place_in_words("function", "auth"), place_in_words("gateway", ""), place_in_words("index", "search")
    ('the function auth', 'the gateway', 'index of search')
    """
    if hop == "rate_limit":
        return f"the rate limit of {function}"
    if hop == "function":
        return f"the function {function}"
    if hop in {function, "gateway"} or not function:
        return f"the {hop}"
    return f"{hop} of {function}"


def runbook_of(hop: str, code: str, function: str) -> str:
    """The name of the runbook (`docs/runbooks/<name>.md`) for a hop that failed."""
    if code == "THROTTLED":
        return THROTTLED
    name = RUNBOOK_BY_CODE.get(code) or RUNBOOK_BY_HOP.get(hop, "api-errors")
    return SEARCH_FAILED if name == "api-errors" and function == "search" else name
