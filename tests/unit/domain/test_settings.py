"""Settings survive the way through the environment, and faults are named at once."""

from dataclasses import dataclass

import pytest
from haylift.settings import CommonSettings, SettingsError, read_settings, to_environment, variable_name
from haylift.telemetry import SHAPES, Metric, checked_dimensions
from hypothesis import given
from hypothesis import strategies as st


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """Every kind of field."""

    table: str
    count: int
    ratio: float
    is_on: bool
    names: tuple[str, ...] = ()


NAMES = st.text(st.characters(codec="ascii", exclude_characters=",\0"), min_size=1, max_size=5)


@given(
    st.builds(
        Settings,
        stage=st.sampled_from(["local", "dev"]),
        table=st.text(max_size=9),
        count=st.integers(),
        ratio=st.floats(allow_nan=False),
        is_on=st.booleans(),
        names=st.tuples() | st.tuples(NAMES) | st.tuples(NAMES, NAMES),
    )
)
def test_settings_survive_the_round_trip(settings: Settings) -> None:
    assert read_settings(Settings, to_environment(settings)) == settings


def test_every_fault_is_named_at_once() -> None:
    environment = {
        "HAYLIFT_STAGE": "local",
        "HAYLIFT_COUNT": "many",
        "HAYLIFT_IS_ON": "1",
        "HAYLIFT_RATIO": "2",
    }

    with pytest.raises(SettingsError) as refusal:
        read_settings(Settings, environment)

    assert "HAYLIFT_TABLE is missing" in str(refusal.value)
    assert "HAYLIFT_COUNT is not a whole number" in str(refusal.value)
    assert "HAYLIFT_IS_ON is not true or false" in str(refusal.value)
    assert "HAYLIFT_RATIO" not in str(refusal.value)


def test_the_name_of_a_variable() -> None:
    assert variable_name("users_table") == "HAYLIFT_USERS_TABLE"


def test_every_metric_has_a_shape() -> None:
    assert set(SHAPES) == set(Metric)


@pytest.mark.parametrize("dimensions", [{}, {"level": "l1", "tenant": "acme"}, {"tenant": "acme"}])
def test_a_metric_takes_its_own_dimensions_only(dimensions: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="cache_lookups"):
        checked_dimensions(Metric.CACHE_LOOKUPS, dimensions)
