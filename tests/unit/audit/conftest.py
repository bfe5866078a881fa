"""What the code under test writes into the audit."""

import logging
from collections.abc import Iterator

import pytest

from tests.fakes.audit import Written


@pytest.fixture
def written() -> Iterator[Written]:
    """The records written during the test, oldest first."""
    written = Written()
    logger = logging.getLogger("haylift.audit")
    level = logger.level
    logger.addHandler(written)
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(written)
    logger.setLevel(level)
