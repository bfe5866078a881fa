"""The document and the page that shows it, without the internet."""

import json
import re
from html.parser import HTMLParser

import pytest
from haylift import __version__

from functions.reference.app import create_app
from functions.reference.pages import Pages
from tests.contract.openapi.in_process import pages
from tests.fakes.gateway import Answer, Gateway, RecordedTelemetry


@pytest.fixture(scope="module")
def shown() -> Pages:
    return pages()


@pytest.fixture
def gateway(shown: Pages) -> Gateway:
    return Gateway(create_app(shown, RecordedTelemetry()))


def test_the_document_is_answered_as_json(gateway: Gateway) -> None:
    answer = gateway.request("GET", "/openapi.json")

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    document = answer.json()
    assert (document["openapi"], document["info"]["version"]) == ("3.1.0", __version__)


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/page.js", "text/javascript; charset=utf-8"),
        ("/docs/page.css", "text/css; charset=utf-8"),
        ("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/docs/swagger-ui.css", "text/css; charset=utf-8"),
    ],
)
def test_every_file_has_its_type_and_is_kept_by_its_etag(
    gateway: Gateway, path: str, media_type: str
) -> None:
    first = gateway.request("GET", path)
    again = gateway.request("GET", path, headers={"if-none-match": first.headers["etag"]})
    other = gateway.request("GET", path, headers={"if-none-match": '"other"'})

    assert (first.status, first.headers["content-type"]) == (200, media_type)
    assert (again.status, again.text, again.headers["etag"]) == (304, "", first.headers["etag"])
    assert other.status == 200


@pytest.mark.parametrize("name", ["nothing.js", "page.html", "..%2Fhandler.py", "handler.py", "openapi.json"])
def test_only_known_files_are_answered(gateway: Gateway, name: str) -> None:
    answer = gateway.request("GET", f"/docs/{name}")

    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_policy_lets_no_foreign_and_no_inline_script_run(gateway: Gateway) -> None:
    policy = gateway.request("GET", "/docs").headers["content-security-policy"]

    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["connect-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy


class _Addresses(HTMLParser):
    """Collects what a page loads, and whether it runs anything inline."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in given) else []
        self.loaded += [address for name in ("src", "href") if (address := given.get(name))]


def page_faults(html: str, answered: set[str]) -> list[str]:
    """Addresses that are absolute or that nothing answers, and inline code."""
    read = _Addresses()
    read.feed(html)
    known = {"data:,", "openapi.json", *(f"docs/{name}" for name in answered)}
    return [address for address in read.loaded if address not in known] + read.inline


def test_the_page_loads_only_what_this_function_answers(shown: Pages) -> None:
    assert page_faults(shown.page.content.decode(), set(shown.assets)) == []


def test_a_page_with_a_foreign_or_inline_script_would_be_seen() -> None:
    html = '<script src="https://cdn.example/x.js"></script><script>run()</script><p onclick="run()">'

    assert page_faults(html, {"page.js"}) == ["https://cdn.example/x.js", "script", "onclick"]


def test_own_files_name_no_foreign_address(shown: Pages) -> None:
    own = [shown.page, shown.assets["page.js"], shown.assets["page.css"]]

    assert [re.findall(r"https?://|[\"'(]//", page.content.decode()) for page in own] == [[], [], []]


def test_answers_fit_into_what_a_function_may_answer(gateway: Gateway) -> None:
    def as_event(answer: Answer) -> int:
        return len(json.dumps(answer.text))

    sizes = [
        as_event(gateway.request("GET", f"/docs/{name}")) for name in ("swagger-ui-bundle.js", "page.js")
    ]

    assert max(sizes) < 6_000_000
