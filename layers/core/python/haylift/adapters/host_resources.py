"""What of the machine under this process is in use, from Linux's `/proc`."""

import shutil
from pathlib import Path

PROC = Path("/proc")
WRITABLE = Path("/tmp")  # noqa: S108  # the one folder that a Lambda function can fill


class HostResources:
    """Percent in use of CPU, memory and disk.

    CPU is the share since the call before (since the machine's start at first), as a process knows it.
    """

    def __init__(self, proc: Path = PROC, writable: Path = WRITABLE) -> None:
        self._proc = proc
        self._writable = writable
        self._cpu_before = (0.0, 0.0)

    def used_percent(self) -> dict[str, float]:
        """`cpu`, `memory` and `disk`, 0 to 100; what cannot be read is left out."""
        used: dict[str, float] = {}
        try:
            used["cpu"] = self._cpu_percent()
            used["memory"] = self._memory_percent()
            disk = shutil.disk_usage(self._writable)
            used["disk"] = round(100 * disk.used / disk.total, 1)
        except (OSError, ValueError, KeyError, ZeroDivisionError):
            return used
        return used

    def _cpu_percent(self) -> float:
        first_line = (self._proc / "stat").read_text().splitlines()[0]
        ticks = [float(number) for number in first_line.split()[1:9]]
        idle, total = ticks[3] + ticks[4], sum(ticks)
        idle_before, total_before = self._cpu_before
        self._cpu_before = (idle, total)
        passed = total - total_before
        return round(100 * (1 - (idle - idle_before) / passed), 1) if passed > 0 else 0.0

    def _memory_percent(self) -> float:
        lines = (self._proc / "meminfo").read_text().splitlines()
        kilobytes_by_name = {
            name: float(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)
        }
        return round(100 * (1 - kilobytes_by_name["MemAvailable"] / kilobytes_by_name["MemTotal"]), 1)
