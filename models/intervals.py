"""How sure a share, a rate or a median is that was found on few cases."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

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


TAIL = 0.025
"""Left outside at either end of a 95 % interval."""
_HALVINGS = 60
"""Of the bracket of a bound: less than what a double can tell."""
_NOTHING = 1e-17


def poisson(count: int) -> tuple[float, float]:
    """Exact 95 % interval of what is expected where ``count`` independent cases were counted.

    F. Garwood, "Fiducial limits for the Poisson distribution", 1936. Divide by what was looked at
    (hours, pictures) for a rate; of none in n, it is fewer than 3.7 / n.
    """
    most = count + 10.0 * math.sqrt(count + 1.0) + 10.0
    low = 0.0 if count == 0 else _solved(lambda mean: 1.0 - _at_most(count - 1, mean), most)
    return low, _solved(lambda mean: 1.0 - _at_most(count, mean), most, 1.0 - TAIL)


def _solved(rises: Callable[[float], float], most: float, wanted: float = TAIL) -> float:
    """Where a rising function of the mean comes to ``wanted``."""
    low, high = 0.0, most
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rises(middle) < wanted else (low, middle)
    return (low + high) / 2


def _at_most(count: int, mean: float) -> float:
    """Probability of at most so many cases where ``mean`` are expected."""
    if mean <= 0:
        return 1.0
    term = 1.0
    total = 1.0
    for below in range(count, 0, -1):
        # From the largest number of cases down: each is a share of the one before it.
        term *= below / mean
        total += term
        if below < mean and term < _NOTHING * total:
            break
    return min(1.0, total * math.exp(count * math.log(mean) - mean - math.lgamma(count + 1)))


def median(values: Sequence[float]) -> tuple[float, float, float] | None:
    """The median and its 95 % interval by ranks, of whatever distribution; ``None`` of no values.

    With fewer than six values the interval is all of them, which is less sure than 95 %.
    """
    if not values:
        return None
    ranked = sorted(values)
    count = len(ranked)
    outside = 0
    below = 0.0
    while (below := below + math.comb(count, outside) / 2**count) <= TAIL:
        outside += 1
    first = max(0, outside - 1)
    return statistics.median(ranked), ranked[first], ranked[count - 1 - first]
