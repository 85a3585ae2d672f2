"""How long a picture takes, and on what machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from detector.training.scenes import Timing

_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """Times of one picture, in milliseconds, from pixels to boxes."""

    pictures: int
    median_ms: float
    p95_ms: float
    median_process_cpu_ms: float
    """Of all threads together: what one look costs the machine."""
    machine: str

    def as_json(self) -> dict[str, Any]:
        """The times as they are written for other programs."""
        return {
            name: round(value, 2) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def latency(timings: Sequence[Timing]) -> Latency | None:
    """Summary of timings; None without any."""
    if not timings:
        return None
    wall = [timing.wall_ms for timing in timings]
    return Latency(
        pictures=len(timings),
        median_ms=float(np.median(wall)),
        p95_ms=float(np.percentile(wall, 95)),
        median_process_cpu_ms=float(np.median([t.process_cpu_ms for t in timings])),
        machine=machine(),
    )


def machine() -> str:
    """Processor, usable cores and system of this machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} cores, {platform.system()} {platform.machine()}"


def _processor() -> str:
    try:
        lines = _CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"
