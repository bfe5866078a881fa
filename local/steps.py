"""Progress of a command: each step with its time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print the title, then how long the block took; a failed block is said to have failed."""
    started = time.monotonic()
    print(f"local   {title} ...", flush=True)
    try:
        yield
    except BaseException:
        print(f"local   {title}: failed after {time.monotonic() - started:.1f} s", flush=True)
        raise
    print(f"local   {title}: {time.monotonic() - started:.1f} s", flush=True)


def kept(what: str) -> None:
    """Say what a command has found done already, and skips."""
    print(f"local   {what}: kept", flush=True)
