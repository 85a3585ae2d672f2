"""What this machine has for cameras, and what other programs take of it meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

from detector.cores import cgroup_cores, usable_cores
from service.sizing.estimate import Machine

PROC = Path("/proc")
CGROUP = Path("/sys/fs/cgroup")
_IDLE_FIELDS = (3, 4)
"""Of a line of ``/proc/stat``: idle, and waiting for a disk."""


def this_machine() -> Machine:
    """Cores that this process may use, and memory that is free for it."""
    quota = cgroup_cores()
    cores = float(usable_cores()) if quota is None else min(quota, float(usable_cores()))
    limits = (available_bytes(), cgroup_free_bytes())
    return Machine(cores=cores, memory_bytes=min(limit for limit in limits if limit is not None))


def resident_bytes(proc: Path = PROC) -> int:
    """Memory of this process."""
    pages = int((proc / "self" / "statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def available_bytes(proc: Path = PROC) -> float:
    """Memory that programs could still take, as the kernel reckons it."""
    for line in (proc / "meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return float(line.split()[1]) * 1024
    return float("inf")


def cgroup_free_bytes(folder: Path = CGROUP) -> float | None:
    """What a container may still take; ``None``: it has no limit."""
    try:
        limit = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = (folder / "memory.current").read_text(encoding="ascii").strip()
    except OSError:
        return None
    return float(limit) - float(used) if limit.isdecimal() and used.isdecimal() else None


def busy_s(proc: Path = PROC) -> float:
    """Time that the cores of this process were at work so far, for whomever; CPU-seconds."""
    ticks = 0
    for line in (proc / "stat").read_text(encoding="ascii").splitlines():
        name, *fields = line.split()
        if name[:3] == "cpu" and name[3:].isdecimal() and int(name[3:]) in os.sched_getaffinity(0):
            values = list(map(int, fields[:8]))
            ticks += sum(values) - sum(values[index] for index in _IDLE_FIELDS)
    return ticks / os.sysconf("SC_CLK_TCK")
