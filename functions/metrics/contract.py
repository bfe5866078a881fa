"""The metrics of the whole deployment, in Prometheus text."""

from dataclasses import dataclass

from haylift.routes import METRICS_ROUTES
from haylift.settings import HttpSettings

ROUTES = METRICS_ROUTES


@dataclass(frozen=True, kw_only=True)
class Settings(HttpSettings):
    """Settings of the metrics function: what all functions know is enough."""
