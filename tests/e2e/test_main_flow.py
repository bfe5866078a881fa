"""Files go in, cited answers come out."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e.system import System, eventually, fresh, word

pytestmark = pytest.mark.e2e

HANDBOOK = """# Harbour handbook

## Opening hours

The harbour office opens at seven in the morning from Monday to Friday.

## Lost keys

A lost key of the boathouse is replaced by the harbour master for twelve euros.
"""


def test_an_uploaded_file_is_found_in_every_mode(system: System) -> None:
    marker = word()
    document = system.searchable(fresh("harbour.md"), f"{HANDBOOK}\nThe code word is {marker}.\n".encode())

    for mode in ("hybrid", "keyword", "semantic"):
        answer = system.search(f"What is the code word {marker}?", mode=mode)
        found = [hit for hit in answer["results"] if hit["document_id"] == document["document_id"]]
        assert found, mode
        assert found[0]["title"] == "Harbour handbook"
        assert found[0]["key"] == document["key"]
        assert answer["degraded"] is False


def test_a_question_is_answered_with_a_citation_that_opens_the_file(system: System) -> None:
    content = HANDBOOK.replace("boathouse", f"boathouse {word()}").encode()
    document = system.searchable(fresh("harbour.md"), content)

    question = {"text": "What does a lost key of the boathouse cost?"}
    answer = system.request("POST", "/v1/query", role="reader", json=question).json()

    assert answer["success"] is True
    assert "twelve euros" in answer["response"]
    citation = answer["citations"][0]
    assert "twelve euros" in citation["quote"]
    assert citation["heading"] == "Lost keys"
    cited = system.request("GET", f"/v1/documents/{citation['document_id']}").json()
    assert "twelve euros" in httpx.get(cited["download_url"]).text
    own = system.request("GET", f"/v1/documents/{document['document_id']}").json()
    assert httpx.get(own["download_url"]).content == content


def test_a_question_that_nothing_answers_is_not_answered(system: System) -> None:
    system.searchable(fresh("harbour.md"), HANDBOOK.encode())

    question = {"text": "Which enzyme phosphorylates glycogen in skeletal muscle?"}
    answer = system.request("POST", "/v1/query", role="reader", json=question).json()

    assert answer["success"] is False
    assert answer["citations"] == []


def test_a_replaced_file_is_never_found_twice_nor_not_at_all(system: System) -> None:
    path, subject, old, new = fresh("replaced.txt"), word(), word(), word()
    key = system.searchable(path, f"{subject} says {old}.".encode())["key"]
    seen: list[tuple[bool, bool]] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            texts = [hit["text"] for hit in system.search(subject, mode="keyword", top_k=20)["results"]]
            seen.append((any(old in text for text in texts), any(new in text for text in texts)))

    with ThreadPoolExecutor(2) as pool:
        watchers = [pool.submit(watch) for _ in range(2)]
        system.put(path, f"{subject} says {new}.".encode())
        try:
            system.wait_for(key, "SEARCHABLE", revision=2)
        finally:
            done.set()
        for watcher in watchers:
            watcher.result()

    assert (True, True) not in seen
    assert (False, False) not in seen
    after = [hit["text"] for hit in system.search(subject, mode="keyword")["results"]]
    assert [new in text for text in after] == [True]


def test_a_deleted_file_is_gone(system: System) -> None:
    subject = word()
    document = system.searchable(fresh("gone.txt"), f"{subject} was here.".encode())

    response = system.request("DELETE", f"/v1/documents/{document['document_id']}", role="editor")

    assert response.status_code == 202

    def state() -> str | None:
        record = system.request("GET", f"/v1/documents/{document['document_id']}").json()
        return "gone" if record["state"] == "DELETED" else None

    eventually(state, 30, "the document is DELETED")
    assert system.search(subject, mode="keyword")["results"] == []


def test_a_file_deleted_in_the_bucket_and_put_again_is_found(system: System) -> None:
    path, first, second = fresh("again.txt"), word(), word()
    key = system.searchable(path, f"{first} one.".encode())["key"]

    system.bucket.Object(key).delete()
    system.put(path, f"{second} two.".encode())

    system.wait_for(key, "SEARCHABLE", revision=3)
    assert system.search(first, mode="keyword")["results"] == []
    assert len(system.search(second, mode="keyword")["results"]) == 1


def test_an_upload_changes_the_next_search_in_every_process(system: System) -> None:
    subject = word()
    body = {"query": subject, "mode": "keyword"}
    system.searchable(fresh("one.txt"), f"{subject} one.".encode())

    def ask(_: int) -> dict[str, object]:
        return system.search(**body)

    with ThreadPoolExecutor(4) as pool:
        before = list(pool.map(ask, range(24)))
        system.searchable(fresh("two.txt"), f"{subject} two.".encode())
        after = list(pool.map(ask, range(24)))

    assert {len(answer["results"]) for answer in before} == {1}
    assert "l1" in {answer["cache_level"] for answer in before}
    assert {len(answer["results"]) for answer in after} == {2}


def test_the_second_search_comes_from_the_cache(system: System) -> None:
    system.searchable(fresh("cached.txt"), b"Cached once, found twice.")
    query = f"cached {word()}"

    first, second = system.search(query), system.search(query)

    assert (first["from_cache"], first["cache_level"]) == (False, None)
    assert second["from_cache"] is True
    assert second["cache_level"] in {"l1", "l2"}
    assert second["results"] == first["results"]


def test_another_tenant_neither_finds_nor_opens_a_document(system: System) -> None:
    subject = word()
    document = system.searchable(fresh("secret.txt"), f"{subject} is secret.".encode())

    assert system.search(subject, tenant="globex", mode="keyword")["results"] == []
    foreign = system.request("GET", f"/v1/documents/{document['document_id']}", tenant="globex")
    unknown = system.request("GET", "/v1/documents/" + "a" * 26, tenant="globex")
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json()["code"] == unknown.json()["code"] == "document_not_found"
    deletion = system.request("DELETE", f"/v1/documents/{document['document_id']}", tenant="globex")
    assert deletion.status_code == 404


def test_a_presigned_upload_becomes_searchable(system: System) -> None:
    subject, path = word(), fresh("presigned.md")
    form = system.request("POST", "/v1/documents", role="editor", json={"path": path}).json()

    upload = form["upload"]
    sent = httpx.post(upload["url"], data=upload["fields"], files={"file": f"{subject} arrived.".encode()})

    assert sent.status_code in {200, 201, 204}, sent.text
    document = system.wait_for(form["key"], "SEARCHABLE")
    assert document["document_id"] == form["document_id"]
    assert len(system.search(subject, mode="keyword")["results"]) == 1


def test_health_says_little_to_strangers_and_more_to_admins(system: System) -> None:
    anonymous = system.http.get("/health").json()
    admin = system.request("GET", "/health").json()
    reader = system.request("GET", "/health", role="reader").json()

    assert anonymous["status"] == "healthy"
    assert "dependencies" not in anonymous
    assert "dependencies" not in reader
    assert set(admin["dependencies"]) == {"index", "cache", "tables", "model_endpoint"}
    assert system.http.get("/ready").json() == {"status": "ready"}
