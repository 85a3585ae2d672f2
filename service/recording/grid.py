"""The steps that recorded numbers are rounded to.

Live rules are fed the rounded looks as well: so a recording holds exactly what they saw, and a
replay makes exactly their decisions, to the ids of incidents.
"""

from __future__ import annotations

from dataclasses import replace

from models.geometry import Box
from models.seeing import Look, Track
from models.times import from_us, to_us

__all__ = ["confidence_steps", "from_us", "rounded", "side_steps", "to_us"]

STEPS_A_PX = 8
"""Boxes are kept to an eighth of a pixel; detectors are not surer than one or two."""
CONFIDENCE_STEPS = 200
"""Confidence is kept to 0.005."""


def rounded(look: Look) -> Look:
    """The look as it is recorded; rounding it again changes nothing."""
    return replace(look, tracks=tuple(_rounded_track(track) for track in look.tracks))


def side_steps(side_px: float) -> int:
    """A coordinate as a whole number of steps."""
    return round(side_px * STEPS_A_PX)


def confidence_steps(confidence: float) -> int:
    """A confidence as a whole number of steps."""
    return round(confidence * CONFIDENCE_STEPS)


def _rounded_track(track: Track) -> Track:
    x1, y1, x2, y2 = (side_steps(side) / STEPS_A_PX for side in track.box.xyxy)
    confidence = confidence_steps(track.confidence) / CONFIDENCE_STEPS
    return replace(track, box=Box(x1, y1, x2, y2), confidence=confidence)
