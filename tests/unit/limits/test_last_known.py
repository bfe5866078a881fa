"""Settings that are read again after a while, and outlive their store."""

from dataclasses import dataclass, field

from haylift.domain.errors import StoreUnavailable
from haylift.services.last_known import LastKnown

from tests.fakes.search import FakeTime


@dataclass
class Store:
    """Numbers by key; counts its reads."""

    numbers: dict[str, int] = field(default_factory=dict)
    is_down: bool = False
    reads: list[str] = field(default_factory=list)

    def read(self, key: str) -> int:
        self.reads.append(key)
        if self.is_down:
            raise StoreUnavailable("gone")
        return self.numbers.get(key, 0)


def known(store: Store, time: FakeTime) -> LastKnown[int]:
    return LastKnown(store.read, at_first=-1, kept_s=10.0, monotonic=time.now)


def test_a_value_is_read_again_after_its_time() -> None:
    store, time = Store({"a": 1}), FakeTime()
    values = known(store, time)

    seen = [values.get("a")]
    store.numbers["a"] = 2
    for wait_s in (9.9, 0.1):
        time.sleep(wait_s)
        seen.append(values.get("a"))

    assert seen == [1, 1, 2]


def test_keys_are_apart() -> None:
    store, time = Store({"a": 1, "b": 2}), FakeTime()
    values = known(store, time)

    assert [values.get(key) for key in ("a", "b", "a")] == [1, 2, 1]
    assert store.reads == ["a", "b"]


def test_a_store_that_is_down_changes_nothing_and_is_not_asked_each_time() -> None:
    store, time = Store({"a": 1}), FakeTime()
    values = known(store, time)
    values.get("a")
    store.is_down = True
    time.sleep(10.0)

    during = [values.get("a") for _ in range(3)]
    store.is_down, store.numbers["a"] = False, 3
    time.sleep(10.0)

    assert during == [1, 1, 1]
    assert values.get("a") == 3
    assert len(store.reads) == 3


def test_before_the_first_answer_there_is_a_value_too() -> None:
    assert known(Store(is_down=True), FakeTime()).get("a") == -1


def test_a_value_that_cannot_be_read_changes_nothing() -> None:
    def read(_: str) -> int:
        return int(written)

    time, written = FakeTime(), "7"
    values = LastKnown(read, at_first=-1, kept_s=10.0, monotonic=time.now)
    seen = [values.get()]
    written = "12.5"
    time.sleep(10.0)
    seen.append(values.get())

    assert seen == [7, 7]
