"""The reference of the API: one OpenAPI document, and a page that shows it."""

from dataclasses import dataclass

from haylift.routes import REFERENCE_ROUTES
from haylift.settings import HttpSettings

ROUTES = REFERENCE_ROUTES


@dataclass(frozen=True, kw_only=True)
class Settings(HttpSettings):
    """Settings of the reference function: what all functions know is enough."""
