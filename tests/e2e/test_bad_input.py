"""Every kind of bad input has a stated answer; none is a 500 and no traceback leaves the system."""

import base64
import io
import json
import time

import httpx
import pytest
from reportlab.pdfgen.canvas import Canvas

from tests.e2e.system import System, eventually, fresh, word

pytestmark = pytest.mark.e2e

BAD_SEARCHES = [
    ({"query": ""}, "empty_query"),
    ({"query": "   "}, "empty_query"),
    ({"query": "x" * 5_001}, "query_too_long"),
    ({"query": 5}, "invalid_request"),
    ({}, "invalid_request"),
    ([], "invalid_request"),
    ({"query": "a", "colour": "red"}, "invalid_request"),
    ({"query": "a", "tenant": "globex"}, "invalid_request"),
    ({"query": "a", "top_k": 0}, "top_k_out_of_range"),
    ({"query": "a", "top_k": 101}, "top_k_out_of_range"),
    ({"query": "a", "top_k": "5"}, "invalid_request"),
    ({"query": "a", "mode": "psychic"}, "invalid_request"),
    ({"query": "a", "filters": {"field": "meta.x", "operator": "~", "value": 1}}, "invalid_filter"),
    ({"query": "a", "filters": {"operator": "XOR", "conditions": []}}, "invalid_filter"),
    ({"query": "a", "filters": {"field": "tenant;--", "operator": "==", "value": 1}}, "invalid_filter"),
    ({"query": "a", "filters": "all"}, "invalid_filter"),
]


def assert_problem(response: httpx.Response, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    body = response.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["detail"]
    assert body["request_id"]
    assert "Traceback" not in response.text


@pytest.mark.parametrize(("body", "code"), BAD_SEARCHES)
def test_a_bad_search_is_400(system: System, body: object, code: str) -> None:
    assert_problem(system.request("POST", "/v1/search", json=body), 400, code)


@pytest.mark.parametrize(
    ("body", "code"),
    [({"text": ""}, "empty_query"), ({"text": "x" * 5_001}, "query_too_long"), ({}, "invalid_request")],
)
def test_a_bad_question_is_400(system: System, body: object, code: str) -> None:
    assert_problem(system.request("POST", "/v1/query", json=body), 400, code)


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"null", b'{"query": NaN}', b"[" * 10_000])
def test_bad_json_is_400(system: System, raw: bytes) -> None:
    response = system.request("POST", "/v1/search", content=raw, content_type="application/json")

    assert response.status_code == 400, response.text
    assert response.json()["code"] in {"invalid_json", "invalid_request"}


def test_a_body_that_is_not_called_json_is_415(system: System) -> None:
    response = system.request("POST", "/v1/search", content=b'{"query": "a"}')

    assert_problem(response, 415, "unsupported_media_type")


def test_a_body_over_256_kb_is_413(system: System) -> None:
    response = system.request("POST", "/v1/search", json={"query": "a", "x": "y" * 262_144})

    assert_problem(response, 413, "body_too_large")


def test_unknown_routes_are_404(system: System) -> None:
    assert_problem(system.http.get("/v1/nowhere"), 404, "route_not_found")


