"""The filter syntax: what is read, and what is refused with its place."""

from contextlib import suppress

import pytest
from haylift.domain.errors import InvalidInput
from haylift.domain.filters import Comparator, Comparison, Connective, Group, parse_filter, utc_date
from hypothesis import given
from hypothesis import strategies as st


def test_a_nested_filter_is_read() -> None:
    raw = {
        "operator": "AND",
        "conditions": [
            {"field": "meta.year", "operator": ">=", "value": 2020},
            {"operator": "NOT", "conditions": [{"field": "title", "operator": "in", "value": ["a", "b"]}]},
        ],
    }

    assert parse_filter(raw) == Group(
        Connective.AND,
        (
            Comparison("meta.year", Comparator.GREATER_OR_EQUAL, 2020),
            Group(Connective.NOT, (Comparison("title", Comparator.IN, ("a", "b")),)),
        ),
    )


@pytest.mark.parametrize("raw", [None, {}])
def test_no_filter(raw: object) -> None:
    assert parse_filter(raw) is None


@pytest.mark.parametrize("name", ["document_id", "key", "title", "page", "text", "meta.year", "meta.a-b_C1"])
def test_a_known_field_and_a_meta_field_keep_their_names(name: str) -> None:
    assert parse_filter({"field": name, "operator": "==", "value": 1}) == Comparison(
        name, Comparator.EQUAL, 1
    )


@pytest.mark.parametrize(
    "name",
    [
        "year",
        "tenant",
        "kye",
        "access_groups",
        "Key",
        "meta",
        "meta.",
        "meta.-",
        "meta.a.b",
        "meta.ä",
        "metayear",
    ],
)
def test_any_other_field_is_refused_and_the_fields_are_named(name: str) -> None:
    with pytest.raises(
        InvalidInput, match=r"document_id, key, page, text, title and meta\.<name>"
    ) as refusal:
        parse_filter({"field": name, "operator": "==", "value": 1})

    assert (refusal.value.code, refusal.value.where) == ("invalid_filter", "filters.field")


LEAF = {"field": "meta.a", "operator": "==", "value": 1}


def nested(depth: int) -> dict[str, object]:
    """A filter of `depth` levels."""
    return LEAF if depth == 1 else {"operator": "AND", "conditions": [nested(depth - 1)]}


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ("all", "filters"),
        ([], "filters"),
        ({"operator": "XOR", "conditions": []}, "filters.operator"),
        ({"operator": "AND", "conditions": {}}, "filters"),
        ({"operator": "AND", "conditions": [LEAF, 5]}, "filters.conditions[1]"),
        ({"operator": "AND", "conditions": [], "field": "a"}, "filters"),
        ({"field": "meta.a", "operator": "=="}, "filters"),
        ({"field": 5, "operator": "==", "value": 1}, "filters.field"),
        ({"field": "a b", "operator": "==", "value": 1}, "filters.field"),
        ({"field": "", "operator": "==", "value": 1}, "filters.field"),
        ({"field": "meta." + "x" * 65, "operator": "==", "value": 1}, "filters.field"),
        ({"field": "meta.a", "operator": "like", "value": 1}, "filters.operator"),
        ({"field": "meta.a", "operator": {}, "value": 1}, "filters.operator"),
        ({"field": "meta.a", "operator": "==", "value": {}}, "filters.value"),
        ({"field": "meta.a", "operator": "==", "value": "x" * 1_001}, "filters.value"),
        ({"field": "meta.a", "operator": ">", "value": True}, "filters.value"),
        ({"field": "meta.a", "operator": ">", "value": "tomorrow"}, "filters.value"),
        ({"field": "meta.a", "operator": ">", "value": None}, "filters.value"),
        ({"field": "meta.a", "operator": "in", "value": "abc"}, "filters.value"),
        ({"field": "meta.a", "operator": "in", "value": [1] * 201}, "filters.value"),
        ({"field": "meta.a", "operator": "in", "value": [1, None]}, "filters.value[1]"),
        ({"field": "meta.a", "operator": "==", "value": 2**70}, "filters.value"),
        ({"operator": "AND", "conditions": [LEAF] * 100}, "filters.conditions[99]"),
    ],
)
def test_a_wrong_filter_names_its_place(raw: object, where: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_filter(raw)

    assert (refusal.value.code, refusal.value.where) == ("invalid_filter", where)


def test_depth_is_bounded() -> None:
    assert parse_filter(nested(8)) is not None
    with pytest.raises(InvalidInput):
        parse_filter(nested(9))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["field", "operator", "value", "conditions", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_anything_else_is_an_answer_and_never_a_crash(raw: object) -> None:
    with suppress(InvalidInput):
        parse_filter(raw)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-01", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z"),
    ],
)
def test_dates_are_compared_in_utc(text: str, utc: str) -> None:
    assert utc_date(text) == utc
