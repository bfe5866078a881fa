"""The process: who it runs as, and how it stops."""

import os
import signal
from types import FrameType

import uvicorn

from haylift_endpoint.errors import StartupError
from haylift_endpoint.http.app import Routes, create_app

# Waiting connections: the kernel must not refuse a burst of clients before the line can do it politely.
_BACKLOG = 2048

# After the line is closed the last run still has to come back and its answers to be written.
_LAST_RUN_S = 2


class DrainingServer(uvicorn.Server):
    """A server that tells the service of the first SIGTERM, so that waiting requests end with an answer."""

    def __init__(self, config: uvicorn.Config, routes: Routes) -> None:
        super().__init__(config)
        self._routes = routes

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stops accepting; what was accepted has `drain_ms` to finish."""
        if not self._routes.service.is_draining:
            self._routes.service.drain(self._routes.settings.drain_ms / 1000)
        super().handle_exit(sig, frame)


def become_user(uid: int | None) -> None:
    """Gives up root for `uid` (and the group of the same number), for good; nothing when that is who runs.

    Raises:
        StartupError: The process is neither root nor that user.
    """
    if uid is None or os.geteuid() == uid:
        return
    if os.geteuid() != 0:
        raise StartupError(f"HAYLIFT_ENDPOINT_RUN_AS_UID is {uid}, but the process runs as {os.geteuid()}")
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def serve(routes: Routes) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what was accepted, in at most `drain_ms` + 2 s."""
    settings = routes.settings
    config = uvicorn.Config(
        create_app(routes),
        host=settings.host,
        port=settings.port,
        backlog=_BACKLOG,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=settings.drain_ms // 1000 + _LAST_RUN_S,
    )
    server = DrainingServer(config, routes)
    # uvicorn raises the signal again when it has stopped; a drained process ends with status 0 all the same.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    server.run()
