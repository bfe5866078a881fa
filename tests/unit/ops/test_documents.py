"""`ops documents` over HTTP: pages of the API, one list for a person."""

import json
from pathlib import Path
from typing import Any

import httpx

from ops.cli import main
from tests.fakes.ops import captured_world, remarked, shown

CHANGE = {"state": "REJECTED", "revision": 2, "at": "2026-11-23T12:00:00.000Z", "reason": "encrypted"}


class Ledger:
    """An API that lists `count` rejected documents, by pages."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.asked: list[dict[str, str]] = []
        self.login = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/login"):
            self.login = json.loads(request.content)["username"]
            return httpx.Response(200, json={"access_token": "token"})
        if request.url.path.endswith("/v1/documents/id-0"):
            return httpx.Response(200, json=_document(0) | {"history": [CHANGE]})
        assert request.url.path.endswith("/v1/documents")
        asked = dict(request.url.params)
        self.asked.append(asked)
        start = int(asked.get("cursor", "0"))
        end = min(self._count, start + int(asked["limit"]))
        documents = [_document(number) for number in range(start, end)]
        return httpx.Response(
            200, json={"documents": documents, "cursor": str(end) if end < self._count else None}
        )


def _document(number: int) -> dict[str, Any]:
    return {
        "document_id": f"id-{number}",
        "key": f"documents/acme/bulk/{number}.pdf",
        "state": "REJECTED",
        "reason": "encrypted",
        "updated_at": "2026-11-23T12:00:00.000Z",
    }


def _run(state_dir: Path, ledger: Ledger, *arguments: str) -> tuple[int, Any]:
    world = captured_world(transport=httpx.MockTransport(ledger))
    return main(["--state-dir", str(state_dir), "documents", *arguments], world), world


def test_rejected_documents_are_shown_with_path_and_reason(state_dir: Path) -> None:
    ledger = Ledger(1)

    code, world = _run(state_dir, ledger, "--tenant", "globex", "--state", "REJECTED")

    assert (code, ledger.login) == (0, "gil@globex")
    assert ledger.asked == [{"limit": "100", "state": "REJECTED"}]
    assert shown(world) == (
        "REJECTED    2026-11-23T12:00:00.000Z  bulk/0.pdf  id-0  encrypted: remove its password\n"
    )
    assert f"python -m ops --state-dir {state_dir} upload FILE" in remarked(world)


def test_all_pages_are_read(state_dir: Path) -> None:
    ledger = Ledger(230)

    _, world = _run(state_dir, ledger, "--limit", "500", "--json")

    document = json.loads(shown(world))
    assert [one["document_id"] for one in document["documents"]] == [f"id-{n}" for n in range(230)]
    assert document["is_whole"]
    assert [asked.get("cursor") for asked in ledger.asked] == [None, "100", "200"]


def test_more_than_were_asked_for_is_said(state_dir: Path) -> None:
    ledger = Ledger(230)

    _, world = _run(state_dir, ledger, "--limit", "150")

    assert len(shown(world).splitlines()) == 150
    assert remarked(world).startswith("These are the newest 150; see more with --limit.\n")


def test_a_tenant_without_documents(state_dir: Path) -> None:
    code, world = _run(state_dir, Ledger(0))

    assert (code, shown(world)) == (0, "There is no such document.\n")


def test_filters_are_the_apis(state_dir: Path) -> None:
    ledger = Ledger(1)

    _run(
        state_dir,
        ledger,
        *("--reason", "encrypted", "--prefix", "bulk/", "--media-type", "application/pdf"),
        *("--changed-since", "2026-11-23T00:00:00Z"),
    )

    assert ledger.asked == [
        {
            "limit": "100",
            "reason": "encrypted",
            "prefix": "bulk/",
            "media_type": "application/pdf",
            "changed_since": "2026-11-23T00:00:00Z",
        }
    ]


def test_one_document_is_shown_with_its_history(state_dir: Path) -> None:
    code, world = _run(state_dir, Ledger(1), "--id", "id-0")

    assert code == 0
    assert shown(world) == (
        "REJECTED    2026-11-23T12:00:00.000Z  bulk/0.pdf  id-0  encrypted: remove its password\n"
        "  2026-11-23T12:00:00.000Z  revision 2  REJECTED    encrypted\n"
    )
