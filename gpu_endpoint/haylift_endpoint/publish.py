"""`python -m haylift_endpoint.publish`: rewrites the two files that other projects read."""

import json
from collections.abc import Mapping
from pathlib import Path

from haylift_endpoint.http.openapi import openapi
from haylift_endpoint.settings import settings_schema

PROJECT = Path(__file__).resolve().parent.parent


def published() -> Mapping[str, str]:
    """The text of each published file, by its name."""
    content_by_name = {"openapi.json": openapi(), "settings.schema.json": settings_schema()}
    return {name: json.dumps(content, indent=2) + "\n" for name, content in content_by_name.items()}


if __name__ == "__main__":
    for name, text in published().items():
        (PROJECT / name).write_text(text, encoding="utf-8")
