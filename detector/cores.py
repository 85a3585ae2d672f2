"""How many cores this process may use: what it is bound to, and what its container may take."""

from __future__ import annotations

import math
import os
from pathlib import Path

import cv2

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def usable_cores() -> int:
    """At least 1. A container's share of 1.5 cores counts as 2: more threads would only wait."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = cgroup_cores()
    return max(1, min(bound or 1, bound or 1 if quota is None else math.ceil(quota)))


def one_thread_each() -> None:
    """Let OpenCV work in the thread that calls it: cameras run side by side, one on each core.

    Its own pool would have as many threads again, for every operation of every worker.
    """
    cv2.setNumThreads(1)


def cgroup_cores(cgroups: Path = CGROUPS, own: Path = OWN_CGROUP) -> float | None:
    """Cores that control groups let this process use in the long run; ``None``: no limit is set.

    The tightest limit of the process's group and those above it counts; version 2, else version 1.
    """
    paths = _own_paths(own)
    limits = [_v2_cores(folder / "cpu.max") for folder in _upwards(cgroups, paths.get("", "/"))]
    folders = _upwards(cgroups / "cpu", paths.get("cpu", "/"))
    limits += [_v1_cores(folder) for folder in folders]
    return min((limit for limit in limits if limit is not None), default=None)


def _own_paths(own: Path) -> dict[str, str]:
    """The process's group by controller; that of version 2 has no name."""
    found: dict[str, str] = {}
    for line in _text(own).splitlines():
        _, controllers, path = line.split(":", 2)
        found |= dict.fromkeys(controllers.split(","), path)
    return found


def _upwards(root: Path, path: str) -> list[Path]:
    """The group's folder and all above it; inside a container only the root may be there."""
    folder = root / path.lstrip("/")
    return [folder, *(above for above in folder.parents if above.is_relative_to(root))]


def _v2_cores(file: Path) -> float | None:
    quota, _, period = _text(file).strip().partition(" ")
    return _share(quota, period)


def _v1_cores(folder: Path) -> float | None:
    return _share(
        _text(folder / "cpu.cfs_quota_us").strip(), _text(folder / "cpu.cfs_period_us").strip()
    )


def _share(quota: str, period: str) -> float | None:
    if not (quota.isdecimal() and period.isdecimal()):  # "max", -1, or no such file
        return None
    return int(quota) / int(period) if int(quota) and int(period) else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except OSError:
        return ""
