"""A Python function under the real Lambda runtime client.

ministack already serves the Lambda Runtime API for custom runtimes; this gives that server a process that
is the managed Python runtime: the project's own interpreter with `awslambdaric` and boto3 and nothing else,
code and layers in `sys.path`, an environment that holds what Lambda's holds and nothing of this machine's.
"""

import contextlib
import queue
import shutil
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.emulator.configuration import CONFIGURATION
from local.emulator.lambda_log import LogPipe, LogStream
from local.emulator.lambda_process import new_scratch_folder, start_process
from local.emulator.patching import Needs

NEEDS = [
    Needs("ministack.core.lambda_runtime", ("ProvidedWorker", "ProvidedRuntimeError", "ensure_spawned")),
    Needs("ministack.services.lambda_svc", ("_run_with_function_config_scope",)),
]
# AWS gives the init phase 10 s; here several processes may start at once on two cores.
INIT_LIMIT_S = 120.0
_SPAWNS = threading.BoundedSemaphore(CONFIGURATION.parallel_spawns)


@dataclass(frozen=True)
class Invocation:
    """What is known of one finished invocation; times in milliseconds.

    Args:
        iterator_age_ms: how old the newest record of the stream's batch was; None: it was no batch of one.
    """

    config: dict[str, Any]
    invoked_arn: str
    duration_ms: float
    init_ms: float | None
    is_error: bool
    iterator_age_ms: float | None = None


@dataclass
class Hooks:
    """What other patches want to hear of: each printed line, each finished invocation.

    Called in the account and region of the function.
    """

    line: Callable[[str], None] = lambda _line: None
    invocation: Callable[[Invocation], None] = lambda _invocation: None


HOOKS = Hooks()


def iterator_age_ms(event: object, now_s: float) -> float | None:
    """How long ago the stream received the last record of a batch, milliseconds, at the batch's sending.

    None: the event is no batch of a DynamoDB stream.

    >>> record = {"eventSource": "aws:dynamodb", "dynamodb": {"ApproximateCreationDateTime": 100}}
    >>> iterator_age_ms({"Records": [record]}, now_s=102.5), iterator_age_ms({"Records": []}, now_s=1.0)
    (2500.0, None)
    """
    records = event.get("Records") if isinstance(event, dict) else None
    if not records or records[-1].get("eventSource") != "aws:dynamodb":
        return None
    return max(0.0, now_s - float(records[-1]["dynamodb"]["ApproximateCreationDateTime"])) * 1000


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
        process: subprocess.Popen[bytes] | None = self._proc
        was_cold = process is None or process.poll() is not None
        result: dict[str, Any] = {"status": "error"}
        init_ms = None
        age_ms = iterator_age_ms(event, time.time())
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
            is_error = result["status"] != "ok"
            self._report(request_id, Invocation(self.config, arn, duration_ms, init_ms, is_error, age_ms))
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
            self._result, self._pending = dict[str, Any](), pending
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
        self._scratch = new_scratch_folder(self.func_name)
        self._proc, output = start_process(self.config, self.code_zip, port, self._scratch, self._stream)
        self._pipe = LogPipe(output, self._take_line)
        self._log_thread = threading.Thread(target=self._pipe.pump, daemon=True)
        self._log_thread.start()

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
            reported: object = self._init_error
            payload: dict[str, Any] = reported if isinstance(reported, dict) else {}
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
