"""A busy model is waited for; whoever waits sends less, shows signs of life and ends with the deadline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from haylift.domain.chunks import Vector
from haylift.domain.errors import HayliftError, InvalidInput, ModelBusy, ModelUnavailable, OutOfTurn
from haylift.resilience import Deadline
from haylift.services.patience import CALL_TEXTS, CALL_TOKENS, PatientEmbedder, call_texts
from haylift.services.splitting import estimated_tokens
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.search import FakeModels, FakeTime, word_vector

BUSY = ModelBusy("full", retry_after_s=2.0)


@dataclass
class BusyModels(FakeModels):
    """A model that raises its faults in turn, then answers; takes `call_s` for each call."""

    time: FakeTime = field(default_factory=FakeTime)
    faults: list[HayliftError] = field(default_factory=list)
    call_s: float = 1.0
    sizes: list[int] = field(default_factory=list)

    def embed_documents(self, texts: Sequence[str], deadline: Deadline) -> list[Vector]:
        deadline.require()
        self.sizes.append(len(texts))
        self.time.seconds += self.call_s
        if self.faults:
            raise self.faults.pop(0)
        return super().embed_documents(texts, deadline)


@dataclass
class Setup:
    """A patient embedder before a busy model."""

    models: BusyModels
    waits: int = 0
    on_wait: Callable[[], None] = lambda: None
    kind: type[PatientEmbedder] = PatientEmbedder

    def embed(self, texts: Sequence[str], seconds: float = 100.0) -> list[Vector]:
        time = self.models.time
        patient = self.kind(
            self.models,
            time.deadline(seconds),
            on_wait=self._count,
            sleep=time.sleep,
            draw=lambda: 0.5,
        )
        vectors: list[Vector] = []
        while len(vectors) < len(texts):
            vectors += patient.embed_first(texts[len(vectors) :])
        return vectors

    def _count(self) -> None:
        self.waits += 1
        self.on_wait()


def setup(*faults: HayliftError) -> Setup:
    return Setup(BusyModels(faults=list(faults)))


TEXTS = [f"text {number}" for number in range(40)]


def every_text_gets_its_vector(made: Setup) -> None:
    assert made.embed(TEXTS) == [word_vector(text) for text in TEXTS]


def test_a_model_with_room_gets_calls_of_sixteen() -> None:
    made = setup()

    every_text_gets_its_vector(made)

    assert made.models.sizes == [16, 16, 8]
    assert made.waits == 0


def test_a_busy_model_is_waited_for_and_gets_less() -> None:
    made = setup(BUSY, BUSY)

    every_text_gets_its_vector(made)

    assert made.models.sizes == [16, 8, 4, 8, 16, 12]
    assert made.models.time.slept == [2.5, 2.5]
    assert made.waits == 2


def test_a_model_that_stays_busy_is_busy_when_the_time_is_over_and_not_before() -> None:
    made = setup(*[BUSY] * 100)

    with pytest.raises(ModelBusy):
        made.embed(TEXTS, seconds=60.0)

    assert made.models.sizes[:6] == [16, 8, 4, 2, 1, 1]
    assert 50.0 < made.models.time.seconds - 1_790_000_000.0 <= 60.0


def test_an_endpoint_that_asks_for_long_is_looked_at_again_before() -> None:
    made = setup(ModelBusy("full", retry_after_s=3_000.0))

    every_text_gets_its_vector(made)

    assert made.models.time.slept == [18.75]


def test_an_outage_is_not_waited_for() -> None:
    made = setup(ModelUnavailable("gone"))

    with pytest.raises(ModelUnavailable):
        made.embed(TEXTS)

    assert made.models.sizes == [16]
    assert made.models.time.slept == []


def test_a_superseded_document_is_not_waited_with() -> None:
    made = setup(BUSY)

    def superseded() -> None:
        raise OutOfTurn("replaced", superseded=True)

    made.on_wait = superseded

    with pytest.raises(OutOfTurn):
        made.embed(TEXTS)

    assert made.models.time.slept == []


def test_a_refused_text_is_named_by_its_position() -> None:
    made = setup(InvalidInput("too long", code="text_too_long", where="3"))

    with pytest.raises(InvalidInput) as refused:
        made.embed(TEXTS)

    assert (refused.value.code, refused.value.where) == ("text_too_long", "3")


class GivesUp(PatientEmbedder):
    """Takes a busy model for an outage."""

    def embed_first(self, texts: Sequence[str]) -> list[Vector]:
        return self._embedder.embed_documents(texts, self._deadline)


def test_an_embedder_that_gives_up_fails_the_same_check() -> None:
    made = setup(BUSY)
    made.kind = GivesUp

    with pytest.raises(ModelBusy):
        every_text_gets_its_vector(made)


@given(st.lists(st.text(alphabet="a 東.\n", max_size=3_000), min_size=1, max_size=40), st.integers(1, 16))
def test_a_call_is_bounded_in_texts_and_tokens(texts: list[str], most_texts: int) -> None:
    count = call_texts(texts, most_texts)

    tokens = [estimated_tokens(text) for text in texts[: count + 1]]
    assert 1 <= count <= min(most_texts, CALL_TEXTS, len(texts))
    assert count == 1 or sum(tokens[:count]) <= CALL_TOKENS
    assert count in {most_texts, len(texts)} or sum(tokens) > CALL_TOKENS
