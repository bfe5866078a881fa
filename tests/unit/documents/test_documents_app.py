"""A tenant's documents over HTTP."""

import shlex
from typing import Any

import pytest
from fastapi.routing import APIRoute
from haylift.domain.documents import DocumentState
from haylift.domain.identity import Role

from functions.documents.contract import ROUTES
from tests.unit.documents.desk import FOREIGN, RECEIPT_ID, START, gateway
from tests.unit.documents.shelf import record


def test_the_app_answers_the_contracts_routes() -> None:
    answered = {
        (method, route.path)
        for route in gateway().app.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }

    assert answered == {(route.method, route.path) for route in ROUTES}


def calls() -> list[tuple[str, str, object]]:
    bodies = {"POST": {"path": "a.md"}}
    return [
        (
            route.method,
            route.path.replace("{document_id}", START.document_id).replace("{receipt_id}", RECEIPT_ID),
            bodies.get(route.method),
        )
        for route in ROUTES
    ]


@pytest.mark.parametrize(("method", "path", "body"), calls())
@pytest.mark.parametrize("role", Role)
def test_the_app_itself_asks_for_the_permission(method: str, path: str, body: object, role: Role) -> None:
    answer = gateway(role).request(method, path, body)

    if method == "GET" or role is not Role.READER:
        assert answer.status in {200, 201, 202}
    else:
        assert (answer.status, answer.json()["code"]) == (403, "permission_missing")


@pytest.mark.parametrize(("method", "path", "body"), calls())
def test_without_an_authorizer_there_is_no_caller(method: str, path: str, body: object) -> None:
    answer = gateway(None).request(method, path, body)

    assert (answer.status, answer.json()["code"]) == (401, "unauthorized")


def test_a_document_is_shown() -> None:
    answer = gateway(Role.READER).request("GET", f"/v1/documents/{START.document_id}")

    assert answer.status == 200
    assert answer.json() == {
        "document_id": START.document_id,
        "key": "documents/acme/handbook/start.md",
        "title": "Start here",
        "state": "SEARCHABLE",
        "reason": "",
        "stage": "done",
        "percent": 100,
        "revision": 3,
        "size_bytes": 1_234,
        "chunk_count": 7,
        "partial": False,
        "partial_detail": "",
        "media_type": "text/markdown",
        "changed_at": None,
        "received_at": "2027-01-15T08:00:00.000Z",
        "updated_at": "2027-01-15T08:00:02.500Z",
        "searchable_at": "2027-01-15T08:00:02.250Z",
        "expires_at": None,
        "history": [
            {"state": "RECEIVED", "revision": 3, "at": "2027-01-15T08:00:00.000Z", "reason": ""},
            {"state": "SEARCHABLE", "revision": 3, "at": "2027-01-15T08:00:02.250Z", "reason": ""},
        ],
        "download_url": (
            "https://bucket.test/documents/acme/handbook/start.md?versionId=v3&X-Amz-Expires=300"
        ),
    }


def test_what_has_not_happened_is_null() -> None:
    received = record("new.md", state=DocumentState.RECEIVED, searchable_at=0.0, live_revision=0)

    answer = gateway(Role.READER, received).request("GET", f"/v1/documents/{received.document_id}")

    assert answer.json()["searchable_at"] is None
    assert "download_url" not in answer.json()


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_foreign_unknown_and_malformed_ids_get_the_same_answer(method: str) -> None:
    ids = [FOREIGN.document_id, "a" * 26, "x", "%2e%2e", "A" * 26, "a" * 5_000]

    answers = [gateway().request(method, f"/v1/documents/{document_id}") for document_id in ids]

    assert [answer.status for answer in answers] == [404] * 6
    assert [answer.json() for answer in answers] == [
        {
            "type": "urn:haylift:problem:document_not_found",
            "title": "Not found",
            "status": 404,
            "detail": "There is no such document.",
            "code": "document_not_found",
            "request_id": "request-1",
        }
    ] * 6


def test_documents_are_listed_by_newest_change_in_pages() -> None:
    api = gateway(Role.READER)

    first = api.request("GET", "/v1/documents", query="limit=1").json()
    second = api.request("GET", "/v1/documents", query=f"limit=1&cursor={first['cursor']}").json()

    assert [row["key"] for row in first["documents"]] == ["documents/acme/handbook/start.md"]
    assert [row["key"] for row in second["documents"]] == ["documents/acme/old.md"]
    assert second["cursor"] is None
    assert "download_url" not in first["documents"][0]


