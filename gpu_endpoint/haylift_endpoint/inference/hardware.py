"""What this machine offers, and the limits of a batch that fit it."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import onnxruntime

from haylift_endpoint.errors import StartupError
from haylift_endpoint.settings import Settings

Device = Literal["cpu", "cuda"]

_CGROUP_CPU = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What one model run may hold.

    `max_padding_tokens` bounds the padding that one more text adds. On CPU a run costs 2.3 ms + 0.246 ms per
    padded token (bge-small, one thread), so a companion is worth about 9 tokens of padding and no more.
    """

    max_items: int
    max_tokens: int
    max_padding_tokens: int


_LIMITS: dict[Device, BatchLimits] = {
    # A text's cost is the same in runs of 1 to 8 here (83-90 ms of CPU for 192 tokens), so short runs lose
    # nothing and let a query in sooner: 512 tokens are 0.13 s of an idle core, 0.25 s of a busy one.
    "cpu": BatchLimits(max_items=8, max_tokens=512, max_padding_tokens=16),
    # Not measured: no GPU was at hand. Large runs are what feeds one.
    "cuda": BatchLimits(max_items=64, max_tokens=32_768, max_padding_tokens=512),
}


def choose_device(wanted: Literal["auto", "cpu", "cuda"]) -> Device:
    """The device of the models: CUDA where ONNX Runtime offers it and the settings allow it.

    Raises:
        StartupError: CUDA is demanded and not there.
    """
    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if wanted == "cuda" and not has_cuda:
        raise StartupError("device cuda is demanded, but this ONNX Runtime has no CUDA provider (gpu.txt?)")
    return "cuda" if has_cuda and wanted != "cpu" else "cpu"


def batch_limits(settings: Settings, device: Device) -> BatchLimits:
    """The limits of the settings, with the device's own figures where a setting is absent."""
    default = _LIMITS[device]
    return BatchLimits(
        max_items=1 if settings.exact else settings.max_batch_size or default.max_items,
        max_tokens=settings.max_batch_tokens or default.max_tokens,
        max_padding_tokens=(
            default.max_padding_tokens if settings.max_padding_tokens is None else settings.max_padding_tokens
        ),
    )


def usable_cores(cgroup_cpu: Path = _CGROUP_CPU) -> int:
    """Cores this process may use, at least 1: its affinity, and its container's quota (cgroup v2) if less."""
    cores = os.process_cpu_count() or 1
    try:
        quota, period = cgroup_cpu.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, math.ceil(int(quota) / int(period))))
