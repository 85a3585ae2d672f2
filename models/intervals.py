"""How sure a share is that was counted on few cases."""

from __future__ import annotations

import math

Z_95 = 1.959964
"""Two-sided 95 % of the normal distribution."""


def wilson(part: int, whole: int, z: float = Z_95) -> tuple[float, float] | None:
    """Wilson's score interval of a share; ``None`` where nothing was counted.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if whole == 0:
        return None
    share, weight = part / whole, z * z / whole
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / whole + weight / (4 * whole)) / (1 + weight)
    # At the ends the bound is the end itself; rounding would leave it short by a hair.
    low = 0.0 if part == 0 else max(0.0, middle - half)
    high = 1.0 if part == whole else min(1.0, middle + half)
    return low, high


def needed_for(low: float, z: float = Z_95) -> int:
    """Fewest cases that must all have gone well for the interval to begin at ``low`` or above."""
    return math.ceil(low * z * z / (1 - low))
