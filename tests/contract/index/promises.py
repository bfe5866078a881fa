"""The promises of `DocumentIndex`, as tests that every adapter inherits."""

import math
from array import array
from dataclasses import replace

import pytest
from haylift.domain.chunks import Chunk, EmbeddedChunk, Legs
from haylift.domain.identity import Scope
from haylift.ports.search import DocumentIndex, LegQuery

from tests.contract.index.chunks import ACME, embedded, everything, ids, seen, words

AWKWARD_QUERIES = [
    "",
    "   ",
    "the and of",
    '"',
    "'",
    '""" OR (',
    "AND OR NOT NEAR/3",
    "pipeline*",
    "title:pipeline",
    "^pipeline -queue +x",
    "{}[]()<>!?#$%&",
    "🚀 👩🏽‍🚀 🇩🇪",
    "\x00\x01",
    "\ud800 lone",
    "'; DROP TABLE chunks; --",
    "%s %d ? :name @name $name",
    "日本語 テキスト",
    "مرحبا بالعالم",
    "a" * 5_000,
    " ".join(f"word{number}" for number in range(600))[:5_000],
    '"' * 5_000,
]


class DocumentIndexPromises:
    """Inherit and give a fixture `index`."""

    def test_a_chunk_comes_back_complete(self, index: DocumentIndex) -> None:
        chunk = Chunk(
            chunk_id="c1",
            document_id="d1",
            key="documents/acme/guide.md",
            revision=7,
            ordinal=3,
            title="Guide ü",
            text='Line one\nline "two" \x00 日本',
            page=12,
            slide=4,
            sheet="Prices 2026",
            headings=("Start", "Install"),
            access_groups=frozenset({"staff", "on-call"}),
            meta={"lang": "en", "year": 2026, "ratio": 0.1, "draft": False, "tags": ["a", "b"], "none": []},
        )

        index.write("acme", "g1", [EmbeddedChunk(chunk=chunk, vector=array("f", [0.6, 0.8]))])
        index.refresh("acme", "g1")
        found = index.retrieve(everything(), Scope(tenant="acme", groups=frozenset({"staff"})), "g1")

        assert found.semantic[0].chunk == chunk
        assert found.semantic[0].semantic_score == pytest.approx(0.6)
        assert (found.semantic[0].semantic_rank, found.semantic[0].keyword_rank) == (1, None)

    def test_what_was_never_written_is_empty(self, index: DocumentIndex) -> None:
        index.write("acme", "g1", [embedded("c1")])

        assert index.retrieve(everything(), Scope(tenant="other"), "g1") == Legs()
        assert index.retrieve(everything(), ACME, "g2") == Legs()
        assert index.remove("other", "g1", "document-c1", keep_revision=0) == 0

    def test_generations_do_not_mix(self, index: DocumentIndex) -> None:
        index.write("acme", "g1", [embedded("old")])
        index.write("acme", "g2", [embedded("new", vector=(1.0, 0.0, 0.0))])

        assert seen(index) == ["old"]

    def test_vectors_are_given_back_by_the_text_that_they_were_made_of(self, index: DocumentIndex) -> None:
        old = embedded("old", "queue", document_id="d", vector=(0.6, 0.8))
        new = embedded("new", "lane", document_id="d", revision=2)
        index.write("acme", "g1", [old, embedded("other", "gate", document_id="e"), new])
        index.refresh("acme", "g1")

        found = index.stored_vectors("acme", "g1", "d", revision=1)

        assert dict(found) == {old.chunk.embedded_digest: array("f", [0.6, 0.8])}
        assert index.stored_vectors("acme", "g2", "d", revision=1) == {}
        assert index.stored_vectors("other", "g1", "d", revision=1) == {}

    def test_only_the_asked_legs_answer(self, index: DocumentIndex) -> None:
        index.write("acme", "g1", [embedded("c1", "queue")])

        by_words = index.retrieve(words("queues"), ACME, "g1")
        by_vector = index.retrieve(everything(), ACME, "g1")

        assert (len(by_words.keyword), len(by_words.semantic)) == (1, 0)
        assert (len(by_vector.keyword), len(by_vector.semantic)) == (0, 1)

    def test_writing_again_replaces(self, index: DocumentIndex) -> None:
        index.write("acme", "g1", [embedded("c1", "old words"), embedded("c2", "other")])

        index.write("acme", "g1", [embedded("c1", "new text", groups=frozenset({"staff"}))])
        index.write("acme", "g1", [embedded("c2", "other")])

        staff = Scope(tenant="acme", groups=frozenset({"staff"}))
        assert seen(index) == ["c2"]
        assert seen(index, staff) == ["c1", "c2"]
        assert seen(index, staff, words("old")) == []
        assert seen(index, staff, words("text")) == ["c1"]

    def test_title_and_headings_are_found_too(self, index: DocumentIndex) -> None:
        plain = embedded("c1", "nothing")
        chunk = replace(plain.chunk, title="Rollback", headings=("Canary steps",))
        index.write("acme", "g1", [replace(plain, chunk=chunk)])

        assert ids(index.retrieve(words("rollbacks"), ACME, "g1")) == ["c1"]
        assert ids(index.retrieve(words("canary"), ACME, "g1")) == ["c1"]

    def test_bm25_follows_the_formula(self, index: DocumentIndex) -> None:
        index.write(
            "acme",
            "g1",
            [
                embedded("twice", "queue queue"),
                embedded("once", "queue lane"),
                embedded("long", "queue lane gate ledger"),
                embedded("none", "nothing here"),
            ],
        )

        hits = index.retrieve(words("queue gate"), ACME, "g1").keyword

        # Lengths 2, 2, 4, 2 ("here" is a word): mean 2.5; idf = ln(1 + (4 - n + 0.5) / (n + 0.5)).
        queue, gate = math.log(1 + 1.5 / 3.5), math.log(1 + 3.5 / 1.5)
        short, long = 1.2 * (0.25 + 0.75 * 2 / 2.5), 1.2 * (0.25 + 0.75 * 4 / 2.5)
        assert [(hit.chunk.chunk_id, hit.score) for hit in hits] == [
            ("long", pytest.approx((queue + gate) / (1 + long))),
            ("twice", pytest.approx(queue * 2 / (2 + short))),
            ("once", pytest.approx(queue / (1 + short))),
        ]

    def test_cosine_order_and_ties_by_chunk_id(self, index: DocumentIndex) -> None:
        index.write(
            "acme",
            "g1",
            [
                embedded("b", vector=(0.0, 1.0)),
                embedded("a", vector=(0.0, 1.0)),
                embedded("near", vector=(0.6, 0.8)),
                embedded("away", vector=(-1.0, 0.0)),
            ],
        )

        hits = index.retrieve(everything(depth=3), ACME, "g1").semantic

        assert [(hit.chunk.chunk_id, hit.semantic_rank) for hit in hits] == [("near", 1), ("a", 2), ("b", 3)]

    def test_depth_cuts_ties_by_chunk_id(self, index: DocumentIndex) -> None:
        index.write("acme", "g1", [embedded(f"c{number:02}", "same words") for number in reversed(range(20))])

        legs = index.retrieve(LegQuery(text="words", vector=array("f", [1, 0]), depth=3), ACME, "g1")

        assert ids(legs) == ["c00", "c01", "c02", "c00", "c01", "c02"]

    def test_remove_keeps_one_revision(self, index: DocumentIndex) -> None:
        index.write(
            "acme",
            "g1",
            [
                embedded("d-1", document_id="d", revision=1),
                embedded("d-2", document_id="d", revision=2),
                embedded("e-1", document_id="e", revision=1),
            ],
        )

        assert index.remove("acme", "g1", "d", keep_revision=2) == 1
        assert seen(index) == ["d-2", "e-1"]
        assert index.remove("acme", "g1", "d", keep_revision=0) == 1
        assert index.remove("acme", "g1", "d", keep_revision=0) == 0
        assert seen(index) == ["e-1"]
        assert ids(index.retrieve(words("words"), ACME, "g1")) == ["e-1"]

    def test_a_late_removal_leaves_newer_revisions(self, index: DocumentIndex) -> None:
        revisions = [embedded(f"d-{number}", document_id="d", revision=number) for number in (1, 2, 3)]
        index.write("acme", "g1", revisions)

        assert index.remove("acme", "g1", "d", keep_revision=2, up_to_revision=2) == 1
        assert seen(index) == ["d-2", "d-3"]
        assert index.remove("acme", "g1", "d", keep_revision=0, up_to_revision=2) == 1
        assert seen(index) == ["d-3"]

    def test_the_stored_chunks_of_one_revision_are_known(self, index: DocumentIndex) -> None:
        one, two = (embedded(f"d-{number}", document_id="d", revision=number) for number in (1, 2))
        index.write("acme", "g1", [one, two, embedded("d-3", document_id="d", revision=2)])
        index.write("acme", "g1", [embedded("e-1", document_id="e", revision=2)])

        assert index.stored_chunk_ids("acme", "g1", "d", revision=2) == {"d-2", "d-3"}
        assert index.stored_chunk_ids("acme", "g1", "d", revision=3) == frozenset()
        assert index.stored_chunk_ids("acme", "g2", "d", revision=2) == frozenset()
        assert index.stored_chunk_ids("other", "g1", "d", revision=2) == frozenset()
        index.remove("acme", "g1", "d", keep_revision=0)
        assert index.stored_chunk_ids("acme", "g1", "d", revision=2) == frozenset()

    @pytest.mark.parametrize("query", AWKWARD_QUERIES, ids=range(len(AWKWARD_QUERIES)))
    def test_no_query_text_is_an_error(self, index: DocumentIndex, query: str) -> None:
        index.write("acme", "g1", [embedded("c1", "a pipeline of words")])

        found = index.retrieve(words(query), ACME, "g1").keyword

        assert all(hit.chunk.chunk_id == "c1" for hit in found)

    def test_marks_inside_words_are_found_as_written(self, index: DocumentIndex) -> None:
        texts = ["foo_bar", "U.S.A.", "O'Neil", "3.14", "ns:name", "bar"]
        index.write("acme", "g1", [embedded(text, text) for text in texts])

        found = {text: ids(index.retrieve(words(text), ACME, "g1")) for text in texts}

        assert found == {text: [text] for text in texts}

    def test_an_empty_write_changes_nothing(self, index: DocumentIndex) -> None:
        index.write("acme", "g1", [])

        assert seen(index) == []

    def test_check_works(self, index: DocumentIndex) -> None:
        index.check()
        index.write("acme", "g1", [embedded("c1")])
        index.check()
