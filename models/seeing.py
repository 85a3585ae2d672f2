"""What a camera saw: a frame, the boxes found in it, and the tracks they belong to.

Time is data. ``captured_at`` is when the picture was taken and the only clock that rules know.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from models.geometry import Box, Point

Image = NDArray[np.uint8]
"""BGR picture, shape (height, width, 3), dtype uint8."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Frame:
    """One picture of one camera, with its time."""

    camera_id: str
    sequence: int
    """Counts the pictures taken from this source, from 0; gaps are frames that were dropped."""
    image: Image
    captured_at: datetime
    """Wall-clock time of capture, timezone-aware."""
    stream_s: float
    """Seconds since the stream began, by the stream's own clock where it has one."""

    @property
    def width_px(self) -> int:
        """Width of the picture."""
        return int(self.image.shape[1])

    @property
    def height_px(self) -> int:
        """Height of the picture."""
        return int(self.image.shape[0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Detection:
    """One box in one frame."""

    label: str
    confidence: float
    box: Box


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """One physical object as known at one look.

    ``stationary_since`` is the capture time since when the object has stood still (moved less than
    a small share of its own size), ``None`` while it moves. It is kept through short occlusion and
    missed detections, and starts anew when another object takes the place.
    """

    track_id: int
    """Unique within a camera as long as its tracker lives; not over restarts."""
    label: str
    confidence: float
    box: Box
    first_seen: datetime
    last_seen: datetime
    """Last look at which it was really seen; earlier than the look while it is hidden.

    Seen is what the detector boxed, or, for something it boxes often, that the pixels at its place
    have not changed for a few seconds since.
    """
    stationary_since: datetime | None = None

    @property
    def anchor(self) -> Point:
        """Ground contact: bottom centre of the box."""
        return self.box.anchor


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One analysed frame: all that rules may know of it.

    A look that could not be taken is no look at all, never one with empty ``tracks``.
    """

    camera_id: str
    at: datetime
    """Capture time of the frame."""
    width_px: int
    height_px: int
    tracks: tuple[Track, ...]
