"""Patch `alias-weights`: an alias with a routing configuration shifts that share of its invocations.

Also gives the function the ARN it was invoked by: the alias's, as `context.invoked_function_arn` has it.
"""

import random
from typing import Any

from ministack.services import lambda_svc

from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.lambda_svc", ("_effective_func_record_for_qualifier", "_invoke", "_qp_first"))
]


def version_for(alias: dict[str, Any], chance: float) -> str:
    """The version that an invocation goes to, for a `chance` drawn from [0, 1)."""
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for version, weight in weights.items():
        if chance < float(weight):
            return str(version)
        chance -= float(weight)
    return str(alias.get("FunctionVersion", "$LATEST"))


def _alias(func: dict[str, Any] | None, qualifier: str | None) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (func or {}).get("aliases", {}).get(qualifier) if qualifier else None
    return found


def patch() -> Patch:
    """Draw the version for every way an alias is resolved: by API Gateway, by a queue, by Invoke."""
    effective_record, invoke = lambda_svc._effective_func_record_for_qualifier, lambda_svc._invoke

    def effective(func: dict[str, Any] | None, qualifier: str | None) -> tuple[Any, Any]:
        alias = _alias(func, qualifier)
        if func is None or alias is None:
            return tuple(effective_record(func, qualifier))
        record, config = effective_record(func, version_for(alias, random.random()))  # noqa: S311
        if config is None:
            return record, config
        return record, {**config, "FunctionArn": f"{func['config']['FunctionArn']}:{qualifier}"}

    async def invoke_version(
        name: str, event: Any, headers: dict[str, str],
        path_qualifier: str | None = None, query_params: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        qualifier = path_qualifier or lambda_svc._qp_first(query_params or {}, "Qualifier") or None
        alias = _alias(lambda_svc._functions.get(name), qualifier)
        # Only what is shifted away: ministack finds the alias's own version, and keeps its name with it.
        if alias is not None and (version := version_for(alias, random.random())) != version_for(alias, 1.0):  # noqa: S311
            path_qualifier = version
        return await invoke(name, event, headers, path_qualifier, query_params)

    return Patch(
        "alias-weights",
        "ministack sends every invocation of an alias to its first version",
        [
            Replacement(lambda_svc, "_effective_func_record_for_qualifier", effective),
            Replacement(lambda_svc, "_invoke", invoke_version),
        ],
    )
