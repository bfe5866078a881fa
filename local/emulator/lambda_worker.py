"""Patch `lambda-runtime`: Python functions run under the real Lambda runtime client.

ministack already serves the Lambda Runtime API for custom runtimes; this gives that server a process that
is the managed Python runtime: the project's own interpreter with `awslambdaric` and boto3 and nothing else,
code and layers in `sys.path`, an environment that holds what Lambda's holds and nothing of this machine's.
"""

import contextlib
import os
import queue
import shutil
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.emulator.configuration import CONFIGURATION
from local.emulator.lambda_archives import ArchiveFolders
from local.emulator.lambda_log import LogPipe, LogStream
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.core.lambda_runtime", (
        "ProvidedWorker", "ProvidedRuntimeError", "_worker_class_for", "_PROVIDED_INIT_TIMEOUT", "ensure_spawned",
    )),
    Needs("ministack.services.lambda_svc", (
        "_execute_function_warm", "_execute_function_provided_warm", "_provided_worker_env", "_resolve_layer_zip",
        "_emit_lambda_logs", "_run_with_function_config_scope", "_runtime_env_vars",
    )),
]  # fmt: skip
# AWS gives the init phase 10 s; here several processes may start at once on two cores.
INIT_LIMIT_S = 120.0
_ENTRY = Path(__file__).with_name("lambda_entry.py")
_SPAWNS = threading.BoundedSemaphore(CONFIGURATION.parallel_spawns)
_ARCHIVES = ArchiveFolders(CONFIGURATION.archive_cache, CONFIGURATION.runtime_python)


@dataclass(frozen=True)
class Invocation:
    """What is known of one finished invocation; times in milliseconds."""

    config: dict[str, Any]
    invoked_arn: str
    duration_ms: float
    init_ms: float | None
    is_error: bool


@dataclass
class Hooks:
    """What other patches want to hear of: each printed line, each finished invocation.

    Called in the account and region of the function.
    """

    line: Callable[[str], None] = lambda _line: None
    invocation: Callable[[Invocation], None] = lambda _invocation: None


HOOKS = Hooks()


