"""Drills: real faults that make every alarm ring, and clear."""
