"""What a camera last did, for whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.upkeep import FaultKind


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraStatus:
    """What a camera last did, for heartbeats and the watchdog."""

    looks: int = 0
    failures: int = 0
    last_look_at: datetime | None = None
    last_failure: str = ""
    snapshot_jpeg: bytes | None = None
    faults: tuple[FaultKind, ...] = ()
    """Confirmed faults of the camera."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stepped:
    """How a visit to a camera went."""

    looked: bool
    """False: there was no picture, or it was not asked for."""
    pause_s: float = 0.0
    """So long the camera is better left alone."""