def forged_tokens(token: str) -> dict[str, str]:
    """Tokens that must not be accepted, made from a good one."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    other = base64.urlsafe_b64encode(json.dumps(claims | {"tenant": "globex"}).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return {
        "changed tenant": f"{header}.{other}.{signature}",
        "no algorithm": f"{none}.{payload}.",
        "cut signature": f"{header}.{payload}.{signature[:-8]}",
        "not a token": "hello",
        "two tokens": f"{token} {token}",
    }


def test_missing_and_forged_tokens_are_401(system: System) -> None:
    good = system.token("reader")
    body = {"query": "a"}

    assert_problem(system.http.post("/v1/search", json=body), 401, "unauthorized")
    for name, token in forged_tokens(good).items():
        response = system.http.post("/v1/search", json=body, headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 401, name
        assert response.json()["code"] == "unauthorized", name


def test_wrong_passwords_and_unknown_users_get_the_same_answer(system: System) -> None:
    known = system.user("reader")["username"]

    wrong = system.login(known, "not the password")
    unknown = system.login("nobody-" + word(), "not the password")

    assert_problem(wrong, 401, "invalid_credentials")
    assert_problem(unknown, 401, "invalid_credentials")
    assert {k: v for k, v in wrong.json().items() if k != "request_id"} == {
        k: v for k, v in unknown.json().items() if k != "request_id"
    }


def test_a_missing_permission_is_403(system: System) -> None:
    response = system.request("POST", "/v1/documents", role="reader", json={"path": "a.md"})

    assert_problem(response, 403, "permission_missing")


def test_a_disabled_user_is_out_within_five_seconds(system: System) -> None:
    name, password = f"leaver-{word()}", "correct horse battery"
    added = system.ops("user", "add", name, "--tenant", "acme", "--role", "reader", "--password", password)
    assert added.returncode == 0, added.stderr
    tokens = system.login(name, password).json()
    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert system.http.post("/v1/search", json={"query": "a"}, headers=header).status_code == 200

    assert system.ops("user", "disable", name).returncode == 0
    disabled_at = time.monotonic()

    def refused() -> float | None:
        answer = system.http.post("/v1/search", json={"query": "a"}, headers=header)
        return time.monotonic() - disabled_at if answer.status_code in {401, 403} else None

    assert eventually(refused, 7, "the disabled user is refused") <= 6
    assert system.login(name, password).status_code == 401
    refreshed = system.http.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert refreshed.status_code == 401


def test_a_refresh_token_gives_a_new_pair(system: System) -> None:
    user = system.user("editor")
    first = system.login(user["username"], user["password"]).json()

    second = system.http.post("/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})

    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]
    header = {"Authorization": f"Bearer {second.json()['access_token']}"}
    assert system.http.post("/v1/search", json={"query": "a"}, headers=header).status_code == 200


def test_the_public_keys_are_published(system: System) -> None:
    keys = system.http.get("/.well-known/jwks.json").json()["keys"]

    assert [(key["kty"], key["crv"], key["alg"]) for key in keys] == [("EC", "P-256", "ES256")]
    assert not {"d"} & set().union(*(key.keys() for key in keys))


def pdf(text: str) -> bytes:
    """A one-page PDF with `text`, or with a line only."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    if text:
        canvas.drawString(72, 720, text)
    else:
        canvas.line(10, 10, 100, 100)
    canvas.save()
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.md", b"", "empty"),
        ("picture.pdf", pdf(""), "no_text"),
        ("broken.pdf", pdf("whole")[:200], "damaged"),
        ("liar.pdf", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "unsupported_format"),
    ],
)
def test_a_bad_file_is_rejected_and_its_neighbours_are_indexed(
    system: System, name: str, content: bytes, reason: str
) -> None:
    left, right = word(), word()
    neighbours = [
        system.put(fresh("left.txt"), f"{left} is fine.".encode()),
        system.put(fresh("right.pdf"), pdf(f"{right} is fine")),
    ]
    bad = system.put(fresh(name), content)

    document = system.wait_for(bad, "REJECTED")

    assert document["reason"] == reason
    for key in neighbours:
        system.wait_for(key, "SEARCHABLE")
    assert len(system.search(left, mode="keyword")["results"]) == 1
    assert len(system.search(right, mode="keyword")["results"]) == 1


def test_a_pdf_that_claims_to_be_text_is_read_as_pdf(system: System) -> None:
    subject = word()
    system.searchable(fresh("liar.txt"), pdf(f"{subject} stands in a PDF"))

    hit = system.search(subject, mode="keyword")["results"][0]

    assert hit["page"] == 1
