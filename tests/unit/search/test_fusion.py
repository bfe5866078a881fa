"""Two legs become one ranking, whatever the store."""

import pytest
from haylift.domain.chunks import Hit, Legs
from haylift.services.fusion import Fusion, FusionMethod, fuse, leg_depth
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.search import chunk

RECIPROCAL = Fusion(method=FusionMethod.RECIPROCAL_RANK)


def hit(name: str, score: float) -> Hit:
    return Hit(chunk=chunk("text", chunk_id=name), score=score)


def ids(hits: tuple[Hit, ...]) -> list[str]:
    return [one.chunk.chunk_id for one in hits]


def test_scores_are_stretched_and_mixed_half_and_half() -> None:
    legs = Legs(
        keyword=(hit("a", 12.0), hit("b", 9.0), hit("c", 4.0)),
        semantic=(hit("b", 0.9), hit("d", 0.8), hit("a", 0.5)),
    )

    fused = fuse(legs, 10)

    assert ids(fused) == ["b", "a", "d", "c"]
    assert [round(one.score, 4) for one in fused] == [0.8125, 0.5, 0.375, 0.0]


def test_reciprocal_ranks_ignore_scores() -> None:
    legs = Legs(keyword=(hit("a", 900.0), hit("b", 1.0)), semantic=(hit("b", 0.2), hit("c", 0.1)))

    fused = fuse(legs, 10, RECIPROCAL)

    assert ids(fused) == ["b", "a", "c"]
    assert [round(one.score, 4) for one in fused] == [0.9919, 0.5, 0.4919]


def test_each_hit_keeps_its_place_in_both_legs() -> None:
    legs = Legs(keyword=(hit("a", 3.0), hit("b", 2.0)), semantic=(hit("b", 0.7),))

    by_id = {one.chunk.chunk_id: one for one in fuse(legs, 10)}

    b = by_id["b"]
    assert (b.keyword_rank, b.keyword_score, b.semantic_rank, b.semantic_score) == (2, 2.0, 1, 0.7)
    assert by_id["a"].semantic_rank is None


def test_a_lone_leg_keeps_its_order_and_the_whole_range() -> None:
    fused = fuse(Legs(keyword=(hit("b", 3.0), hit("a", 2.0), hit("c", 1.0))), 10)

    assert ids(fused) == ["b", "a", "c"]
    assert [one.score for one in fused] == [1.0, 0.5, 0.0]


def test_ties_go_by_best_rank_then_by_id() -> None:
    legs = Legs(keyword=(hit("c", 5.0), hit("b", 5.0)), semantic=(hit("a", 0.5), hit("d", 0.5)))

    assert ids(fuse(legs, 10)) == ["a", "c", "b", "d"]


@pytest.mark.parametrize(("top_k", "depth"), [(1, 50), (10, 50), (11, 55), (100, 500)])
def test_legs_are_five_times_as_deep_and_at_least_fifty(top_k: int, depth: int) -> None:
    assert leg_depth(top_k) == depth


def legs() -> st.SearchStrategy[Legs]:
    scores = st.integers(-1_000, 1_000).map(lambda number: number / 8)
    leg = st.dictionaries(st.sampled_from("abcdefghij"), scores, max_size=10).map(
        lambda found: tuple(
            hit(name, score) for name, score in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
        )
    )
    return st.builds(lambda keyword, semantic: Legs(keyword=keyword, semantic=semantic), leg, leg)


methods = st.sampled_from([Fusion(), RECIPROCAL, Fusion(semantic_weight=0.25)])


@given(legs(), methods, st.integers(1, 12))
def test_every_chunk_is_found_once_with_a_score_between_0_and_1(found: Legs, how: Fusion, top_k: int) -> None:
    fused = fuse(found, top_k, how)

    known = set(ids(found.keyword)) | set(ids(found.semantic))
    assert len(fused) == min(top_k, len(known))
    assert len(set(ids(fused))) == len(fused)
    assert all(0.0 <= one.score <= 1.0 for one in fused)
    assert [one.score for one in fused] == sorted((one.score for one in fused), reverse=True)


@given(legs(), methods)
def test_a_smaller_top_k_is_a_prefix(found: Legs, how: Fusion) -> None:
    assert ids(fuse(found, 3, how)) == ids(fuse(found, 20, how))[:3]


@given(legs(), st.sampled_from([0.5, 2.0, 8.0]), st.integers(-64, 64))
def test_a_leg_in_other_units_gives_the_same_ranking(found: Legs, factor: float, offset: int) -> None:
    moved = tuple(one.with_score(one.score * factor + offset) for one in found.keyword)

    assert ids(fuse(found, 20)) == ids(fuse(Legs(keyword=moved, semantic=found.semantic), 20))


@given(legs(), methods)
def test_better_in_both_legs_is_never_placed_behind(found: Legs, how: Fusion) -> None:
    place = {name: number for number, name in enumerate(ids(fuse(found, 20, how)))}
    keyword = {one.chunk.chunk_id: number for number, one in enumerate(found.keyword)}
    semantic = {one.chunk.chunk_id: number for number, one in enumerate(found.semantic)}

    for one in keyword.keys() & semantic.keys():
        for other in keyword.keys() & semantic.keys():
            if keyword[one] < keyword[other] and semantic[one] < semantic[other]:
                assert place[one] < place[other]