def test_documents_are_listed_by_state() -> None:
    api = gateway(Role.READER)

    assert api.request("GET", "/v1/documents", query="state=REJECTED").json() == {
        "documents": [],
        "cursor": None,
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "invalid_request"),
        ("limit=101", "invalid_request"),
        ("limit=ten", "invalid_request"),
        ("limit=1.5", "invalid_request"),
        ("limit=", "invalid_request"),
        ("limit=" + "9" * 5_000, "invalid_request"),
        ("state=LOST", "invalid_request"),
        ("state=searchable", "invalid_request"),
        ("cursor=forged", "invalid_cursor"),
        ("reason=No+text", "invalid_request"),
        ("media_type=a%20b", "invalid_request"),
        ("changed_since=yesterday", "invalid_request"),
        ("changed_since=2026-01-31T10:00:00", "invalid_request"),
        ("prefix=" + "a" * 1_025, "invalid_request"),
        ("cursor=" + "1" * 2_049, "invalid_request"),
    ],
)
def test_a_bad_list_is_400(query: str, code: str) -> None:
    answer = gateway(Role.READER).request("GET", "/v1/documents", query=query)

    assert (answer.status, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize("body", [{"path": "a b/it's.md"}, {"filename": "it's.md"}])
def test_an_upload_gets_a_form_and_a_command(body: dict[str, str]) -> None:
    answer = gateway().request("POST", "/v1/documents", body | {"content_type": "text/markdown"})

    assert answer.status == 201
    given = answer.json()
    assert given["key"] == f"documents/acme/{body.get('path', body.get('filename'))}"
    assert len(given["document_id"]) == 26
    assert given["upload"] == {
        "url": "https://bucket.test/",
        "fields": {"key": given["key"], "policy": "e30=", "Content-Type": "text/markdown"},
        "expires_s": 900,
        "max_bytes": 1_000,
    }
    assert shlex.split(given["curl"]) == [
        "curl",
        "--form-string",
        f"key={given['key']}",
        "--form-string",
        "policy=e30=",
        "--form-string",
        "Content-Type=text/markdown",
        "--form",
        "file=@FILE",
        "https://bucket.test/",
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_path"),
        ({"path": "a.md", "filename": "a.md"}, "invalid_path"),
        ({"filename": "a/b.md"}, "invalid_path"),
        ({"path": "../globex/plan.md"}, "invalid_path"),
        ({"path": ""}, "invalid_path"),
        ({"path": "a\u0000"}, "invalid_path"),
        ({"path": "a.md", "content_type": "nothing"}, "invalid_content_type"),
        ({"path": "a.md", "content_type": None}, "invalid_request"),
        ({"path": 7}, "invalid_request"),
        ({"path": ["a.md"]}, "invalid_request"),
        ({"path": "a.md", "tenant": "globex"}, "invalid_request"),
        ({"path": "a.md", "expires_at": "tomorrow"}, "invalid_metadata"),
        ({"path": "a.md", "title": "two\nlines"}, "invalid_metadata"),
        ({"path": "a.md", "title": "x" * 301}, "invalid_request"),
        ({"path": ".metadata.json"}, "invalid_path"),
        ({"path": "a.md", "max_bytes": 10**12}, "invalid_request"),
        ([], "invalid_request"),
        ("a.md", "invalid_request"),
    ],
)
def test_a_bad_upload_is_400(body: Any, code: str) -> None:
    answer = gateway().request("POST", "/v1/documents", body)

    assert (answer.status, answer.json()["code"]) == (400, code), answer.text


def test_an_upload_says_title_language_and_expiry() -> None:
    answer = gateway().request(
        "POST",
        "/v1/documents",
        {"path": "a.md", "title": "Plan", "language": "de", "expires_at": "2027-12-31"},
    )

    fields = answer.json()["upload"]["fields"]
    assert fields["x-amz-meta-title"] == "Plan"
    assert fields["x-amz-meta-language"] == "de"
    assert fields["x-amz-meta-expires-at"] == "2027-12-31"
