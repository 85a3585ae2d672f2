"""What a program that watches cameras reports of itself: when it looked at which, and at what cost.

Each carrier is a process of its own: it reads ``{"urls", "seconds", "warm_up_s", "dispatch_url"}``
from standard input and writes a :class:`Carried` as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

ZONE = [[428, 539], [876, 214], [762, 187], [202, 473], [199, 539]]
FAR_ZONE = [[0, 477], [811, 128], [735, 114], [0, 367]]
"""In pixels of 960 x 540; in the first a car parks, in the other traffic only passes."""
EACH_NTH = 10
"""Every tenth camera watches where the car parks: incidents are rare, and films of them too."""
DWELL_S = 8.0


@dataclass(frozen=True, kw_only=True)
class Carried:
    """How a run went."""

    cameras: int
    worst_gap_s: float
    """Longest time between two looks at one camera, after the warm-up."""
    worst_age_s: float
    """How far behind the street the carrier was at worst, at the end: a decoder that cannot keep up
    still looks once a second, at ever older pictures."""
    looks_per_s: float
    """Of all cameras, while it was measured."""
    cpu_s_per_s: float
    memory_mb: float
    incidents: int
    expected: int
    """Cameras in whose zone the car parks."""


class Looks:
    """Times of looks at each camera, on the monotonic clock."""

    def __init__(self, cameras: int) -> None:
        self._times: list[list[float]] = [[] for _ in range(cameras)]
        self._ages = [0.0] * cameras

    def add(self, camera: int, age_s: float) -> None:
        """A look at a picture that was taken so long ago."""
        self._times[camera].append(time.monotonic())
        self._ages[camera] = age_s

    @property
    def worst_age_s(self) -> float:
        """Of the latest look at each camera."""
        return max(self._ages)

    def measured(self, begin: float, end: float) -> tuple[float, int]:
        """Worst gap in seconds, and the number of looks, between two times."""
        inside = [[at for at in times if begin <= at <= end] for times in self._times]
        gaps = [
            later - earlier
            for times in inside
            for earlier, later in zip([begin, *times], [*times, end], strict=True)
        ]
        return max(gaps), sum(map(len, inside))


def order() -> dict[str, Any]:
    """What to do, from standard input."""
    wanted: dict[str, Any] = json.loads(sys.stdin.readline())
    return wanted


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(wanted: dict[str, Any], looks: Looks, incidents: Any) -> None:
    """Let the carrier work, then tell; ``incidents()`` counts cameras that had one."""
    time.sleep(wanted["warm_up_s"])
    begin, used = time.monotonic(), cpu_s()
    time.sleep(wanted["seconds"])
    end, used = time.monotonic(), cpu_s() - used
    gap, count = looks.measured(begin, end)
    cameras = len(wanted["urls"])
    carried = Carried(
        cameras=cameras,
        worst_gap_s=round(gap, 2),
        worst_age_s=round(looks.worst_age_s, 2),
        looks_per_s=round(count / (end - begin), 2),
        cpu_s_per_s=round(used / (end - begin), 3),
        memory_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        incidents=incidents(),
        expected=-(-cameras // EACH_NTH),
    )
    sys.stdout.write(json.dumps(asdict(carried)) + "\n")
    sys.stdout.flush()
