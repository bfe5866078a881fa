"""`ops ask` and `ops search`: the API as a caller uses it."""

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from typing import Any

from haylift.domain.search import DEFAULT_TOP_K, SearchMode

from ops.api import ApiClient
from ops.faults import EXIT_OK, ApiFault
from ops.session import Session

EXCERPT_CHARS = 300


def add_login_arguments(parser: ArgumentParser) -> None:
    """Who calls the API."""
    parser.add_argument("--tenant", help="whose documents (local default: the first tenant)")
    parser.add_argument("--user", metavar="NAME", help="who asks (local default: the tenant's reader)")
    parser.add_argument(
        "--keep-login",
        action="store_true",
        help="on AWS too, keep the access token in --state-dir until it expires, as is done locally",
    )
    add_password_arguments(parser)


def add_password_arguments(parser: ArgumentParser) -> None:
    """Where the password comes from."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--password", help="other users of this machine may see it; prefer --password-stdin")
    group.add_argument(
        "--password-stdin", action="store_true", help="read the password from stdin's first line"
    )


def add_ask_arguments(parser: ArgumentParser) -> None:
    """The options of `ops ask`."""
    parser.add_argument("question", metavar="QUESTION", help="1-5,000 characters")
    add_login_arguments(parser)


def add_search_arguments(parser: ArgumentParser) -> None:
    """The options of `ops search`."""
    parser.add_argument("query", metavar="QUERY", help="1-5,000 characters")
    parser.add_argument(
        "--mode", choices=[mode.value for mode in SearchMode], default=SearchMode.HYBRID.value
    )
    parser.add_argument(
        "--top-k", type=int, default=DEFAULT_TOP_K, metavar="N", help="results, 1-100 (default %(default)s)"
    )
    add_login_arguments(parser)


def run_ask(session: Session) -> int:
    """Asks a question; not knowing the answer is no failure."""
    with session.logged_in() as api:
        answer = api.post("/v1/query", {"text": session.options.question})
        for citation in answer["citations"]:
            citation["download_url"] = _download_url(api, citation["document_id"])
    session.terminal.result(answer, _answer_lines(answer))
    return EXIT_OK


def run_search(session: Session) -> int:
    """Searches; finding nothing is no failure."""
    options = session.options
    with session.logged_in() as api:
        body = {"query": options.query, "mode": options.mode, "top_k": options.top_k}
        answer = api.post("/v1/search", body)
    session.terminal.result(answer, _result_lines(answer))
    return EXIT_OK


def _download_url(api: ApiClient, document_id: str) -> str | None:
    """None when the document was deleted since the answer was made."""
    try:
        url: str | None = api.document(document_id).get("download_url")
    except ApiFault as fault:
        if fault.status != 404:
            raise
        return None
    return url


def _answer_lines(answer: Mapping[str, Any]) -> Iterator[str]:
    yield answer["response"]
    for number, citation in enumerate(answer["citations"], start=1):
        yield ""
        yield f"[{number}] {place(citation)}"
        yield f'    "{" ".join(citation["quote"].split())}"'
        yield f"    {citation['download_url'] or 'the document was deleted meanwhile'}"
    yield ""
    yield _remarks(answer, float(answer["execution_time"]))


def _result_lines(answer: Mapping[str, Any]) -> Iterator[str]:
    for number, result in enumerate(answer["results"], start=1):
        text = " ".join(result["text"].split())
        excerpt = text if len(text) <= EXCERPT_CHARS else f"{text[:EXCERPT_CHARS]}..."
        yield f"[{number}] {result['score']:.3f} {place(result)}"
        yield f"    {excerpt}"
    if not answer["results"]:
        yield "Nothing was found."
    yield ""
    yield _remarks(answer, float(answer["took_ms"]) / 1000)


def place(source: Mapping[str, Any]) -> str:
    """Where a quote or a result stands.

    >>> place({"title": "Limits", "key": "documents/acme/limits.txt", "page": 2, "heading": None})
    'Limits, page 2 (documents/acme/limits.txt)'
    >>> place({"title": "Prices", "key": "documents/acme/prices.xlsx", "sheet": "2026"})
    'Prices, sheet 2026 (documents/acme/prices.xlsx)'
    """
    parts = [source.get("title") or "untitled"]
    if source.get("page"):
        parts.append(f"page {source['page']}")
    if source.get("slide"):
        parts.append(f"slide {source['slide']}")
    if source.get("sheet"):
        parts.append(f"sheet {source['sheet']}")
    if source.get("heading") and source["heading"] != source.get("title"):
        parts.append(f'under "{source["heading"]}"')
    return f"{', '.join(parts)} ({source['key']})"


def _remarks(answer: Mapping[str, Any], took_s: float) -> str:
    remarks = [f"took {took_s:.2f} s"]
    if answer.get("from_cache"):
        remarks.append("from the cache")
    if answer.get("degraded"):
        remarks.append(f"degraded: {answer.get('degraded_reason') or 'of lower quality'}")
    return ", ".join(remarks)
