"""One street of a family: its cross-section, drawn by chance; pure."""

from __future__ import annotations

import random
from dataclasses import dataclass

from detector.training.synth.families import Colour, Edge, Family, Ground
from detector.training.synth.kinds import Surface

KERB_M, KERB_WIDTH_M = 0.13, 0.22
LENGTH_M = (-75.0, 75.0)
"""The street ends there, x."""
OPEN_M = 28.0
"""How far one can go behind an edge that is only trees."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Street:
    """A cross-section: road, kerbs, pavements, verges, and what bounds them; metres."""

    family: Family
    half_m: float
    """Half width of the carriageway or path."""
    pavement_m: tuple[float, float]
    """Near and far, as the next two."""
    verge_m: tuple[float, float]
    edge: tuple[Edge, Edge]
    road: Ground
    road_colour: Colour
    paving: Colour
    slab_m: tuple[float, float]
    seed: int

    @property
    def kerb(self) -> bool:
        """Whether there is one, and the pavement is raised."""
        return self.family.kerb

    def side(self, far: bool) -> tuple[float, float, float]:
        """Distances from the middle: where pavement and verge begin, and the edge."""
        start = self.half_m + (KERB_WIDTH_M if self.kerb else 0.0)
        middle = start + self.pavement_m[far]
        return start, middle, middle + self.verge_m[far]

    @property
    def open_from(self) -> float:
        """Lowest y at which a mast may stand."""
        return -self._open(far=False)

    @property
    def open_to(self) -> float:
        """Highest y at which a mast may stand."""
        return self._open(far=True)

    def _open(self, *, far: bool) -> float:
        edge = self.side(far)[2]
        beyond = self.edge[far] in ("trees", "fence", "hedge", "wall")
        return edge + OPEN_M if beyond else edge - 0.6

    def surface(self, y: float) -> Surface | None:
        """What the ground is at a distance from the middle; ``None``: kerb or beyond the edge."""
        start, middle, edge = self.side(far=y > 0)
        if abs(y) < self.half_m:
            return "road"
        if start < abs(y) < middle:
            return "pavement"
        return "verge" if middle < abs(y) < edge else None

    def spans(self, surface: Surface) -> list[tuple[float, float]]:
        """Ranges of y that are this surface."""
        if surface == "road":
            return [(-self.half_m, self.half_m)]
        found = []
        for far in (False, True):
            start, middle, edge = self.side(far)
            low, high = (start, middle) if surface == "pavement" else (middle, edge)
            if high > low:
                found.append((low, high) if far else (-high, -low))
        return found

    def height(self, y: float) -> float:
        """Height of the ground, z."""
        return KERB_M if self.kerb and abs(y) > self.half_m else 0.0

    def fits_opening(self, y: float, half_m: float) -> bool:
        """Whether a square hole fits into the road there."""
        return abs(y) + half_m < self.half_m - 0.05


def sample_street(rng: random.Random, family: Family) -> Street:
    """Draw a street of a family."""
    grey = rng.uniform(0.05, 0.13)
    warm = rng.uniform(0.97, 1.06)
    return Street(
        family=family,
        half_m=rng.uniform(*family.road_m) / 2,
        pavement_m=(rng.uniform(*family.near_pavement_m), rng.uniform(*family.far_pavement_m)),
        verge_m=(rng.uniform(*family.near_verge_m), rng.uniform(*family.far_verge_m)),
        edge=(rng.choice(family.near_edge), rng.choice(family.far_edge)),
        road=rng.choice(family.road),
        road_colour=(grey * warm, grey, grey / warm),
        paving=rng.choice(family.paving),
        slab_m=rng.choice(family.slab_m),
        seed=rng.randrange(1 << 30),
    )
