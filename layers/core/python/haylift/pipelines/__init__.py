"""Haystack pipelines made of Haylift's components."""

import os

# Importing haystack writes a telemetry id under HOME, which a Lambda function cannot, and fails.
os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")
