"""What API Gateway asks of an authorizer: one policy for a token, valid for every path."""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from haylift.audit import ANONYMOUS, AuditRecord, Outcome, record
from haylift.contract import Access, Route
from haylift.domain.errors import NotAuthenticated
from haylift.domain.identity import Permission, Session
from haylift.routes import ALL_ROUTES
from haylift.services.authorize import AuthorizeService
from haylift.services.login import ACCESS_TOKEN_TYPE
from haylift.tracing import Hop, HopNote, hop

POLICY_VERSION = "2012-10-17"
_PATH_PARAMETER = re.compile(r"\{[^/]+\}")
logger = logging.getLogger("haylift.authorizer")


class Unauthorized(Exception):
    """API Gateway answers 401 to an authorizer that fails with exactly this message, else 500.

    A policy that denies would be 403, so it has to be raised. For every exception the Lambda runtime writes
    `[ERROR]` with the frames of this package, and cannot be told not to; they hold no token and nothing of
    the caller. The line to search for is `caller refused`, with its reason.
    """

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def consume(event: Mapping[str, Any], service: AuthorizeService) -> dict[str, object]:
    """Answers a REQUEST authorizer event (Lambda authorizer input, format of REST APIs).

    A bad token on an open route is no token: who asks for the status gets it, and no detail of it.
    Such a policy names that one method, and the gateway keeps no policy for open routes.

    Raises:
        Unauthorized: no valid token where one is needed.
        StoreUnavailable: keys or users cannot be read. API Gateway makes it AUTHORIZER_FAILURE, which
            says to the caller that a retry helps: neither a refusal nor an admission.
    """
    with hop(Hop.AUTHORIZER) as note:
        policy = _verdict(event, service, note)
    if policy is None:
        raise Unauthorized
    return policy


def _verdict(event: Mapping[str, Any], service: AuthorizeService, note: HopNote) -> dict[str, object] | None:
    """The caller's policy; None: refused, with the reason on its way to the log."""
    authorization = _authorization(event)
    anonymous = _policy(ANONYMOUS, [event["methodArn"]], {"typ": ANONYMOUS})
    note.facts["verdict"] = ANONYMOUS
    if authorization is None and _is_optional(event):
        return anonymous
    try:
        session = service.session(authorization or "")
    except NotAuthenticated as refusal:
        logger.info("caller refused", extra={"detail": {"reason": refusal.detail}})
        note.facts["reason"] = refusal.detail
        if _is_optional(event):
            return anonymous
        note.outcome, note.facts["verdict"] = refusal.code, "refused"
        _record_refusal(event, refusal)
        return None
    note.facts["verdict"] = "admitted"
    principal = session.principal
    resources = allowed_resources(event["methodArn"], principal.permissions, ALL_ROUTES)
    return _policy(principal.subject, resources, _context(session))


def _record_refusal(event: Mapping[str, Any], refusal: NotAuthenticated) -> None:
    """The audit record of a request that the gateway answers with 401; the caller proved nothing."""
    request = event.get("requestContext") or {}
    record(
        AuditRecord(
            actor=ANONYMOUS,
            tenant="",
            action=f"{event.get('httpMethod')} {event.get('resource')}",
            resource="",
            outcome=Outcome.DENIED,
            request_id=str(request.get("requestId") or ""),
            source_address=str((request.get("identity") or {}).get("sourceIp") or ""),
            code=refusal.code,
        )
    )


def allowed_resources(
    method_arn: str, permissions: frozenset[Permission], routes: Sequence[Route]
) -> list[str]:
    """Every route that the permissions open, as ARNs; the policy is cached for all paths of the token.

    Args:
        method_arn: of the called method, `arn:...:<api>/<stage>/<method>/<path>`.
    """
    api_stage = "/".join(method_arn.split("/", 2)[:2])
    return [
        f"{api_stage}/{route.method}{_PATH_PARAMETER.sub('*', route.path)}"
        for route in routes
        if route.access is Access.OPTIONAL or route.permission in permissions
    ]


def _authorization(event: Mapping[str, Any]) -> str | None:
    """The `Authorization` header; None without one, empty (never valid) when there are several."""
    single = {name: [value] for name, value in (event.get("headers") or {}).items()}
    headers: Mapping[str, list[str]] = event.get("multiValueHeaders") or single
    values = [value for name, given in headers.items() if name.lower() == "authorization" for value in given]
    if not values:
        return None
    return str(values[0]) if len(values) == 1 else ""


def _is_optional(event: Mapping[str, Any]) -> bool:
    called = (event.get("httpMethod"), event.get("resource"))
    return any(
        (route.method, route.path) == called for route in ALL_ROUTES if route.access is Access.OPTIONAL
    )


def _context(session: Session) -> dict[str, str]:
    """What the functions learn of the caller (`haylift.http.caller`); API Gateway carries texts only."""
    principal = session.principal
    return {
        "sub": principal.subject,
        "tenant": principal.tenant,
        "role": principal.role.value,
        "permissions": ",".join(sorted(principal.permissions)),
        "groups": ",".join(sorted(principal.groups)),
        "typ": ACCESS_TOKEN_TYPE,
        "jti": session.token_id,
        "exp": str(session.expires_at),
        "stamp": session.stamp,
    }


def _policy(principal_id: str, resources: list[str], context: dict[str, str]) -> dict[str, object]:
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resources}
    return {
        "principalId": principal_id,
        "policyDocument": {"Version": POLICY_VERSION, "Statement": [statement]},
        "context": context,
    }
