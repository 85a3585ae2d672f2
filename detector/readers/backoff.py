"""How long to wait before a source is opened again."""

from __future__ import annotations

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STEADY_S = 10.0
"""A source that gave pictures for so long counts as healthy: the next failure starts anew."""
START_STAGGER_S = 1.0
"""Cameras are first opened spread over this time: many at the same moment fail."""


def retry_delay_s(failures: int, chance: float) -> float:
    """Delay after so many failures in a row (from 1); ``chance`` is a random number, 0 to 1.

    Doubles up to a limit; the upper half is random, so that cameras behind one switch that came
    back do not all ask it at the same moment.
    """
    doublings = min(max(failures, 1) - 1, 16)
    longest_s = min(FIRST_DELAY_S * 2.0**doublings, LONGEST_DELAY_S)
    return longest_s * (0.5 + 0.5 * chance)
