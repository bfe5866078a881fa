"""Who calls: only what the authorizer verified, never what a request claims."""

from collections.abc import MutableMapping
from typing import Any

from fastapi import Request

from haylift.domain.errors import NotAllowed, NotAuthenticated
from haylift.domain.identity import Permission, Principal, Role, Session


def caller(request: Request) -> Principal:
    """The verified caller that the authorizer passed on.

    Raises:
        NotAuthenticated: when the route was reached without an authorizer.
    """
    principal = optional_caller(request)
    if principal is None:
        raise NotAuthenticated("A token is needed: log in at POST /v1/auth/login.")
    return principal


def session(request: Request) -> Session:
    """The verified caller with the token that was sent.

    Raises:
        NotAuthenticated: when the route was reached without an authorizer.
    """
    principal = caller(request)
    context = gateway_context(request.scope)["authorizer"]
    return Session(
        principal=principal,
        token_id=context["jti"],
        expires_at=int(context["exp"]),
        stamp=context["stamp"],
    )


def optional_caller(request: Request) -> Principal | None:
    """The verified caller, or None for an anonymous one."""
    context = gateway_context(request.scope).get("authorizer") or {}
    if not context.get("sub"):
        return None
    return Principal(
        subject=context["sub"],
        tenant=context["tenant"],
        role=Role(context["role"]),
        permissions=frozenset(Permission(name) for name in _listed(context.get("permissions"))),
        groups=frozenset(_listed(context.get("groups"))),
    )


def source_address(request: Request) -> str:
    """The peer of the gateway's connection; a header that claims to be it is the caller's own text."""
    identity = gateway_context(request.scope).get("identity") or {}
    return str(identity.get("sourceIp") or "")


def require(principal: Principal, permission: Permission) -> None:
    """Refuses a caller without `permission`; the gateway's policy has asked before.

    Raises:
        NotAllowed: `permission_missing`.
    """
    if not principal.may(permission):
        raise NotAllowed(f"This needs the permission `{permission}`; ask an administrator of your tenant.")


def _listed(text: str | None) -> list[str]:
    return [part for part in (text or "").split(",") if part]


def gateway_context(scope: MutableMapping[str, Any]) -> dict[str, Any]:
    """What API Gateway says about the request; empty outside of Lambda."""
    return dict(scope.get("aws.event", {}).get("requestContext") or {})
