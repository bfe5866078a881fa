"""Every file can be read in one go, and its name says what is inside."""

from pathlib import Path

import pytest

from tests.contract.layout.import_rules import ROOT
from tests.contract.layout.sizes import badly_sized_or_named, tracked_files


def test_all_files_are_short_and_named_for_what_they_hold() -> None:
    files = tracked_files(ROOT)

    # A list without these would prove nothing.
    assert {Path("app.py"), Path("gpu_endpoint/haylift_endpoint/server.py"), Path("README.md")} <= set(files)
    assert badly_sized_or_named(ROOT, files) == set()


@pytest.mark.parametrize(
    ("name", "lines", "faults"),
    [
        ("functions/search/app.py", 300, set()),
        ("functions/search/app.py", 301, {"functions/search/app.py: 301 lines"}),
        ("gpu_endpoint/server.py", 301, {"gpu_endpoint/server.py: 301 lines"}),
        ("docs/guide.md", 301, set()),
        ("functions/database/app.py", 1, set()),
        ("functions/search/utils.py", 1, {"functions/search/utils.py: empty name"}),
        ("tests/test_helpers.py", 1, {"tests/test_helpers.py: empty name"}),
        ("layers/common/python/errors.py", 1, {"layers/common/python/errors.py: empty name"}),
        ("stacks/Base.py", 1, {"stacks/Base.py: empty name"}),
        ("ops/queue_manager.sh", 1, {"ops/queue_manager.sh: empty name"}),
        ("base/common.py", 302, {"base/common.py: empty name", "base/common.py: 302 lines"}),
    ],
)
def test_a_file_too_long_or_badly_named_is_found(
    name: str, lines: int, faults: set[str], tmp_path: Path
) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True)
    file.write_text("x = 1\n" * lines)

    assert badly_sized_or_named(tmp_path, [Path(name)]) == faults
