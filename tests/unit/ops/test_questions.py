"""`ops ask` and `ops search` over HTTP; the network is httpx's own test transport."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.cli import main
from tests.fakes.ops import captured_world, remarked, shown, write_outputs

type Answer = Callable[[httpx.Request], httpx.Response]

CITATION = {
    "document_id": "abc",
    "key": "documents/acme/roles.html",
    "title": "Roles",
    "quote": "An access token is valid\n  for 15 minutes.",
    "page": None,
    "heading": "How long tokens are valid",
}
ANSWER = {
    "query": "How long?",
    "response": "An access token is valid for 15 minutes.",
    "citations": [CITATION],
    "success": True,
    "iteration_count": 1,
    "execution_time": 0.42,
    "from_cache": True,
    "degraded": False,
    "degraded_reason": None,
}
RESULT = {
    "document_id": "abc",
    "key": "documents/acme/ops.pdf",
    "title": "Operations",
    "text": "A worker\x1b[31m dies.\n" + "x" * 400,
    "score": 0.8765,
    "page": 2,
    "meta": {},
}


class Api:
    """An API of canned routes that remembers what it was sent."""

    def __init__(self, **routes: Answer) -> None:
        self.requests: list[httpx.Request] = []
        self._routes: dict[str, Answer] = {"login": self._login} | routes

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._routes[request.url.path.rsplit("/", 1)[1]](request)

    def _login(self, request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)
        return httpx.Response(200, json={"access_token": f"token-of-{sent['username']}/{sent['password']}"})


def _json(status: int, **body: Any) -> Answer:
    return lambda _: httpx.Response(status, json=body)


def _run(state_dir: Path, api: Api, *arguments: str, stdin: str = "") -> tuple[int, Any]:
    world = captured_world(transport=api.transport(), stdin=stdin)
    return main(["--state-dir", str(state_dir), *arguments], world), world


def test_a_question_is_answered_with_its_source_and_a_link(state_dir: Path) -> None:
    api = Api(query=_json(200, **ANSWER), abc=_json(200, download_url="http://127.0.0.1/file"))

    code, world = _run(state_dir, api, "ask", "How long?")

    assert code == 0
    assert shown(world).splitlines() == [
        "An access token is valid for 15 minutes.",
        "",
        '[1] Roles, under "How long tokens are valid" (documents/acme/roles.html)',
        '    "An access token is valid for 15 minutes."',
        "    http://127.0.0.1/file",
        "",
        "took 0.42 s, from the cache",
    ]
    asked = api.requests[1]
    assert asked.url.path == "/_aws/execute-api/abc/local/v1/query"
    assert asked.headers["authorization"] == "Bearer token-of-rea@acme/rea-password"
    assert json.loads(asked.content) == {"text": "How long?"}


def test_json_is_the_api_s_answer_with_the_links(state_dir: Path) -> None:
    api = Api(query=_json(200, **ANSWER), abc=_json(200, download_url="http://127.0.0.1/file"))

    code, world = _run(state_dir, api, "ask", "How long?", "--json")

    assert code == 0
    answer = json.loads(shown(world))
    assert answer["citations"] == [CITATION | {"download_url": "http://127.0.0.1/file"}]


def test_a_cited_document_may_be_deleted_meanwhile(state_dir: Path) -> None:
    api = Api(query=_json(200, **ANSWER), abc=_json(404, code="not_found", detail="No such document."))

    code, world = _run(state_dir, api, "ask", "How long?")

    assert code == 0
    assert "the document was deleted meanwhile" in shown(world)


def test_a_degraded_answer_says_so(state_dir: Path) -> None:
    api = Api(
        query=_json(200, **ANSWER | {"citations": [], "degraded": True, "degraded_reason": "no_embeddings"})
    )

    _, world = _run(state_dir, api, "ask", "How long?")

    assert shown(world).splitlines()[-1] == "took 0.42 s, from the cache, degraded: no_embeddings"


def test_results_are_shown_short_and_cannot_colour_the_terminal(state_dir: Path) -> None:
    api = Api(search=_json(200, results=[RESULT], took_ms=17, from_cache=False, degraded=False))

    code, world = _run(state_dir, api, "search", "worker", "--mode", "keyword", "--top-k", "3")

    assert code == 0
    lines = shown(world).splitlines()
    assert lines[0] == "[1] 0.876 Operations, page 2 (documents/acme/ops.pdf)"
    assert lines[1].startswith("    A worker[31m dies. xxx")
    assert lines[1].endswith("x...")
    assert lines[-1] == "took 0.02 s"
    assert json.loads(api.requests[1].content) == {"query": "worker", "mode": "keyword", "top_k": 3}


def test_nothing_found_is_said_and_is_no_failure(state_dir: Path) -> None:
    api = Api(search=_json(200, results=[], took_ms=1))

    code, world = _run(state_dir, api, "search", "zebra")

    assert (code, shown(world).splitlines()[0]) == (0, "Nothing was found.")


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        (("--tenant", "globex"), "", "gil@globex/gil-password"),
        (("--user", "ada@acme"), "", "ada@acme/ada-password"),
        (("--user", "new@acme", "--password", "own-password"), "", "new@acme/own-password"),
        (("--user", "new@acme", "--password-stdin"), "piped password \r\n", "new@acme/piped password "),
    ],
)
def test_who_asks_can_be_chosen(
    state_dir: Path, arguments: tuple[str, ...], stdin: str, expected: str
) -> None:
    api = Api(search=_json(200, results=[], took_ms=1))

    _run(state_dir, api, "search", "x", *arguments, stdin=stdin)

    assert api.requests[1].headers["authorization"] == f"Bearer token-of-{expected}"


def test_a_system_without_known_logins_asks_for_the_password(state_dir: Path) -> None:
    write_outputs(state_dir, users=[])
    api = Api(search=_json(200, results=[], took_ms=1))

    _run(state_dir, api, "search", "x", "--user", "ada")

    assert api.requests[1].headers["authorization"] == "Bearer token-of-ada/typed after 'Password of ada: '"


def test_a_problem_is_shown_with_its_code_and_request_id(state_dir: Path) -> None:
    problem = {"code": "invalid_query", "detail": "A query is not empty.", "request_id": "r-1"}
    api = Api(query=_json(400, **problem))

    code, world = _run(state_dir, api, "ask", "")

    assert code == 1
    assert remarked(world).splitlines() == ["invalid_query: A query is not empty.", "request id: r-1"]


def test_a_problem_is_one_json_document_too(state_dir: Path) -> None:
    problem = {"code": "unauthorized", "detail": "Log in again.", "request_id": "r-2"}
    api = Api(login=_json(401, **problem))

    code, world = _run(state_dir, api, "ask", "x", "--json")

    assert code == 1
    assert json.loads(shown(world)) == {
        "error": {"code": "unauthorized", "detail": "Log in again.", "status": "401", "request_id": "r-2"}
    }


def test_an_error_page_that_is_no_json_is_named_by_its_status(state_dir: Path) -> None:
    api = Api(query=lambda _: httpx.Response(502, text="<html>bad gateway</html>"))

    code, world = _run(state_dir, api, "ask", "x")

    assert (code, remarked(world)) == (1, "http_502: Bad Gateway\n")


def test_a_success_that_is_no_json_is_a_failure(state_dir: Path) -> None:
    api = Api(query=lambda _: httpx.Response(200, text="hello"))

    code, world = _run(state_dir, api, "ask", "x")

    assert (code, remarked(world)) == (
        1,
        "unexpected_answer: The API answered without a JSON object.\n",
    )


@pytest.mark.parametrize(
    ("fault", "code"),
    [(httpx.ConnectError("refused"), "api_unreachable"), (httpx.ReadTimeout("slow"), "api_timeout")],
)
def test_an_api_that_does_not_answer_is_said(state_dir: Path, fault: Exception, code: str) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise fault

    exit_code, world = _run(state_dir, Api(login=fail), "ask", "x")

    assert exit_code == 1
    assert remarked(world).startswith(f"{code}: http://127.0.0.1:4566")
