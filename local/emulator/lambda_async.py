"""Patch `lambda-async`: what happens to events that nobody waits for.

Source: "How Lambda handles errors and retries with asynchronous invocation": an event that is throttled goes
back to the queue and is tried again for up to six hours, one that fails is tried twice more. ministack gives
up both after three seconds, and its schedules try once. "Configuring destinations for asynchronous
invocations": an alias has its own retries and destination; ministack goes by the function's only. Waits are
shorter here than there.
"""

import contextvars
import json
import threading
import time
from typing import Any

from ministack.services import eventbridge, lambda_svc

from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.lambda_svc", (
        "invoke_async_with_retry", "_route_async_failure", "_execute_function", "_get_func_record_for_ref",
        "_run_with_function_config_scope", "_execution_record_for_config", "_functions",
    )),
    Needs("ministack.services.eventbridge", ("_dispatch_to_lambda",)),
]  # fmt: skip
FIRST_WAIT_S, LONGEST_WAIT_S, MAX_AGE_S, RETRIES = 1.0, 10.0, 6 * 3600, 2


def _settings(function: dict[str, Any]) -> tuple[int, float, str]:
    """How often a failed event is tried again, how old it may get, and where it goes then.

    Each alias and version has its own; the function's are for events that name neither. All are kept by the
    function, not by the record of the version that runs.
    """
    config = function.get("config") or function
    kept = lambda_svc._functions.get(config.get("FunctionName", "")) or function
    qualifier = str(config.get("FunctionArn", "")).partition(":function:")[2].partition(":")[2]
    by_qualifier = kept.get("event_invoke_configs") or {}
    unnamed = kept.get("event_invoke_config") or by_qualifier.get("$LATEST")
    chosen = (by_qualifier.get(qualifier) if qualifier not in {"", "$LATEST"} else unnamed) or {}
    retries = chosen.get("MaximumRetryAttempts")
    on_failure = (chosen.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
    dead_letters = (config.get("DeadLetterConfig") or {}).get("TargetArn")
    age_s = float(chosen.get("MaximumEventAgeInSeconds") or MAX_AGE_S)
    return RETRIES if retries is None else int(retries), age_s, str(on_failure or dead_letters or "")


def run_until_done(function: dict[str, Any], event: Any, pause: threading.Event) -> None:
    """Try an event until it has succeeded, failed too often or grown too old; waits on `pause`."""
    retries, max_age_s, on_failure = _settings(function)
    started, failures, throttles = time.monotonic(), 0, 0
    name = str((function.get("config") or function).get("FunctionName", "unknown"))
    while True:
        # The record is a copy of when the event came; a limit may have been lifted since.
        live = lambda_svc._functions.get(name) or function
        result = lambda_svc._execute_function({**function, "concurrency": live.get("concurrency")}, event)
        if not result.get("error") and not result.get("throttle"):
            return
        is_throttle = bool(result.get("throttle"))
        throttles, failures = throttles + is_throttle, failures + (not is_throttle)
        wait_s = min(FIRST_WAIT_S * 2 ** min(throttles + failures - 1, 10), LONGEST_WAIT_S)
        if failures > retries or time.monotonic() - started + wait_s > max_age_s:
            break
        pause.wait(wait_s)
    if on_failure:
        lambda_svc._route_async_failure(on_failure, name, event, result)


def invoke_async(function: dict[str, Any], event: Any) -> None:
    """Run an event in a thread of its own, in the account and region of the function."""

    def run() -> None:
        config = function.get("config") or function
        lambda_svc._run_with_function_config_scope(config, run_until_done, function, event, threading.Event())

    threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True).start()


def dispatch_to_lambda(arn: str, payload: str) -> None:
    """Hand an event of a rule to a function; KeyError when there is none, which the rule counts as failed."""
    function, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        raise KeyError(f"function {name} not found")
    lambda_svc.invoke_async_with_retry(
        lambda_svc._execution_record_for_config(function, config), json.loads(payload)
    )


def patch() -> Patch:
    """Keep throttled events, and try those of rules again too."""
    return Patch(
        "lambda-async",
        "ministack drops throttled asynchronous events after three seconds, tries those of rules once, and "
        "knows no destination of an alias",
        [
            Replacement(lambda_svc, "invoke_async_with_retry", invoke_async),
            Replacement(eventbridge, "_dispatch_to_lambda", dispatch_to_lambda),
        ],
    )
