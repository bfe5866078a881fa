"""The entries of the functions: settings are checked, and starting connects nowhere."""

import asyncio
import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from haylift.settings import SettingsError

IDENTITY = {
    "stage": "local",
    "users_table": "users",
    "tokens_table": "tokens",
    "signing_key_ids": ("key-1",),
    "issuer": "https://haylift.test",
    "audience": "haylift",
}
SETTINGS: dict[str, dict[str, Any]] = {
    "auth": IDENTITY,
    "authorizer": IDENTITY,
    "audit": {"stage": "local", "audit_bucket": "audit", "audit_log_group": "/haylift/local/audit"},
    "documents": {
        "stage": "local",
        "ledger_table": "ledger",
        "tenants_table": "tenants",
        "receipts_table": "receipts",
        "upload_bucket": "uploads",
    },
}


@pytest.fixture(params=SETTINGS)
def function(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    # Whatever connects, fails here.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    # An HTTP entry leaves its thread an event loop, as Lambda wants it: here it is put away again.
    loop = asyncio.new_event_loop()
    monkeypatch.setattr(asyncio, "new_event_loop", lambda: loop)
    yield request.param
    asyncio.set_event_loop(None)
    loop.close()


def test_a_function_is_wired_without_a_request(function: str) -> None:
    handler = importlib.import_module(f"functions.{function}.handler")
    contract = importlib.import_module(f"functions.{function}.contract")

    assert handler.build(contract.Settings(**SETTINGS[function])) is not None


def test_a_function_without_its_settings_says_which(function: str) -> None:
    handler = importlib.import_module(f"functions.{function}.handler")

    with pytest.raises(SettingsError, match=r"HAYLIFT_STAGE is missing"):
        handler.handler({}, None)
