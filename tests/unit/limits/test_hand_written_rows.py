"""Rows of the tenants' table that a person wrote: whatever stands there, searches go on."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from haylift.adapters.dynamodb_flags import DynamoDbFlags
from haylift.adapters.dynamodb_tenants import DynamoDbTenants
from haylift.domain.documents import Epoch
from haylift.domain.flags import Flags
from hypothesis import given
from hypothesis import strategies as st

type Row = Mapping[str, Mapping[str, Any]]
type Reader = Callable[[Row], None]

NUMBERS = st.one_of(
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.sampled_from(["1.5", "-5", "1e30", "1E+125", "-1E-130", "12.5", "NaN", "Infinity", "0", "-0", ""]),
)
VALUES = st.one_of(
    NUMBERS.map(lambda number: {"N": number}),
    st.text(max_size=8).map(lambda words: {"S": words}),
    st.booleans().map(lambda value: {"BOOL": value}),
    st.sampled_from([{"NULL": True}, {"L": []}, {"M": {}}, {"SS": ["10"]}, {"NS": ["10"]}, {"B": b"10"}]),
)
NAMES = ("keyword_only", "shed_percent", "searches_per_minute", "documents", "generation", "content_version")
ROWS = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, VALUES))


class OneRow:
    """A client of DynamoDB whose table has one row."""

    def __init__(self, row: Row) -> None:
        self._item = {"tenant": {"S": "acme"}, **row}

    def get_item(self, **_: Any) -> dict[str, Any]:
        """The row, whatever the key."""
        return {"Item": self._item}

    def scan(self, **_: Any) -> dict[str, Any]:
        """The row."""
        return {"Items": [self._item]}


def check_readable(row: Row, flags: type[DynamoDbFlags], tenants: type[DynamoDbTenants]) -> None:
    """Every reader gives a value within its bounds."""
    own = tenants("tenants", OneRow(row))

    shed = flags("tenants", OneRow(row)).read().shed_percent
    limit, epoch, counts = own.searches_per_minute("acme"), own.epoch("acme"), own.counts()

    assert 0 <= shed <= 100
    assert limit is None or 0 <= limit <= 100_000
    assert epoch.generation
    assert epoch.content_version >= 0
    assert all(count.documents >= 0 for count in counts)
    assert len(counts) == ("documents" in row)
    assert (own.count("acme") is not None) == ("documents" in row)


@given(row=ROWS)
def test_no_row_that_a_person_wrote_ends_a_search(row: Row) -> None:
    check_readable(row, DynamoDbFlags, DynamoDbTenants)


class TrustingFlags(DynamoDbFlags):
    """Takes the share as a whole number."""

    def read(self) -> Flags:
        """The flags, where nobody has made a slip."""
        return Flags(shed_percent=min(100, max(0, int(self._client.get_item()["Item"]["shed_percent"]["N"]))))


class TrustingTenants(DynamoDbTenants):
    """Takes the limit as it stands."""

    def searches_per_minute(self, tenant: str) -> int | None:
        """The limit, where nobody has made a slip."""
        own = self._client.get_item()["Item"].get("searches_per_minute")
        return int(own["N"]) if own else None


@pytest.mark.parametrize(
    ("row", "flags", "tenants"),
    [
        ({"shed_percent": {"N": "12.5"}}, TrustingFlags, DynamoDbTenants),
        ({"searches_per_minute": {"N": "1.5"}}, DynamoDbFlags, TrustingTenants),
        ({"searches_per_minute": {"S": "10"}}, DynamoDbFlags, TrustingTenants),
        ({"searches_per_minute": {"NULL": True}}, DynamoDbFlags, TrustingTenants),
        ({"searches_per_minute": {"N": "-5"}}, DynamoDbFlags, TrustingTenants),
    ],
)
def test_the_check_finds_a_reader_that_trusts(
    row: Row, flags: type[DynamoDbFlags], tenants: type[DynamoDbTenants]
) -> None:
    check_readable(row, DynamoDbFlags, DynamoDbTenants)
    with pytest.raises((AssertionError, ValueError, KeyError)):
        check_readable(row, flags, tenants)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"N": "600"}, 600),
        ({"N": "6E+2"}, 600),
        ({"N": "0"}, 0),
        ({"N": "1E+30"}, 100_000),
        ({"N": "1.5"}, None),
        ({"N": "-5"}, None),
        ({"S": "10"}, None),
        ({"NULL": True}, None),
    ],
)
def test_a_limit_is_read_or_is_the_stages(written: Mapping[str, Any], read: int | None) -> None:
    tenants = DynamoDbTenants("tenants", OneRow({"searches_per_minute": written}))

    assert tenants.searches_per_minute("acme") == read


def test_a_content_version_with_decimals_still_goes_on() -> None:
    versions = [
        DynamoDbTenants("tenants", OneRow({"content_version": {"N": text}})).epoch("acme")
        for text in ("1.5", "2.5")
    ]

    assert versions == [Epoch(generation="g1", content_version=version) for version in (1, 2)]


def test_what_cannot_be_read_is_told_once_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    DynamoDbFlags("tenants", OneRow({"shed_percent": {"N": "12.5"}, "keyword_only": {"BOOL": True}})).read()
    DynamoDbFlags("tenants", OneRow({"shed_percent": {"N": "12"}})).read()

    assert [record.__dict__["attribute"] for record in caplog.records] == ["shed_percent"]
