"""How both functions are put together."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from haylift.domain.errors import IndexUnavailable
from haylift.settings import SettingsError, to_environment

from functions.dispatch import contract as dispatch_contract
from functions.dispatch import handler as dispatch_handler
from functions.ingestion import contract as ingestion_contract
from functions.ingestion import handler as ingestion_handler
from tests.contract.index.chunks import embedded
from tests.contract.ledger.tables import TENANTS, dynamodb

DISPATCH = dispatch_contract.Settings(
    stage="local",
    ledger_table="documents",
    tenants_table="tenants",
    upload_bucket="uploads",
    interactive_queue_url="http://127.0.0.1/interactive",
    backfill_queue_url="http://127.0.0.1/backfill",
)


def ingestion(index_store: str) -> ingestion_contract.Settings:
    return ingestion_contract.Settings(
        stage="dev",
        index_store=index_store,
        index_location="search.example.com",
        cache_endpoint="127.0.0.1:1",
        cache_tls=False,
        ledger_table="documents",
        tenants_table="tenants",
        upload_bucket="uploads",
        embed_endpoint="embed",
        embed_model="bge-small-en-v1.5",
    )


class Context:
    """The part of Lambda's context that functions read."""

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    dispatch_handler._entry.cache_clear()
    yield monkeypatch
    dispatch_handler._entry.cache_clear()


def test_an_index_that_is_not_there_yet_refuses_to_start() -> None:
    with pytest.raises(SettingsError, match="OpenSearch index is not part of this version"):
        ingestion_handler.build(ingestion("opensearch"))


def test_dispatch_starts_from_its_environment_alone(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in to_environment(DISPATCH).items():
        environment.setenv(name, text)
    foreign: dict[str, Any] = {"Records": [{"messageId": "1", "body": "no event"}]}

    answer = dispatch_handler.handler(foreign, Context())

    assert answer == {"batchItemFailures": []}
    assert '"object_events"' in capsys.readouterr().out


def test_a_missing_setting_is_named(environment: pytest.MonkeyPatch) -> None:
    for name in to_environment(DISPATCH):
        environment.delenv(name, raising=False)

    with pytest.raises(SettingsError, match="HAYLIFT_UPLOAD_BUCKET is missing"):
        dispatch_handler.handler({}, None)


def test_ingestion_counts_before_it_makes_an_index(
    environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = replace(ingestion("sqlite"), index_location=str(tmp_path / "index"), tenants_table=TENANTS)
    counted = {"tenant": {"S": "acme"}, "generation": {"S": "g1"}, "documents": {"N": "1"}}

    with dynamodb() as client:
        client.put_item(TableName=TENANTS, Item=counted)
        index = ingestion_handler.build(settings).parts.index
        with pytest.raises(IndexUnavailable):
            index.write("acme", "g1", [embedded("first")])
        index.write("other", "g1", [embedded("first")])

    assert [path.parent.name for path in tmp_path.rglob("*.sqlite3")] == ["other"]
    assert '"index_write_failures":[1' in capsys.readouterr().out.replace(" ", "")
