"""The HTTP API as the commands call it."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from ops.faults import NEXT_STEP, SLOW_NEXT_STEP, ApiFault, OpsFault
from ops.waiting import Waiting

CONNECT_TIMEOUT_S = 3.0
NOT_AUTHENTICATED, TOO_MANY_REQUESTS = 401, 429
ANSWER_TIMEOUT_S = 31.0
"""Above API Gateway's 29 s, so that its own time-out answer is seen."""

DEFAULT_RETRY_AFTER_S = 5.0

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class ApiClient:
    """Calls the API as one user; a context manager.

    Args:
        api_url: the stage's address.
        transport: a test's; None for the network.
        answer_timeout_s: how long one answer may take.
        wait: asked when the API has had too many requests, with the seconds that it wants to be left alone;
            gives True when they have passed.
        waiting: told of an answer that takes long.
    """

    def __init__(
        self,
        api_url: str,
        transport: httpx.BaseTransport | None = None,
        *,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        wait: Callable[[float], bool] = lambda _seconds: False,
        waiting: Waiting | None = None,
    ) -> None:
        self._api_url = api_url
        self._answer_timeout_s = answer_timeout_s
        self._wait = wait
        self._waiting = waiting
        self._renew: Callable[[], object] | None = None
        self._http = httpx.Client(
            base_url=api_url,
            timeout=httpx.Timeout(answer_timeout_s, connect=min(CONNECT_TIMEOUT_S, answer_timeout_s)),
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

    def login(self, username: str, password: str) -> tuple[str, float]:
        """Logs in; later calls carry the token. Gives it, with the seconds that it is valid.

        Raises:
            ApiFault: the API's code, for example `unauthorized`.
        """
        answer = self.post("/v1/auth/login", {"username": username, "password": password})
        token = str(answer["access_token"])
        self.use(token)
        return token, float(answer.get("expires_in", 0))

    def use(self, token: str, renew: Callable[[], object] | None = None) -> None:
        """Later calls carry the token; `renew` logs in anew, once, when the API does not take it any more."""
        self._http.headers["Authorization"] = f"Bearer {token}"
        self._renew = renew

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

    def health(self) -> dict[str, Any]:
        """The answer of `GET /health`, which is an object for an unhealthy system too. Raises as `get`."""
        response = self._send("GET", "/health", None)
        answer = _object(response)
        if "status" not in answer:
            raise _fault(response, answer)
        return answer

    def _call(self, method: str, path: str, body: Mapping[str, object] | None) -> dict[str, Any]:
        response = self._send(method, path, body)
        if response.status_code == TOO_MANY_REQUESTS and self._wait(_retry_after_s(response)):
            response = self._send(method, path, body)
        if response.status_code == NOT_AUTHENTICATED and self._renew is not None:
            renew, self._renew = self._renew, None
            renew()
            response = self._send(method, path, body)
        answer = _object(response)
        if not response.is_success:
            raise _fault(response, answer)
        return answer

    def _send(self, method: str, path: str, body: Mapping[str, object] | None) -> httpx.Response:
        whom = f"{self._api_url} ({method} {path}, at most {self._answer_timeout_s:g} s)"
        try:
            with self._waiting.during(whom) if self._waiting else nullcontext():
                return self._http.request(method, path, json=body)
        except httpx.TimeoutException as fault:
            detail = f"{self._api_url} did not answer within {self._answer_timeout_s:g} s. {SLOW_NEXT_STEP}"
            raise OpsFault("api_timeout", detail) from fault
        except httpx.TransportError as fault:
            detail = f"{self._api_url} cannot be reached. {NEXT_STEP}"
            raise OpsFault("api_unreachable", detail) from fault


def _fault(response: httpx.Response, answer: Mapping[str, Any]) -> ApiFault:
    detail = str(answer.get("detail") or answer.get("message") or response.reason_phrase)
    if response.status_code == TOO_MANY_REQUESTS:
        advice = f"Try again in {_retry_after_s(response):.0f} s."
        # The API's own detail says it already, in small letters, within a sentence.
        if advice.rstrip(".").lower() not in detail.lower():
            detail = f"{detail.rstrip('.')}. {advice}"
    return ApiFault(
        str(answer.get("code") or f"http_{response.status_code}"),
        detail,
        status=response.status_code,
        request_id=str(answer.get("request_id") or response.headers.get("x-request-id", "")),
    )


def _retry_after_s(response: httpx.Response) -> float:
    """The seconds of `Retry-After`; a date or nothing counts as a short while."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdigit() else DEFAULT_RETRY_AFTER_S


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
