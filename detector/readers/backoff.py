"""How long to wait before a source is opened again."""

from __future__ import annotations

from models.backoff import doubling_delay_s

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STEADY_S = 10.0
"""A source that gave pictures for so long counts as healthy: the next failure starts anew."""
START_STAGGER_S = 1.0
"""Cameras are first opened spread over this time: many at the same moment fail."""


def retry_delay_s(failures: int, chance: float) -> float:
    """Delay after so many failures in a row (from 1); ``chance`` is a random number, 0 to 1.

    Random, so that cameras behind one switch that came back do not all ask it at the same moment.
    """
    doublings = max(failures, 1) - 1
    return doubling_delay_s(doublings, chance, first_s=FIRST_DELAY_S, longest_s=LONGEST_DELAY_S)
