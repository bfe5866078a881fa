"""Each patch of the emulator makes one thing as AWS does it, and is what makes it so."""

import pytest

from tests.integration.local.checks import CHECKS_OF_SERVICES
from tests.integration.local.checks_locks import CHECKS_OF_LOCKS
from tests.integration.local.checks_logs import CHECKS_OF_LOGS, async_destination
from tests.integration.local.checks_monitoring import CHECKS_OF_MONITORING
from tests.integration.local.checks_streams import iterator_age
from tests.integration.local.running_emulator import RunningEmulator

CHECKS = {**CHECKS_OF_SERVICES, **CHECKS_OF_MONITORING, **CHECKS_OF_LOGS, **CHECKS_OF_LOCKS}


@pytest.mark.parametrize("patch", CHECKS)
def test_behaves_as_aws_does(system: RunningEmulator, patch: str) -> None:
    CHECKS[patch](system)


@pytest.mark.parametrize("patch", CHECKS)
def test_check_fails_without_its_patch(system: RunningEmulator, patch: str) -> None:
    with system.without(patch), pytest.raises((AssertionError, KeyError)):
        CHECKS[patch](system)


def test_an_event_of_an_alias_that_is_lost_would_be_seen(system: RunningEmulator) -> None:
    with system.without("lambda-async"), pytest.raises(AssertionError):
        async_destination(system)


def test_a_batch_of_a_stream_tells_its_age(system: RunningEmulator) -> None:
    iterator_age(system)


def test_an_age_that_is_not_told_would_be_seen(system: RunningEmulator) -> None:
    with system.without("lambda-metrics"), pytest.raises(AssertionError, match="no IteratorAge"):
        iterator_age(system)


def test_every_patch_has_a_check(emulator: RunningEmulator) -> None:
    assert emulator.patches() == set(CHECKS)
