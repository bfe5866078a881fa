"""The HTTP API as the commands call it."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from ops.faults import NEXT_STEP, ApiFault, OpsFault

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 35.0
"""Above API Gateway's 29 s, so that its own time-out answer is seen."""

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class ApiClient:
    """Calls the API as one user; a context manager.

    Args:
        api_url: the stage's address.
        transport: a test's; None for the network.
    """

    def __init__(self, api_url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._api_url = api_url
        self._http = httpx.Client(
            base_url=api_url,
            timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            transport=transport,
            trust_env=httpx.URL(api_url).host
            not in LOOPBACK_HOSTS,  # no proxy reaches this machine's loopback
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def login(self, username: str, password: str) -> None:
        """Logs in; later calls carry the token.

        Raises:
            ApiFault: the API's code, for example `unauthorized`.
        """
        answer = self.post("/v1/auth/login", {"username": username, "password": password})
        self._http.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """The answer's JSON object. Raises as `get`."""
        return self._call("POST", path, body)

    def get(self, path: str) -> dict[str, Any]:
        """The answer's JSON object.

        Raises:
            ApiFault: the API answered with an error.
            OpsFault: `api_unreachable` or `api_timeout`; a retry may help.
        """
        return self._call("GET", path, None)

    def document(self, document_id: str) -> dict[str, Any]:
        """One document with its state and `download_url`. Raises as `get`."""
        return self.get(f"/v1/documents/{quote(document_id, safe='')}")

    def _call(self, method: str, path: str, body: Mapping[str, object] | None) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, json=body)
        except httpx.TimeoutException as fault:
            detail = f"{self._api_url} did not answer within {ANSWER_TIMEOUT_S:.0f} s; try again."
            raise OpsFault("api_timeout", detail) from fault
        except httpx.TransportError as fault:
            detail = f"{self._api_url} cannot be reached. {NEXT_STEP}"
            raise OpsFault("api_unreachable", detail) from fault
        answer = _object(response)
        if not response.is_success:
            raise ApiFault(
                str(answer.get("code") or f"http_{response.status_code}"),
                str(answer.get("detail") or answer.get("message") or response.reason_phrase),
                status=response.status_code,
                request_id=str(answer.get("request_id") or response.headers.get("x-request-id", "")),
            )
        return answer


def _object(response: httpx.Response) -> dict[str, Any]:
    """The body as an object; an error page that is no JSON is an empty one."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return answer
    if response.is_success:
        raise ApiFault(
            "unexpected_answer", "The API answered without a JSON object.", status=response.status_code
        )
    return {}
