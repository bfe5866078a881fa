"""`python -m haylift_endpoint.probe`, the image's health check: exit status 0 when `/ping` answers 200."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping

from haylift_endpoint.settings import environment_name

_TIMEOUT_S = 8


def answers(environment: Mapping[str, str]) -> bool:
    """True when the endpoint on this host can serve."""
    port = int(environment.get(environment_name("port"), "8080"))
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=_TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if answers(os.environ) else 1)
