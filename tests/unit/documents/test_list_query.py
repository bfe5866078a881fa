"""What the list of documents may be asked."""

import pytest
from pydantic import ValidationError

from functions.documents.requests import ListQuery


@pytest.mark.parametrize(
    "said", ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00", "2026-01-31t12:00:00z"]
)
def test_changed_since_is_a_date_time_with_its_zone(said: str) -> None:
    assert ListQuery.model_validate({"changed_since": said}).filter.changed_since == 1_769_860_800


@pytest.mark.parametrize(
    "said", ["12", "0", "1769860800", "-1.5", "2026-01-31", "2026-01-31T12:00:00", "T", ""]
)
def test_anything_else_is_refused(said: str) -> None:
    with pytest.raises(ValidationError):
        ListQuery.model_validate({"changed_since": said})
