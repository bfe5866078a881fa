"""Every stage synthesises, twice the same, without network; wrong contexts are told what to give."""

import shutil
import zipfile
from pathlib import Path

import pytest

from tests.infra.assembly import STAGES, synthesise, synthesised_again, validated

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

STACKS = {
    "local": {"storage", "audit", "search-api", "ingestion", "announcements", "monitoring"},
    "dev": {
        "network", "storage", "audit", "index", "cache", "model-endpoint", "search-api", "ingestion",
        "announcements", "monitoring",
    },
}  # fmt: skip
STACKS["prod"] = STACKS["dev"]
OUTPUTS = {
    "RestApiId", "ApiStageName", "ApiUrl", "UploadBucketName", "UsersTableName", "TokensTableName",
    "LedgerTableName", "TenantsTableName", "OnCallInboxUrl", "PageTopicArn", "TicketTopicArn", "SigningKeyId",
    "FeedbackTableName", "AuditBucketName", "AuditDeadQueueUrl", "AuditLogGroupName", "DashboardName",
    "EmbedEndpointName", "InteractiveQueueUrl", "BackfillQueueUrl", "IntakeQueueUrl",
    "IntakeBulkQueueUrl",
}  # fmt: skip


def differences(first: Path, second: Path) -> list[str]:
    """Templates and asset lists of two assemblies that are not equal byte for byte."""
    names = {
        path.name
        for folder in (first, second)
        for pattern in ("*.template.json", "*.assets.json")
        for path in folder.glob(pattern)
    }
    return [name for name in sorted(names) if _bytes(first / name) != _bytes(second / name)]


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_has_its_stacks(stage: str) -> None:
    synthesis = validated()[stage]

    assert synthesis.exit_status == 0, synthesis.output
    assert set(synthesis.templates) == STACKS[stage]


@pytest.mark.parametrize("stage", STAGES)
def test_the_outputs_have_the_keys_that_tools_read(stage: str) -> None:
    keys = [key for template in validated()[stage].templates.values() for key in template.get("Outputs", {})]

    own = [key for key in keys if not key.startswith("ExportsOutput")]

    assert sorted(own) == sorted(OUTPUTS)


@pytest.mark.parametrize("stage", STAGES)
def test_a_second_synth_is_offline_and_equal(stage: str) -> None:
    first, second = validated()[stage], synthesised_again()[stage]

    assert second.exit_status == 0, second.output
    assert differences(first.folder, second.folder) == []


def test_one_changed_hash_would_be_seen(tmp_path: Path) -> None:
    original = validated()["local"].folder
    for path in original.glob("*.json"):
        shutil.copy(path, tmp_path)
    target = tmp_path / "haylift-local-storage.assets.json"
    target.write_text(target.read_text().replace("a", "b", 1))

    assert differences(original, tmp_path) == ["haylift-local-storage.assets.json"]


def test_equal_bytes_hold_compiled_modules() -> None:
    archives = list(validated()["local"].folder.glob("asset.*.zip"))

    compiled = [any(name.endswith(".pyc") for name in zipfile.ZipFile(path).namelist()) for path in archives]

    # The fifth layer holds the page of the reference, which has no Python.
    assert sorted(compiled) == [False, True, True, True, True]


def test_a_wrong_context_ends_without_a_traceback() -> None:
    synthesis = synthesise({"stage": "test"})

    assert synthesis.exit_status == 1
    assert "cdk: give the stage: -c stage=local|dev|prod (got 'test')" in synthesis.output
    assert "Traceback" not in synthesis.output
