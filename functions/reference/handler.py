"""Lambda entry of the reference function."""

import os
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from haylift.adapters.lambda_telemetry import EmfTelemetry, configure_logging
from haylift.http import lambda_entry
from haylift.settings import read_settings

from functions.reference.app import create_app
from functions.reference.contract import Settings
from functions.reference.pages import read_pages

SWAGGER_PACKAGE = "swagger_ui_dist"
"""How the layer `pages` calls the folder of Swagger UI's files."""


def build(settings: Settings) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The function with its files."""
    configure_logging("reference", settings.log_level)
    pages = read_pages(files("functions.reference"), files(SWAGGER_PACKAGE))
    return lambda_entry(create_app(pages, EmfTelemetry(), settings))


@cache
def _entry() -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    return build(read_settings(Settings, os.environ))


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answers one request of API Gateway."""
    return _entry()(event, context)
