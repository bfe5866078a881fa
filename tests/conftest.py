"""What all tests of one run share, whichever of its processes they run in."""

import os
import shutil
import tempfile

import pytest

SHARED_FOLDER = "HAYLIFT_TEST_RUN_DIR"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """The first process makes the folder, those that it starts inherit its name, and it takes it away."""
    if SHARED_FOLDER in os.environ:
        return
    os.environ[SHARED_FOLDER] = folder = tempfile.mkdtemp(prefix="haylift-tests-")

    def remove() -> None:
        del os.environ[SHARED_FOLDER]
        shutil.rmtree(folder, ignore_errors=True)

    config.add_cleanup(remove)
