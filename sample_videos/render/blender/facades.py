"""A row of houses: walls, windows set back with sills and frames, doors, shop fronts, cornices."""

from __future__ import annotations

import random

import bpy

from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts
from sample_videos.render.blender.street import KERB_M
from sample_videos.render.spec import StreetSpec

_FLOOR_M = 3.2
_DEPTH_M = 8.0
_WALLS = (
    ("brick", (0.36, 0.17, 0.115)),
    ("plaster", (0.55, 0.50, 0.42)),
    ("brick", (0.42, 0.29, 0.20)),
    ("plaster", (0.40, 0.42, 0.43)),
    ("brick", (0.28, 0.15, 0.12)),
    ("plaster", (0.62, 0.60, 0.56)),
)
_SHOPS = ((0.30, 0.03, 0.03), (0.03, 0.10, 0.22), (0.04, 0.16, 0.09), (0.25, 0.20, 0.05))


class Facades:
    """Builds houses along the far pavement."""

    def __init__(self, spec: StreetSpec, *, lit: bool) -> None:
        self.rng = random.Random(spec.seed + 1)
        self.spec, self.lit = spec, lit
        self.front_y = spec.road_width_m / 2 + 0.22 + spec.far_pavement_m
        self.glass = materials.plain("window", (0.02, 0.026, 0.03), 0.06)
        self.frame = materials.plain("frame", (0.62, 0.61, 0.58), 0.5)
        self.dark = materials.plain("dark frame", (0.05, 0.045, 0.04), 0.5)
        self.sill = materials.mottled("sill", (0.42, 0.41, 0.38), 8.0)
        self.curtain = materials.plain("curtain", (0.45, 0.42, 0.36), 0.9)
        self.warm = materials.glowing("lit window", (1.0, 0.62, 0.28), 2.2)
        self.shop = materials.glowing("shop light", (1.0, 0.80, 0.55), 3.0 if lit else 0.12)

    def build(self) -> None:
        """Build houses from one end of the street to the other."""
        x, end = self.spec.extent_m
        index = 0
        while x < end:
            width = self.rng.choice((8.4, 9.6, 10.8, 12.0))
            kind, colour = _WALLS[(index + self.spec.seed) % len(_WALLS)]
            self._house(x, width, self.rng.choice((3, 3, 4)), kind, colour)
            x += width
            index += 1

    def _house(
        self, x: float, width: float, floors: int, kind: str, colour: tuple[float, float, float]
    ) -> None:
        parts = Parts()
        name = f"house {x:.0f}"
        wall = (
            materials.wall_bricks(name, colour)
            if kind == "brick"
            else materials.mottled(name, colour, 1.3, 0.14)
        )
        height = floors * _FLOOR_M + 0.9
        back = self.front_y + self.rng.uniform(0.0, 0.25)
        bays = int(width // 2.4)
        pitch = width / bays
        for floor in range(floors):
            self._floor(parts, wall, (x, back), pitch, bays, floor)
        top = floors * _FLOOR_M
        parts.box((x + width / 2, back + 0.2, top + 0.45), (width, 0.4, 0.9), wall)
        parts.box((x + width / 2, back + 0.12, top + 0.15), (width, 0.5, 0.16), self.sill)
        parts.box((x + width / 2, back + 0.1, height), (width, 0.6, 0.12), self.sill)
        parts.box(
            (x + width / 2, back + 0.5 + _DEPTH_M / 2, height / 2),
            (width, _DEPTH_M, height - 0.1),
            wall,
        )
        parts.tube(
            [((x + 0.1, back - 0.06, KERB_M), 0.05), ((x + 0.1, back - 0.06, height), 0.05)],
            self.dark,
            sides=10,
        )
        parts.build(name)

    def _floor(
        self,
        parts: Parts,
        wall: bpy.types.Material,
        corner: tuple[float, float],
        pitch: float,
        bays: int,
        floor: int,
    ) -> None:
        """One storey: piers between openings, and what fills each opening."""
        x, y = corner
        shop = floor == 0 and self.rng.random() < 0.6
        base = floor * _FLOOR_M + (KERB_M if floor == 0 else 0.0)
        wide, sill, head = (pitch - 0.5, 0.5, 2.5) if shop else (1.15, 0.95, 2.55)
        for bay in range(bays):
            middle = x + (bay + 0.5) * pitch
            pier = (pitch - wide) / 2
            for offset in (-1, 1):
                parts.box(
                    (middle + offset * (wide + pier) / 2, y + 0.2, base + _FLOOR_M / 2),
                    (pier, 0.4, _FLOOR_M),
                    wall,
                )
            door = floor == 0 and bay == bays // 2
            low = 0.02 if door else sill
            parts.box((middle, y + 0.2, base + low / 2), (wide, 0.4, low), wall)
            parts.box(
                (middle, y + 0.2, base + (head + _FLOOR_M) / 2), (wide, 0.4, _FLOOR_M - head), wall
            )
            self._opening(parts, (middle, y, base), (wide, low, head), door=door, shop=shop)
        if shop:
            sign = materials.plain("sign", self.rng.choice(_SHOPS), 0.4)
            parts.box(
                (x + bays * pitch / 2, y - 0.06, base + 2.85), (bays * pitch - 0.6, 0.14, 0.5), sign
            )
            for _ in range(2):
                parts.box(
                    (x + bays * pitch * self.rng.uniform(0.3, 0.7), y - 0.135, base + 2.85),
                    (self.rng.uniform(0.8, 1.8), 0.01, 0.2),
                    self.frame,
                )

    def _opening(
        self,
        parts: Parts,
        at: tuple[float, float, float],
        size: tuple[float, float, float],
        *,
        door: bool,
        shop: bool,
    ) -> None:
        x, y, base = at
        wide, low, head = size
        tall, middle = head - low, base + (head + low) / 2
        frame = self.dark if shop or door else self.frame
        lit = self.lit and self.rng.random() < 0.35
        pane = self.shop if shop and self.rng.random() < 0.7 else self.warm if lit else self.glass
        parts.box((x, y + 0.30, middle), (wide, 0.02, tall), pane)
        if door:
            wood = materials.plain("door", self.rng.choice(_SHOPS), 0.4)
            parts.box((x, y + 0.26, base + 1.05), (min(wide, 1.1), 0.06, 2.1), wood)
        elif not shop and self.rng.random() < 0.5:
            parts.box((x - wide * 0.28, y + 0.28, middle), (wide * 0.3, 0.012, tall), self.curtain)
        for offset in (-0.5, 0.5, 0.0):
            parts.box((x + offset * (wide - 0.06), y + 0.24, middle), (0.06, 0.08, tall), frame)
        for z in (base + low + 0.03, base + head - 0.03, base + low + tall * 0.62):
            parts.box((x, y + 0.24, z), (wide, 0.08, 0.06), frame)
        if not door:
            parts.box((x, y + 0.02, base + low - 0.04), (wide + 0.16, 0.24, 0.08), self.sill)
