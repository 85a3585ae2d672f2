"""How long to wait before something that failed is tried again."""

from __future__ import annotations

MOST_DOUBLINGS = 20
"""By then every limit is reached; more would only make large numbers."""


def doubling_delay_s(doublings: int, chance: float, *, first_s: float, longest_s: float) -> float:
    """``first_s`` doubled so often, up to ``longest_s``; ``chance`` is a random number, 0 to 1.

    The upper half is random, so that all who wait for one thing do not ask it at the same moment.
    """
    delay_s = min(first_s * 2.0 ** min(doublings, MOST_DOUBLINGS), longest_s)
    return delay_s * (0.5 + 0.5 * chance)
