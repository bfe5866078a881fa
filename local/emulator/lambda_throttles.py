"""Patch `lambda-throttles`: reserved concurrency holds for a function whatever version or alias is invoked.

ministack keeps it with the function and looks for it with the version, so an invocation by alias was never
throttled; and with a concurrency of 0 it left a queue alone, where AWS goes on trying, which counts as
throttles. Here the messages stay in the queue and are not counted as received. Source: "Configuring reserved
concurrency", Lambda developer guide.
"""

import time
from typing import Any

from ministack.services import lambda_svc

from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs(
        "ministack.services.lambda_svc",
        ("_reserved_concurrency", "_functions", "_sqs_esm_concurrency", "_emit_lambda_metrics"),
    )
]


def patch() -> Patch:
    """Look at the function's own record."""
    reserved, limit_of = lambda_svc._reserved_concurrency, lambda_svc._sqs_esm_concurrency

    def reserved_of_function(func: dict[str, Any], config: dict[str, Any]) -> int | None:
        found: int | None = reserved(lambda_svc._functions.get(config.get("FunctionName")) or func, config)
        return found

    def batches(esm: Any, func: Any, config: Any, queue: dict[str, Any] | None = None) -> int:
        limit = int(limit_of(esm, func, config, queue))
        is_waiting = any(
            m.get("visible_at", 0) <= time.time() for m in list((queue or {}).get("messages", ()))
        )
        if limit == 0 and is_waiting:
            lambda_svc._emit_lambda_metrics(esm["FunctionName"], duration_ms=0.0, error=False, throttle=True)
        return limit

    return Patch(
        "lambda-throttles",
        "ministack does not find the reserved concurrency of a version or an alias",
        [
            Replacement(lambda_svc, "_reserved_concurrency", reserved_of_function),
            Replacement(lambda_svc, "_sqs_esm_concurrency", batches),
        ],
    )
