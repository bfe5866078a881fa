"""`ops documents`: a tenant's documents with their states and, of rejected ones, the reason."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from haylift.domain.documents import DocumentState

from ops.api import ApiClient
from ops.at_hand import at_hand
from ops.faults import EXIT_OK
from ops.questions import add_login_arguments
from ops.session import Session
from ops.upload import ADVICE_BY_REASON

DEFAULT_LIMIT = 100
FILTERS = ("state", "reason", "prefix", "media_type", "changed_since")
MOST = 10_000
PAGE = 100
"""The most that the API gives at once."""


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `ops documents`."""
    parser.add_argument("--state", choices=[state.value for state in DocumentState], help="only those")
    parser.add_argument(
        "--limit",
        type=_limit,
        default=DEFAULT_LIMIT,
        metavar="N",
        help="at most so many (default %(default)s)",
    )
    parser.add_argument("--reason", help="only those rejected for this reason")
    parser.add_argument("--prefix", metavar="PATH", help="only those whose path begins so")
    parser.add_argument("--media-type", help="only those of this type, such as text/markdown")
    parser.add_argument("--changed-since", metavar="TIME", help="only those changed then or later (ISO 8601)")
    parser.add_argument("--id", metavar="ID", dest="document_id", help="one document with its history")
    add_login_arguments(parser)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise ArgumentTypeError(f"{text!r} is no number from 1 to {MOST}")
    return int(text)


def run(session: Session) -> int:
    """Shows the documents that the user may see, the newest change first."""
    options = session.options
    if options.document_id:
        return _show(session, options.document_id)
    filters = {name: getattr(options, name) for name in FILTERS if getattr(options, name)}
    with session.logged_in() as api:
        found, is_whole = _listed(api, filters, options.limit)
    document = {"documents": found, "is_whole": is_whole}
    session.terminal.result(document, [_line(one) for one in found] or ["There is no such document."])
    if not is_whole:
        session.terminal.remark(f"These are the newest {len(found)}; see more with --limit.")
    if options.state == DocumentState.REJECTED and found:
        command = at_hand("python -m ops upload FILE", options)
        session.terminal.remark(f"A mended file is uploaded anew to the same path: {command}")
    return EXIT_OK


def _show(session: Session, document_id: str) -> int:
    """One document, and under it each change of its state."""
    with session.logged_in() as api:
        document = api.get(f"/v1/documents/{quote(document_id, safe='')}")
    changes = [_change(change) for change in document["history"]]
    session.terminal.result(dict(document), [_line(document), *changes])
    return EXIT_OK


def _change(change: Mapping[str, Any]) -> str:
    """One change of the history.

    >>> _change({"state": "REJECTED", "revision": 2, "at": "2026-01-02T03:04:05.678Z", "reason": "empty"})
    '  2026-01-02T03:04:05.678Z  revision 2  REJECTED    empty'
    """
    return (
        f"  {change['at']}  revision {change['revision']}  {change['state']:10}  {change['reason']}".rstrip()
    )


def _listed(api: ApiClient, filters: Mapping[str, str], limit: int) -> tuple[list[dict[str, Any]], bool]:
    """Up to `limit` documents, and whether these are all."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    for page in _pages(api, filters, limit):
        found += page["documents"]
        cursor = page["cursor"]
        if len(found) >= limit:
            break
    return found[:limit], cursor is None and len(found) <= limit


def _pages(api: ApiClient, filters: Mapping[str, str], limit: int) -> Iterator[Mapping[str, Any]]:
    asked = {"limit": str(min(limit, PAGE)), **filters}
    page: Mapping[str, Any] = api.get(f"/v1/documents?{urlencode(asked)}")
    yield page
    while page["cursor"] is not None:
        page = api.get(f"/v1/documents?{urlencode(asked | {'cursor': page['cursor']})}")
        yield page


def _line(document: Mapping[str, Any]) -> str:
    """One document: state, last change, path, id, and why it was rejected.

    >>> _line({"state": "REJECTED", "updated_at": "2026-01-02T03:04:05.678Z", "document_id": "7f",
    ...        "key": "documents/acme/bulk/a.pdf", "reason": "encrypted"})
    'REJECTED    2026-01-02T03:04:05.678Z  bulk/a.pdf  7f  encrypted: remove its password'
    """
    path = str(document["key"]).split("/", 2)[-1]
    reason = str(document.get("reason") or "")
    why = f"  {reason}: {ADVICE_BY_REASON.get(reason, 'see the runbook')}" if reason else ""
    return f"{document['state']:10}  {document['updated_at']}  {path}  {document['document_id']}{why}"
