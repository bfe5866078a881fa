"""No cached answer is found under other ranking parameters than those that made it."""

import dataclasses
import doctest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from haylift.domain.identity import Scope
from haylift.domain.search import CacheLevel, SearchRequest
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline
from haylift.services import ranking
from haylift.services.answer import AnswerPolicy, AnswerService
from haylift.services.fusion import Fusion, FusionMethod
from haylift.services.query_cache import CacheKey, QueryCache
from haylift.services.ranking import RERANKER, Ranking, SentenceRanking, answer_version

from tests.fakes.cache import InMemorySharedCache, InMemoryTenants
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.search import FakeModels, FakeTime, chunk, filled_index

type Version = Callable[..., str]

ACME = Scope(tenant="acme")
PARAMETERS = (Ranking(), SentenceRanking(), AnswerPolicy(threshold=0.5))


def _other(value: object) -> object:
    if isinstance(value, Fusion):
        return Fusion(method=FusionMethod.RECIPROCAL_RANK)
    return f"{value}-2" if isinstance(value, str) else value + 1 if isinstance(value, int | float) else None


def _variants() -> Iterator[tuple[str, tuple[object, ...]]]:
    """Each parameter changed alone, by name."""
    for place, one in enumerate(PARAMETERS):
        for field in dataclasses.fields(one):
            changed: Any = dataclasses.replace(one, **{field.name: _other(getattr(one, field.name))})
            yield field.name, (*PARAMETERS[:place], changed, *PARAMETERS[place + 1 :])
    yield "semantic_weight", (Ranking(fusion=Fusion(semantic_weight=0.4)), *PARAMETERS[1:])


def _digest(version: str) -> str:
    return CacheKey.of(SearchRequest(query="q"), ACME, kind="query", model="m", version=version).digest


def check_each_parameter_is_in_the_key(version_of: Version) -> None:
    """Every parameter, changed alone, makes another key."""
    usual = _digest(version_of("1", *PARAMETERS))
    assert [name for name, changed in _variants() if _digest(version_of("1", *changed)) == usual] == []
    assert len(list(_variants())) >= 12


def test_each_parameter_is_in_the_key() -> None:
    check_each_parameter_is_in_the_key(answer_version)


@pytest.mark.parametrize(
    "forgetful",
    [
        lambda form, *_: form,
        lambda form, _, *others: answer_version(form, *others),
        lambda form, *parameters: answer_version(form, *parameters[:-1]),
    ],
)
def test_a_key_that_forgets_a_parameter_is_noticed(forgetful: Version) -> None:
    with pytest.raises(AssertionError):
        check_each_parameter_is_in_the_key(forgetful)


def test_the_same_parameters_and_another_form() -> None:
    assert answer_version("1", Ranking()) == answer_version("1", Ranking())
    assert answer_version("1", Ranking()) != answer_version("2", Ranking())


def test_an_answer_of_another_policy_is_not_found_in_the_shared_cache() -> None:
    shared, models = InMemorySharedCache(), FakeModels()
    pipeline = HaystackQueryPipeline(
        query_pipeline(filled_index(chunk("A lost key costs twelve euros.")), models)
    )

    def level(policy: AnswerPolicy) -> CacheLevel | None:
        time = FakeTime()
        cache = QueryCache(shared, InMemoryTenants(), monotonic=time.now)
        service = AnswerService(
            pipeline, models, cache, telemetry=RecordedTelemetry(), model="bge", policy=policy
        )
        return service.answer(SearchRequest(query="lost key"), ACME, time.deadline(30.0)).cache_level

    levels = [level(AnswerPolicy(threshold=0.5, max_pairs=pairs)) for pairs in (12, 12, 11)]

    assert levels == [None, CacheLevel.SHARED, None]


def test_the_parameters_are_those_that_are_used() -> None:
    fuser = query_pipeline(filled_index(), FakeModels()).get_component("fuser")
    fusion = Ranking().fusion

    assert (fuser.method, fuser.semantic_weight) == (fusion.method.value, fusion.semantic_weight)
    environments = (Path(__file__).parents[3] / "stacks" / "environments.py").read_text(encoding="utf-8")
    assert f'RERANK_MODEL = "{RERANKER}"\n' in environments


def test_the_examples_hold() -> None:
    assert doctest.testmod(ranking).failed == 0