class _RuntimeApi(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A killed function breaks its connection: nothing to report."""


class PythonWorker(lambda_runtime.ProvidedWorker):  # type: ignore[misc]  # ministack has no types
    """One execution environment of a Python function."""

    def __init__(self, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        """Nothing is started before the first invocation."""
        super().__init__(func_name, config, code_zip)
        self._stream = LogStream(config)
        self._printed: list[str] = []
        self._pipe: LogPipe | None = None
        self._scratch: Path | None = None

    def invoke(
        self, event: Any, request_id: str, *,
        trace_id: str | None = None, invoked_function_arn: str | None = None, **_: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Run one invocation; starts the process when there is none, logs START, END and REPORT."""
        started = time.monotonic()
        was_cold = self._proc is None or self._proc.poll() is not None
        result: dict[str, Any] = {"status": "error"}
        init_ms = None
        try:
            lambda_runtime.ensure_spawned(self)
            if was_cold:
                init_ms = (time.monotonic() - started) * 1000
            started = time.monotonic()
            self._stream.write(
                f"START RequestId: {request_id} Version: {self.config.get('Version', '$LATEST')}"
            )
            result = super().invoke(
                event, request_id, trace_id=trace_id, invoked_function_arn=invoked_function_arn
            )
        finally:
            arn = invoked_function_arn or str(self.config.get("FunctionArn", ""))
            duration_ms = (time.monotonic() - started) * 1000
            self._report(
                request_id, Invocation(self.config, arn, duration_ms, init_ms, result["status"] != "ok")
            )
        return result

    def _report(self, request_id: str, invocation: Invocation) -> None:
        self._stream.write(f"END RequestId: {request_id}")
        init = f"\tInit Duration: {invocation.init_ms:.2f} ms" if invocation.init_ms is not None else ""
        billed_ms = int(invocation.duration_ms + (invocation.init_ms or 0)) + 1
        self._stream.write(
            f"REPORT RequestId: {request_id}\tDuration: {invocation.duration_ms:.2f} ms\t"
            f"Billed Duration: {billed_ms} ms\tMemory Size: {self.config.get('MemorySize', 128)} MB\t"
            f"Max Memory Used: {self._peak_memory_mb()} MB{init}"
        )
        lambda_svc._run_with_function_config_scope(self.config, HOOKS.invocation, invocation)

    def _peak_memory_mb(self) -> int:
        """Largest resident size of the function's process so far; 0 when it is gone."""
        with contextlib.suppress(OSError, AttributeError, IndexError):
            status = Path(f"/proc/{self._proc.pid}/status").read_text(encoding="utf-8")
            return int(status.split("VmHWM:")[1].split()[0]) // 1024
        return 0

    # What ProvidedWorker calls: start, logs, end.

    def _spawn(self, init_timeout: float | None = None) -> None:
        with _SPAWNS:
            self._teardown()
            generation, pending = self._begin_generation()
            try:
                port = self._serve_runtime_api(generation, pending)
                self._start_process(port)
                self._await_init(INIT_LIMIT_S if init_timeout is None else init_timeout)
            except BaseException:
                self._teardown()
                raise

    def _begin_generation(self) -> tuple[int, "queue.Queue[Any]"]:
        pending: queue.Queue[Any] = queue.Queue(maxsize=1)
        with self._state_lock:
            self._generation += 1
            self._stopping = False
            for signal in (self._first_poll, self._init_settled, self._response_ready):
                signal.clear()
            self._init_error, self._current_request_id = None, None
            self._result, self._pending = {}, pending
        return self._generation, pending

    def _serve_runtime_api(self, generation: int, pending: "queue.Queue[Any]") -> int:
        handler = self._build_handler_class(generation, pending)
        # One packet for headers and body: with Nagle's algorithm each answer would wait 40 ms.
        handler.disable_nagle_algorithm = True
        handler.wbufsize = -1
        self._server = _RuntimeApi(("127.0.0.1", 0), handler)
        serve = self._server.serve_forever
        self._server_thread = threading.Thread(target=serve, kwargs={"poll_interval": 0.1}, daemon=True)
        self._server_thread.start()
        return int(self._server.server_address[1])

    def _start_process(self, port: int) -> None:
        code = _ARCHIVES.folder_of(self.code_zip)
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{self.func_name[:40]}-", dir=CONFIGURATION.scratch))
        command = [
            CONFIGURATION.runtime_python,
            "-P",
            _ENTRY,
            self.config["Handler"],
            code,
            *self._layer_paths(),
        ]
        self._proc = subprocess.Popen(
            [str(word) for word in command], cwd=code, env=self._environment(code, port), bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._pipe = LogPipe(self._proc.stdout, self._take_line)
        self._log_thread = threading.Thread(target=self._pipe.pump, daemon=True)
        self._log_thread.start()

    def _layer_paths(self) -> list[Path]:
        """Where the layers' packages are; a later layer wins, as in the merged /opt."""
        zips = [lambda_svc._resolve_layer_zip(layer) for layer in self.config.get("Layers", [])]
        folders = [_ARCHIVES.folder_of(content) for content in reversed(zips) if content]
        version = str(self.config["Runtime"])
        inside = ("python", f"python/lib/{version}/site-packages")
        return [folder / name for folder in folders for name in inside if (folder / name).is_dir()]

    def _environment(self, code: Path, port: int) -> dict[str, str]:
        """Lambda's reserved variables, the function's own, and where the services are on this machine."""
        whole = lambda_svc._provided_worker_env(self.config, str(code), port)
        kept = {"_HANDLER", "LAMBDA_TASK_ROOT", "AWS_DISABLE_HOST_PREFIX_INJECTION"}
        reserved = {
            k: v for k, v in whole.items() if k in kept or (k.startswith("AWS_") and k not in os.environ)
        }
        credentials = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION")
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC",
            # Lambda's home folder cannot be written; nothing can be made under /dev/null, not even by root.
            "HOME": "/dev/null",
            "TMPDIR": str(self._scratch),
            **reserved,
            **{name: whole[name] for name in credentials},
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.config['Runtime']}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self._stream.group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._stream.name,
            # The archives are shared and must stay as they are.
            "PYTHONDONTWRITEBYTECODE": "1",
            **lambda_svc._runtime_env_vars(self.config),
            **CONFIGURATION.service_addresses,
        }  # fmt: skip

    def _take_line(self, line: str) -> None:
        self._printed.append(line)
        self._stream.write(line)
        lambda_svc._run_with_function_config_scope(self.config, HOOKS.line, line)

    def _drain_stderr(self) -> str:
        if self._pipe is not None:
            with contextlib.suppress(OSError, ValueError):  # closed: everything has been read
                self._pipe.drain()
        printed, self._printed = self._printed, []
        return "\n".join(printed)

    def _drain_stderr_bounded(self, *_: Any, **__: Any) -> str:
        return self._drain_stderr()

    def _await_init(self, init_timeout: float | None = None) -> None:
        try:
            super()._await_init(init_timeout)
        except lambda_runtime.ProvidedInitTimeout:
            raise
        except RuntimeError as error:
            payload = self._init_error if isinstance(self._init_error, dict) else {}
            message = str(payload.get("errorMessage") or error)
            kind = str(payload.get("errorType") or "Runtime.ExitError")
            raise lambda_runtime.ProvidedRuntimeError(message, kind) from error

    def _teardown(self) -> None:
        super()._teardown()
        self._remove_scratch()

    def _discard_tmpdir(self) -> None:
        super()._discard_tmpdir()
        self._remove_scratch()

    def _remove_scratch(self) -> None:
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def prepare_folders() -> None:
    """Remove what functions of an earlier run left behind; once, before anything is served."""
    shutil.rmtree(CONFIGURATION.scratch, ignore_errors=True)
    CONFIGURATION.scratch.mkdir(parents=True)
    _ARCHIVES.remove_unused()


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

    return Patch(
        "lambda-runtime",
        "ministack runs handlers in its own interpreter with a stand-in for the runtime: exceptions kill the "
        "process, layers are extracted at each cold start, error payloads differ",
        [
            Replacement(lambda_runtime, "_worker_class_for", worker_class_for),
            Replacement(lambda_runtime, "_PROVIDED_INIT_TIMEOUT", INIT_LIMIT_S),
            Replacement(lambda_svc, "_execute_function_warm", execute_function),
            Replacement(lambda_svc, "_emit_lambda_logs", emit),
        ],
    )
