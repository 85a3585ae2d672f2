"""What one zone of one clip came to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One zone of one clip at one dwell threshold."""

    clip: str
    zone: str
    dwell_s: float
    expected: int
    found: int
    matched: int
    missed: int
    false_alarms: int
    delay_s: tuple[float, ...]
    """From the threshold to the incident."""
    start_error_s: tuple[float, ...] = ()
    """Of the time at which the incident says that it began."""
    once: int = 0
    """Expected incidents that came exactly once."""
    misnamed: int = 0
    """Of the matched ones, those whose order calls by another name what has happened."""
    kind: str = ""
    watched_s: float = 0.0
    """How long the clip was watched."""
    conditions: tuple[str, ...] = ()
