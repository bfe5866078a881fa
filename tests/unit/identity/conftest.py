"""The login service that the checks of logging in and of refreshing share."""

import pytest

from functions.auth.app import create_app
from tests.fakes.gateway import Gateway, RecordedTelemetry
from tests.fakes.identity import SoftwareKms
from tests.unit.identity.auth_world import services
from tests.unit.identity.login_world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def kms() -> SoftwareKms:
    kms = SoftwareKms()
    kms.create("key-1")
    return kms


@pytest.fixture
def gateway(kms: SoftwareKms) -> Gateway:
    return Gateway(create_app(services(kms, RecordedTelemetry())))
