"""Patch `lambda-runtime`: Python functions run under the real Lambda runtime client."""

import shutil
import threading
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from local.emulator import lambda_process, lambda_worker
from local.emulator.configuration import CONFIGURATION
from local.emulator.lambda_process import ARCHIVES
from local.emulator.lambda_worker import INIT_LIMIT_S, PythonWorker
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    *lambda_worker.NEEDS,
    *lambda_process.NEEDS,
    Needs("ministack.core.lambda_runtime", ("_worker_class_for", "_PROVIDED_INIT_TIMEOUT")),
    Needs(
        "ministack.services.lambda_svc",
        ("_execute_function_warm", "_execute_function_provided_warm", "_emit_lambda_logs"),
    ),
]
_LAYER = "AWS::Lambda::LayerVersion"


def prepare_folders() -> None:
    """Remove what functions of an earlier run left behind; once, before anything is served."""
    shutil.rmtree(CONFIGURATION.scratch, ignore_errors=True)
    CONFIGURATION.scratch.mkdir(parents=True)
    ARCHIVES.remove_unused()


def extract_layer_early(handler: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation's handler of layers, which also begins to extract a layer as soon as it is there.

    A layer with Haystack takes seconds to extract; they pass while the other stacks are deployed.
    """

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        made = handler["create"](logical_id, props, stack_name)
        content = lambda_svc._resolve_layer_zip(made[0])
        if content:
            threading.Thread(target=ARCHIVES.folder_of, args=(content,), daemon=True).start()
        return made

    return {**handler, "create": create}


def _is_python(config: dict[str, Any]) -> bool:
    return str(config.get("Runtime", "")).startswith("python")


def patch() -> Patch:
    """Route Python functions to `PythonWorker`; other runtimes keep ministack's."""
    worker_class, execute, emit_logs = (
        lambda_runtime._worker_class_for, lambda_svc._execute_function_warm, lambda_svc._emit_lambda_logs,
    )  # fmt: skip

    def worker_class_for(config: dict[str, Any]) -> Any:
        return PythonWorker if _is_python(config) else worker_class(config)

    def execute_function(func: dict[str, Any], event: Any, request_id: str) -> Any:
        run = (
            lambda_svc._execute_function_provided_warm if _is_python(func.get("config") or func) else execute
        )
        return run(func, event, request_id)

    def emit(func: dict[str, Any], *args: Any, **named: Any) -> None:
        # PythonWorker writes its own stream, line by line.
        if not _is_python(func.get("config") or func):
            emit_logs(func, *args, **named)

    handlers = provisioners._RESOURCE_HANDLERS
    return Patch(
        "lambda-runtime",
        "ministack runs handlers in its own interpreter with a stand-in for the runtime: exceptions kill the "
        "process, layers are extracted at each cold start, error payloads differ",
        [
            Replacement(lambda_runtime, "_worker_class_for", worker_class_for),
            Replacement(lambda_runtime, "_PROVIDED_INIT_TIMEOUT", INIT_LIMIT_S),
            Replacement(lambda_svc, "_execute_function_warm", execute_function),
            Replacement(lambda_svc, "_emit_lambda_logs", emit),
            Replacement(handlers, _LAYER, extract_layer_early(handlers[_LAYER])),
        ],
    )
