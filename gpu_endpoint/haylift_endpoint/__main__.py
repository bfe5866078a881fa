"""`python -m haylift_endpoint serve`: the entry point; SageMaker starts the image with the word `serve`."""

import logging
import os
import sys
from collections.abc import Mapping, Sequence

from haylift_endpoint.bootstrap import build_routes
from haylift_endpoint.errors import StartupError
from haylift_endpoint.logs import log_json_lines
from haylift_endpoint.server import become_user, serve
from haylift_endpoint.settings import load_settings

_USAGE = "usage: python -m haylift_endpoint serve   (settings: HAYLIFT_ENDPOINT_*, see settings.schema.json)"


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs the endpoint. Exit status 0 after a drain, 2 when it cannot start, with one line that says why."""
    if list(arguments) != ["serve"]:
        sys.stderr.write(_USAGE + "\n")
        return 2
    try:
        settings = load_settings(environment)
        become_user(settings.run_as_uid)
        log_json_lines(settings.log_level)
        routes = build_routes(settings)
    except StartupError as error:
        sys.stderr.write(f"haylift_endpoint cannot start: {error}\n")
        return 2
    served = {
        "models": settings.models,
        "device": routes.device,
        "host": settings.host,
        "port": settings.port,
    }
    logging.getLogger("haylift_endpoint").info("models loaded", extra={"fields": served})
    serve(routes)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
