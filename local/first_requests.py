"""The first requests of a deployed system, which start its functions."""

import http.client
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

from local.faults import LocalFault
from local.polling import TooLate, until
from local.steps import step

# Between them they start the authorizer, the search and the login function.
PATHS = ("/ready", "/.well-known/jwks.json")
LIMIT_S = 180.0
ANSWER_LIMIT_S = 40.0


def wait_until_answering(api_url: str) -> None:
    """Ask until every path answers 200; `LocalFault`, with the last answer, when one never does."""
    with step("start the functions"), ThreadPoolExecutor(len(PATHS)) as pool:
        list(pool.map(lambda path: _wait_for(f"{api_url}{path}"), PATHS))


def _wait_for(url: str) -> None:
    last = "no answer"

    def is_answered() -> bool:
        nonlocal last
        try:
            status, last = _get(url)
        except OSError as error:
            status, last = 0, repr(error)
        return status == 200

    try:
        until(is_answered, what=url, limit_s=LIMIT_S, pause_s=0.5)
    except TooLate as error:
        raise LocalFault(f"{url} does not answer as it should; the last answer: {last[:500]}") from error


def _get(url: str) -> tuple[int, str]:
    address = urlsplit(url)
    with closing(http.client.HTTPConnection(address.netloc, timeout=ANSWER_LIMIT_S)) as connection:
        connection.request("GET", address.path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", errors="replace")
