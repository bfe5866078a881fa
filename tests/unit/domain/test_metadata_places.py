"""What counts when several places say something about a document."""

from collections.abc import Callable

import pytest
from haylift.domain.documents import DocumentKey
from haylift.domain.errors import DocumentRejected
from haylift.domain.metadata import (
    DocumentMetadata,
    Said,
    document_of_sidecar,
    merged,
    said_by_headers,
    said_by_sidecar,
    said_by_tags,
)
from hypothesis import given
from hypothesis import strategies as st

PLACES = st.builds(
    Said,
    title=st.none() | st.sampled_from(["", "a", "b"]),
    language=st.none() | st.sampled_from(["de", "en"]),
    access_groups=st.none() | st.frozensets(st.sampled_from(["hr", "legal"])),
    expires_at=st.none() | st.integers(0, 3),
    attributes=st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 2)),
)


def the_first_that_says_it_counts(merge: Callable[..., DocumentMetadata], places: list[Said]) -> None:
    found = merge(*places)

    for name, default in {"title": "", "language": "", "access_groups": frozenset(), "expires_at": 0}.items():
        said = [getattr(place, name) for place in places if getattr(place, name) is not None]
        assert getattr(found, name) == (said[0] if said else default)
    for name in ("x", "y"):
        values = [place.attributes[name] for place in places if name in place.attributes]
        assert found.attributes.get(name) == (values[0] if values else None)


@given(st.lists(PLACES, max_size=3))
def test_of_each_field_the_first_place_that_says_it_counts(places: list[Said]) -> None:
    the_first_that_says_it_counts(merged, places)


def test_a_merge_that_takes_the_last_or_skips_what_is_empty_fails_the_same_check() -> None:
    empty, later = Said(access_groups=frozenset(), title=""), Said(access_groups=frozenset({"hr"}), title="b")

    with pytest.raises(AssertionError):
        the_first_that_says_it_counts(lambda *places: merged(*places[::-1]), [empty, later])
    with pytest.raises(AssertionError):
        the_first_that_says_it_counts(
            lambda *places: merged(*(place for place in places if place.title)), [empty, later]
        )


def test_the_three_places_are_read() -> None:
    sidecar = said_by_sidecar(
        b'{"title": "Plan", "attributes": {"team": "sales", "year": 2026, "final": true, "tags": ["a"]}}'
    )
    headers = said_by_headers({"title": "plan.md", "language": "de", "mtime": "17"})
    tags = said_by_tags(
        {"access-groups": "hr legal", "expires-at": "2027-01-01", "haylift-state": "REJECTED"}
    )

    assert merged(sidecar, headers, tags) == DocumentMetadata(
        title="Plan",
        language="de",
        access_groups=frozenset({"hr", "legal"}),
        expires_at=1_798_761_600,
        attributes={"team": "sales", "year": 2026, "final": True, "tags": ["a"]},
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"title": 7}',
        b'{"acces_groups": []}',
        b'{"access_groups": ["a,b"]}',
        b'{"access_groups": [1]}',
        b'{"expires_at": "soon"}',
        b'{"expires_at": 17}',
        b'{"attributes": {"media_type": "x"}}',
        b'{"attributes": {"a": {"b": 1}}}',
        b'{"attributes": {"a": NaN}}',
        b'{"attributes": {"A b": "x"}}',
        b'{"attributes": []}' + b" " * 65_536,
        b'{"attributes": [1]}',
    ],
)
def test_a_sidecar_that_cannot_be_read_is_a_verdict(data: bytes) -> None:
    with pytest.raises(DocumentRejected) as verdict:
        said_by_sidecar(data)

    assert verdict.value.reason == "invalid_metadata"


def test_an_expiry_is_in_no_digest_and_an_attribute_is() -> None:
    plain = DocumentMetadata(title="a")

    assert DocumentMetadata(title="a", expires_at=5).canonical() == plain.canonical()
    assert DocumentMetadata(title="a", attributes={"x": 1}).canonical() != plain.canonical()


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("a.md.metadata.json", "a.md"),
        ("a/b.metadata.json", "a/b"),
        (".metadata.json", None),
        ("a/.metadata.json", None),
        ("a.md.metadata.json.metadata.json", None),
    ],
)
def test_a_sidecar_names_its_document(path: str, document: str | None) -> None:
    found = document_of_sidecar(DocumentKey("acme", path))

    assert (found.path if found else None) == document
