"""What processes cost, as the kernel counts it."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1_024


@dataclass(frozen=True)
class Spent:
    """Seconds of the processor, user and system: of this process, and of its children and theirs.

    The children's are counted in ticks of 10 ms, this process's own in nanoseconds.
    """

    own_s: float
    children_s: float

    @classmethod
    def now(cls) -> "Spent":
        """Since the processes began."""
        ticks = sum(_ticks(child) for child in children())
        return cls(own_s=time.process_time(), children_s=ticks / TICKS_PER_S)

    def since(self, earlier: "Spent") -> "Spent":
        """The difference."""
        return Spent(self.own_s - earlier.own_s, self.children_s - earlier.children_s)

    @property
    def total_s(self) -> float:
        """Both."""
        return self.own_s + self.children_s


def children() -> list[str]:
    """Numbers of this process's children that live."""
    listed = Path("/proc/self/task").glob("*/children")
    return [number for tasks in listed for number in tasks.read_text().split()]


def resident_kib() -> int:
    """Of this process and its children; pages that they share count for each."""
    return sum(
        int(Path(f"/proc/{number}/statm").read_text().split()[1]) * PAGE_KIB
        for number in ("self", *children())
    )


def _ticks(process_id: str) -> int:
    """Of a process, with all that it has waited for."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))
