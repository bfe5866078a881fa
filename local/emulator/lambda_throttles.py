"""Patch `lambda-throttles`: reserved concurrency holds for a function whatever version or alias is invoked.

ministack keeps it with the function and looks for it with the version, so an invocation by alias was never
throttled. Source: "Configuring reserved concurrency", Lambda developer guide.
"""

from typing import Any

from ministack.services import lambda_svc

from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [Needs("ministack.services.lambda_svc", ("_reserved_concurrency", "_functions"))]


def patch() -> Patch:
    """Look at the function's own record."""
    reserved = lambda_svc._reserved_concurrency

    def reserved_of_function(func: dict[str, Any], config: dict[str, Any]) -> int | None:
        found: int | None = reserved(lambda_svc._functions.get(config.get("FunctionName")) or func, config)
        return found

    return Patch(
        "lambda-throttles",
        "ministack does not find the reserved concurrency of a version or an alias",
        [Replacement(lambda_svc, "_reserved_concurrency", reserved_of_function)],
    )
