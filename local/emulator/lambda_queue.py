"""Patch `lambda-queue`: invocations beyond a function's processes wait instead of failing.

Lambda starts as many environments as it needs; one machine cannot. ministack either starts without limit
(ten parallel searches made 22 processes and 2.8 GB) or refuses with 429, which AWS would not do here.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.emulator.configuration import CONFIGURATION
from local.emulator.gateway_call import answer_by
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs(
        "ministack.core.lambda_runtime",
        ("acquire_worker", "release_worker", "_workers", "_lock", "kill_workers"),
    ),
    Needs(
        "ministack.services.lambda_svc",
        ("acquire_worker", "release_worker", "reap_idle_workers", "_sqs_esm_concurrency", "_iter_all_esms"),
    ),
]
# Longer than two batches of ingestion take; a function that calls itself ends here, not never.
WAIT_LIMIT_S = 300.0
# A worker can also become free by being thrown away, which nobody announces.
_LOOK_AGAIN_S = 0.25
FULL_CONCURRENCY = 8
"""From this maximum of a mapping on, it has all the processes that a mapping can have here."""
_freed = threading.Condition()


def acquire_worker(
    func_name: str, config: dict[str, Any], code_zip: bytes,
    qualifier: str = "$LATEST", max_concurrency: int | None = None,
) -> tuple[Any, str]:  # fmt: skip
    """Lease a process of this function version, waiting for one; `(None, "func_cap")` after the limit."""
    limit = max_concurrency or CONFIGURATION.workers_per_function * max(1, _mappings_of(func_name))
    # What the gateway has given up is not begun any more.
    deadline = min(time.monotonic() + WAIT_LIMIT_S, answer_by.get() or math.inf)
    while True:
        worker, reason = lambda_runtime.acquire_worker(
            func_name, config, code_zip, qualifier=qualifier, max_concurrency=limit
        )
        if worker is not None or time.monotonic() >= deadline:
            return worker, reason
        with _freed:
            _freed.wait(_LOOK_AGAIN_S)


def _mappings_of(func_name: str) -> int:
    """How many queues feed a function: each has processes of its own, or a slow queue would stop the others.

    Lambda has room for all of them; here a lane of heavy documents would hold every process of ingestion.
    """
    return sum(esm.get("FunctionName") == func_name for _, _, esm in lambda_svc._iter_all_esms())


def release_worker(worker: Any) -> None:
    """Give a leased process back and wake those who wait."""
    lambda_runtime.release_worker(worker)
    with _freed:
        _freed.notify_all()


def _limited_mapping(concurrency: Callable[..., int]) -> Callable[..., int]:
    """A queue's mapping takes no more batches at a time than its function has processes for it.

    Those beyond would wait here while the queue counts them as received and their time runs. A mapping that
    may do less at a time than others on AWS does less here too: bulk work must not have the same share of
    two cores as what somebody waits for.
    """

    def limited(*args: Any, **named: Any) -> int:
        wanted, workers = concurrency(*args, **named), CONFIGURATION.workers_per_function
        return min(workers, math.ceil(wanted * workers / FULL_CONCURRENCY))

    return limited


def end_idle_workers(ttl: float | None = None) -> int:
    """End processes without work for `ttl` seconds; returns how many.

    The last used process of a function is kept, so that the next request is warm; those of versions that
    a deployment has superseded are not.
    """
    oldest = time.time() - (CONFIGURATION.warm_s if ttl is None else ttl)
    with lambda_runtime._lock:
        pools = lambda_runtime._workers
        kept = {max(group, key=lambda w: w.last_used) for group in _by_function(pools).values()}
        idle = [
            w
            for pool in pools.values()
            for w in pool
            if not w.in_use and w.last_used < oldest and w not in kept
        ]
        for key, pool in list(pools.items()):
            pools[key] = [w for w in pool if w not in idle]
            if not pools[key]:
                del pools[key]
    lambda_runtime.kill_workers(idle)
    return len(idle)


def _by_function(pools: dict[str, list[Any]]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for key, pool in pools.items():
        if pool:
            groups.setdefault(key.rpartition(":")[0], []).extend(pool)
    return groups


def patch() -> Patch:
    """Bound the processes of each function and queue what is above."""
    return Patch(
        "lambda-queue",
        "ministack starts processes without limit, or answers 429",
        [
            Replacement(lambda_svc, "acquire_worker", acquire_worker),
            Replacement(lambda_svc, "release_worker", release_worker),
            Replacement(lambda_svc, "reap_idle_workers", end_idle_workers),
            Replacement(
                lambda_svc, "_sqs_esm_concurrency", _limited_mapping(lambda_svc._sqs_esm_concurrency)
            ),
        ],
    )
