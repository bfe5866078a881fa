"""Haylift: a serverless, event-driven deployment of Haystack on AWS."""

__version__ = "0.1.0"
