"""The emulator: ministack in this process, made to behave as AWS does where Haylift depends on it.

Every difference is one `Patch` (see `patching.py`) with a conformance test of its own.
"""
