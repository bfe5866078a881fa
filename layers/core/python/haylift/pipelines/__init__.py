"""Haystack pipelines made of Haylift's components."""
