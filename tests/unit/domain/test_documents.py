"""Keys, ids and sequencers."""

from collections.abc import Callable

import pytest
from haylift.domain.documents import DocumentKey, DocumentState, padded_sequencer
from haylift.domain.errors import InvalidInput
from haylift.domain.identity import Role, is_tenant_name
from hypothesis import given
from hypothesis import strategies as st

TENANTS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
PATHS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60).filter(
    lambda path: not path.endswith("/")
)
KEYS = st.builds(DocumentKey, TENANTS, PATHS)


@given(KEYS)
def test_a_key_survives_the_round_trip(key: DocumentKey) -> None:
    assert DocumentKey.parse(key.object_key) == key


@pytest.mark.parametrize(
    "object_key",
    [
        "",
        "documents/",
        "documents/acme",
        "documents/acme/",
        "documents/acme/a/",
        "documents//a.md",
        "documents/ACME/a.md",
        "documents/*/a.md",
        "quarantine/acme/a.md",
        "documents/a#b/c",
        "documents/acme/" + "x" * 1024,
    ],
)
def test_other_keys_are_refused(object_key: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        DocumentKey.parse(object_key)

    assert refusal.value.code == "invalid_key"


def assert_ids_are_apart(
    document_id: Callable[[DocumentKey], str], one: DocumentKey, two: DocumentKey
) -> None:
    assert (document_id(one) == document_id(two)) == (one == two)


@given(KEYS, KEYS)
def test_different_documents_have_different_ids(one: DocumentKey, two: DocumentKey) -> None:
    assert_ids_are_apart(lambda key: key.document_id, one, two)


def test_an_id_without_the_tenant_would_be_seen() -> None:
    with pytest.raises(AssertionError):
        assert_ids_are_apart(lambda key: key.path, DocumentKey("acme", "a"), DocumentKey("globex", "a"))


@given(KEYS, st.integers(1, 10**6), st.integers(0, 10**5), st.integers(1, 10**6), st.integers(0, 10**5))
def test_chunk_ids_tell_revisions_and_ordinals_apart(
    key: DocumentKey, r1: int, o1: int, r2: int, o2: int
) -> None:
    assert (key.chunk_id(r1, o1) == key.chunk_id(r2, o2)) == ((r1, o1) == (r2, o2))


def test_ids_never_change() -> None:
    key = DocumentKey("acme", "handbook/start.md")

    assert key.document_id == "au4rbfpfhftf6a5cg5cylrgclw"
    assert key.chunk_id(1, 0) == "5mougmrtueq65ew2ojexy54u5v"


@given(st.text("0123456789ABCDEF", min_size=1, max_size=20), st.text("0123456789ABCDEF", max_size=20))
def test_a_longer_sequencer_with_the_same_start_is_later(start: str, rest: str) -> None:
    assert padded_sequencer(start) <= padded_sequencer(start + rest)


@pytest.mark.parametrize("text", ["", "xyz", "0" * 65])
def test_malformed_sequencers_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        padded_sequencer(text)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a b", "a" * 41, "*", "t1#t2", "ä", "a\n"])
def test_names_that_no_tenant_may_have(name: str) -> None:
    assert not is_tenant_name(name)


def test_final_states_and_roles() -> None:
    assert [s for s in DocumentState if not s.is_final] == [DocumentState.RECEIVED, DocumentState.INDEXING]
    assert {role: sorted(role.permissions) for role in Role} == {
        Role.READER: ["read"],
        Role.EDITOR: ["read", "write"],
        Role.ADMIN: ["admin", "read", "write"],
    }
