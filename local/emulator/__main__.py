"""`python -m local.emulator`: serve the AWS APIs on 127.0.0.1 until SIGTERM or SIGINT.

Settings are the HAYLIFT_EMULATOR_ variables of `configuration.py`. On a clean stop the state is saved and
the file `clean-stop` written beside it; a state without that file is not to be trusted.
"""

import asyncio
import logging
import os
import resource
import signal
import sys
from typing import Any

from local.emulator.clean_stop import CLEAN_STOP
from local.emulator.configuration import CONFIGURATION


def configure_ministack() -> None:
    """Set the variables that ministack reads when it is imported."""
    state = CONFIGURATION.state
    os.environ.update({
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(CONFIGURATION.port),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{CONFIGURATION.port}",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state / "services"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        # Servers for protocols that Haylift does not use.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    })  # fmt: skip


async def serve(application: Any) -> None:
    """Serve until a signal, then finish open requests, save and stop."""
    from hypercorn.asyncio import serve as run  # noqa: PLC0415
    from hypercorn.config import Config  # noqa: PLC0415

    config = Config()
    config.bind = [f"127.0.0.1:{CONFIGURATION.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2.0
    config.loglevel = "WARNING"
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(application, config, shutdown_trigger=stop.wait)


def main() -> int:
    """Check, patch, serve, save; exit status 2 when the installed ministack is not the one patched."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    (CONFIGURATION.state / CLEAN_STOP).unlink(missing_ok=True)
    configure_ministack()
    from ministack import app as ministack  # noqa: PLC0415
    from ministack.core import lambda_runtime  # noqa: PLC0415

    from local.emulator import alarms, lambda_patch, log_groups, queue_metrics, schedules  # noqa: PLC0415
    from local.emulator.application import Application  # noqa: PLC0415
    from local.emulator.catalogue import PatchSet  # noqa: PLC0415
    from local.emulator.patching import EmulatorMismatch  # noqa: PLC0415

    # A burst of uploads and their functions needs more than the usual 1,024 descriptors.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        patches = PatchSet()
    except EmulatorMismatch as error:
        print(error, file=sys.stderr)
        return 2
    lambda_patch.prepare_folders()
    alarms.start_ticker(lambda: patches.states()["alarms"])
    schedules.start_ticker()
    log_groups.start_deliveries()
    queue_metrics.start_recorder(lambda: queue_metrics.SWITCH.is_on)
    asyncio.run(serve(Application(ministack.app, patches)))
    lambda_runtime.reset()
    (CONFIGURATION.state / CLEAN_STOP).write_text("", encoding="utf-8")
    # Threads of ministack that nobody can stop would keep the process.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
