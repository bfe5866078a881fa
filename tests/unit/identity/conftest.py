"""The login service that the checks of logging in and of refreshing share."""

import pytest

from tests.unit.identity.login_world import World


@pytest.fixture
def world() -> World:
    return World()
