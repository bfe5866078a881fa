"""The Haystack pipeline: both legs, degraded without embeddings, faults unchanged."""

import copy
import logging

import pytest
from haylift.domain.chunks import Hit, Legs
from haylift.domain.errors import DeadlineExceeded, IndexUnavailable, ModelUnavailable
from haylift.domain.filters import parse_filter
from haylift.domain.identity import Scope
from haylift.domain.search import SearchMode, SearchRequest
from haylift.pipelines.components import LegFuser, RetrievedLegs
from haylift.pipelines.documents import to_document, to_hit
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline, warm_up
from haystack import Document, Pipeline, component

from tests.fakes.search import FakeModels, FakeTime, FaultyIndex, chunk, filled_index

ACME = Scope(tenant="acme")
KEYS = chunk("A lost key costs twelve euros.", path="keys.md", title="Keys", page=3, headings=("Lost",))
BOATS = chunk("Boats leave at seven.", path="boats.md", meta={"lang": "en"})


def run(
    index: FaultyIndex, models: FakeModels, request: SearchRequest, *, seconds: float = 30.0
) -> tuple[list[str], str | None]:
    pipeline = HaystackQueryPipeline(query_pipeline(index, models))
    retrieved = pipeline.run(request, ACME, "g1", FakeTime().deadline(seconds))
    return [hit.chunk.text for hit in retrieved.hits], retrieved.degraded


def test_hybrid_asks_both_legs_in_one_retrieval() -> None:
    index = filled_index(KEYS, BOATS)

    texts, degraded = run(index, FakeModels(), SearchRequest(query="lost key"))

    assert texts[0] == "A lost key costs twelve euros."
    assert degraded is None
    assert len(index.queries) == 1
    assert index.queries[0].text == "lost key"
    assert index.queries[0].vector is not None
    assert index.queries[0].depth == 50


def test_keyword_mode_asks_no_model() -> None:
    models = FakeModels()
    index = filled_index(KEYS)

    run(index, models, SearchRequest(query="key", mode=SearchMode.KEYWORD))

    assert models.queries == []
    assert index.queries[0].vector is None


def test_semantic_mode_asks_no_words() -> None:
    index = filled_index(KEYS)

    run(index, FakeModels(), SearchRequest(query="key", mode=SearchMode.SEMANTIC))

    assert index.queries[0].text is None


def test_filters_and_depth_reach_the_index() -> None:
    index = filled_index(KEYS, BOATS)
    english = parse_filter({"field": "meta.lang", "operator": "==", "value": "en"})

    texts, _ = run(index, FakeModels(), SearchRequest(query="key boats", filters=english, top_k=30))

    assert texts == ["Boats leave at seven."]
    assert index.queries[0].depth == 150


@pytest.mark.parametrize("fault", [ModelUnavailable("away"), DeadlineExceeded("slow")])
def test_hybrid_goes_on_by_keywords_without_embeddings(fault: ModelUnavailable | DeadlineExceeded) -> None:
    texts, degraded = run(filled_index(KEYS), FakeModels(fault=fault), SearchRequest(query="lost key"))

    assert texts == ["A lost key costs twelve euros."]
    assert degraded == "no_embeddings"


def test_semantic_mode_cannot_go_on_without_embeddings() -> None:
    request = SearchRequest(query="key", mode=SearchMode.SEMANTIC)

    with pytest.raises(ModelUnavailable):
        run(filled_index(KEYS), FakeModels(fault=ModelUnavailable("away")), request)


def test_without_index_there_is_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    warm_up()

    with caplog.at_level(logging.WARNING), pytest.raises(IndexUnavailable):
        run(FaultyIndex(fault=IndexUnavailable("gone")), FakeModels(), SearchRequest(query="secret words"))

    assert [record.message for record in caplog.records] == []


def test_an_ended_deadline_ends_the_search() -> None:
    with pytest.raises(DeadlineExceeded):
        run(filled_index(KEYS), FakeModels(), SearchRequest(query="key"), seconds=0.0)


def test_user_text_is_never_a_template_nor_an_input() -> None:
    query = "{{ index }} {% for x in y %} retriever: {generation} ${HOME}"
    index = filled_index(KEYS)

    run(index, FakeModels(), SearchRequest(query=query))

    assert index.queries[0].text == query


def test_hits_come_through_documents_unchanged() -> None:
    hit = Hit(chunk=KEYS, score=0.75, keyword_rank=1, semantic_rank=2, keyword_score=7.0, semantic_score=0.5)

    assert to_hit(copy.deepcopy(to_document(hit))) == hit


def test_documents_that_the_index_did_not_find_are_refused() -> None:
    with pytest.raises(TypeError):
        to_hit(Document(id="x", content="invented"))


def test_copies_on_edges_are_the_legs_themselves() -> None:
    legs = RetrievedLegs(Legs())

    assert copy.deepcopy(legs) is legs


def test_the_fuser_round_trips() -> None:
    fuser = LegFuser(method="reciprocal_rank", semantic_weight=0.25)

    again = LegFuser.from_dict(fuser.to_dict())

    assert (again.method, again.semantic_weight) == ("reciprocal_rank", 0.25)


def test_an_unknown_method_is_an_error() -> None:
    with pytest.raises(ValueError, match="psychic"):
        LegFuser(method="psychic")


@component
class Backwards:
    """A user's own ranker."""

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, list[Document]]:
        return {"documents": documents[::-1]}


def test_a_users_own_ranker_can_follow_the_fuser() -> None:
    pipeline: Pipeline = query_pipeline(filled_index(KEYS, BOATS), FakeModels())
    pipeline.add_component("backwards", Backwards())
    pipeline.connect("fuser", "backwards")
    plain = HaystackQueryPipeline(query_pipeline(filled_index(KEYS, BOATS), FakeModels()))
    request = SearchRequest(query="lost key boats")

    ranked = HaystackQueryPipeline(pipeline, last="backwards").run(
        request, ACME, "g1", FakeTime().deadline(30.0)
    )

    usual = plain.run(request, ACME, "g1", FakeTime().deadline(30.0))
    assert [hit.chunk.text for hit in ranked.hits] == [hit.chunk.text for hit in usual.hits][::-1]
