"""Shapes of vehicle bodies: cross-sections along the length, in metres.

A body is a skin through cross-sections. x points forward, y to the left, z up; each section is
half of the outline from the middle of the floor over the side to the middle of the roof.
"""

from __future__ import annotations

from dataclasses import dataclass

Half = tuple[tuple[float, float], ...]

# Points of a half section, from floor to roof
GLASS_BASE, GLASS_TOP, PILLAR, ROOF_SIDE, ROOF_MIDDLE = 6, 7, 8, 9, 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One cross-section; half widths and heights."""

    x: float
    side: float
    """Half width at the widest place."""
    floor: float
    belt: float
    """Height of the shoulder below the side windows."""
    top: float
    roof: float
    """Half width of the roof, or of the bonnet's flat part."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """A kind of vehicle."""

    sections: tuple[Section, ...]
    """From front to rear."""
    side_glass: tuple[int, ...]
    """Sections after which the strip up to the next one is side window."""
    windscreen: int
    """Section after which the windscreen begins."""
    rear_screen: int
    wheels_x: tuple[float, float]
    wheel_radius: float
    seams_x: tuple[float, ...]
    lamp_front: tuple[float, float, float]
    lamp_rear: tuple[float, float, float]
    track: float = 0.77
    """Half the distance between left and right wheels."""


def half_outline(section: Section) -> Half:
    """Points (y, z) of a half section."""
    s = section
    inset = 0.045 if s.top - s.belt > 0.15 else 0.02
    glass_top = s.belt + 0.88 * (s.top - s.belt)
    return (
        (0.0, s.floor),
        (s.side * 0.86, s.floor),
        (s.side * 0.965, s.floor + 0.10),
        (s.side, s.floor + 0.45 * (s.belt - s.floor)),
        (s.side * 0.985, s.belt - 0.10 * (s.belt - s.floor)),
        (s.side * 0.955, s.belt),
        (s.side * 0.955 - inset, s.belt + 0.025),
        (s.roof * 1.10, glass_top),
        (s.roof * 1.04, s.belt + 0.94 * (s.top - s.belt)),
        (s.roof * 0.90, s.top - 0.012),
        (0.0, s.top + 0.03),
    )


def _sections(rows: tuple[tuple[float, ...], ...]) -> tuple[Section, ...]:
    names = ("x", "side", "floor", "belt", "top", "roof")
    return tuple(Section(**dict(zip(names, row, strict=True))) for row in rows)


SALOON = Body(
    sections=_sections(
        (
            (2.28, 0.74, 0.28, 0.58, 0.62, 0.54),
            (2.24, 0.83, 0.22, 0.65, 0.70, 0.62),
            (2.02, 0.89, 0.19, 0.73, 0.785, 0.67),
            (1.50, 0.90, 0.18, 0.79, 0.86, 0.68),
            (0.98, 0.91, 0.18, 0.86, 0.95, 0.70),
            (0.90, 0.91, 0.18, 0.87, 0.98, 0.70),
            (0.22, 0.91, 0.18, 0.89, 1.38, 0.57),
            (0.12, 0.91, 0.18, 0.90, 1.41, 0.575),
            (-0.28, 0.91, 0.18, 0.90, 1.45, 0.58),
            (-0.40, 0.91, 0.18, 0.90, 1.45, 0.58),
            (-0.95, 0.91, 0.18, 0.91, 1.42, 0.56),
            (-1.08, 0.91, 0.18, 0.92, 1.385, 0.555),
            (-1.66, 0.90, 0.20, 0.94, 1.06, 0.64),
            (-1.76, 0.89, 0.21, 0.94, 1.02, 0.66),
            (-2.08, 0.86, 0.23, 0.92, 0.98, 0.64),
            (-2.22, 0.83, 0.24, 0.86, 0.93, 0.61),
            (-2.27, 0.75, 0.30, 0.78, 0.85, 0.53),
        )
    ),
    side_glass=(5, 6, 7, 9, 10),
    windscreen=5,
    rear_screen=11,
    wheels_x=(1.40, -1.36),
    wheel_radius=0.325,
    seams_x=(0.86, -0.34, -1.10, 1.0, -1.72),
    lamp_front=(2.17, 0.66, 0.62),
    lamp_rear=(-2.20, 0.64, 0.80),
)

HATCHBACK = Body(
    sections=_sections(
        (
            (2.18, 0.76, 0.29, 0.67, 0.71, 0.56),
            (2.14, 0.85, 0.24, 0.76, 0.82, 0.64),
            (1.94, 0.90, 0.22, 0.84, 0.90, 0.68),
            (1.45, 0.91, 0.21, 0.90, 0.98, 0.70),
            (1.06, 0.92, 0.21, 0.95, 1.05, 0.72),
            (0.98, 0.92, 0.21, 0.96, 1.08, 0.72),
            (0.36, 0.92, 0.21, 0.97, 1.52, 0.62),
            (0.26, 0.92, 0.21, 0.97, 1.56, 0.625),
            (-0.22, 0.92, 0.21, 0.98, 1.63, 0.63),
            (-0.34, 0.92, 0.21, 0.98, 1.63, 0.63),
            (-1.05, 0.92, 0.21, 1.00, 1.62, 0.62),
            (-1.15, 0.92, 0.21, 1.01, 1.615, 0.62),
            (-1.66, 0.91, 0.22, 1.03, 1.57, 0.60),
            (-1.82, 0.90, 0.23, 1.03, 1.50, 0.59),
            (-2.10, 0.87, 0.25, 1.00, 1.08, 0.66),
            (-2.18, 0.84, 0.26, 0.92, 0.99, 0.63),
            (-2.22, 0.76, 0.32, 0.80, 0.86, 0.55),
        )
    ),
    side_glass=(5, 6, 7, 9, 11),
    windscreen=5,
    rear_screen=13,
    wheels_x=(1.34, -1.30),
    wheel_radius=0.35,
    seams_x=(0.95, -0.28, -1.10, 1.08),
    lamp_front=(2.07, 0.68, 0.74),
    lamp_rear=(-2.10, 0.72, 0.98),
)

VAN = Body(
    sections=_sections(
        (
            (2.45, 0.80, 0.28, 0.78, 0.82, 0.60),
            (2.41, 0.87, 0.24, 0.89, 0.95, 0.67),
            (2.22, 0.90, 0.22, 0.98, 1.05, 0.70),
            (1.98, 0.93, 0.21, 1.06, 1.16, 0.75),
            (1.80, 0.94, 0.21, 1.09, 1.22, 0.76),
            (1.74, 0.94, 0.21, 1.10, 1.25, 0.76),
            (1.14, 0.94, 0.21, 1.11, 1.84, 0.70),
            (1.04, 0.94, 0.21, 1.11, 1.89, 0.71),
            (0.58, 0.94, 0.21, 1.12, 1.96, 0.72),
            (0.46, 0.94, 0.21, 1.12, 1.97, 0.72),
            (-0.62, 0.94, 0.21, 1.12, 1.98, 0.72),
            (-0.74, 0.94, 0.21, 1.12, 1.98, 0.72),
            (-2.00, 0.94, 0.21, 1.12, 1.96, 0.72),
            (-2.12, 0.94, 0.22, 1.12, 1.93, 0.71),
            (-2.34, 0.92, 0.24, 1.11, 1.30, 0.76),
            (-2.42, 0.86, 0.28, 1.00, 1.10, 0.70),
            (-2.45, 0.74, 0.36, 0.84, 0.90, 0.60),
        )
    ),
    side_glass=(5, 6, 7, 9, 11),
    windscreen=5,
    rear_screen=13,
    wheels_x=(1.55, -1.50),
    wheel_radius=0.335,
    seams_x=(1.62, 0.52, -0.68, 1.95),
    lamp_front=(2.35, 0.70, 0.84),
    lamp_rear=(-2.37, 0.78, 1.02),
)

BUS = Body(
    sections=_sections(
        (
            (5.60, 1.06, 0.36, 0.95, 1.02, 0.90),
            (5.58, 1.16, 0.32, 1.02, 1.10, 1.00),
            (5.55, 1.22, 0.30, 1.06, 1.15, 1.05),
            (5.52, 1.24, 0.30, 1.08, 1.18, 1.08),
            (5.50, 1.25, 0.30, 1.10, 1.22, 1.10),
            (5.48, 1.25, 0.30, 1.10, 1.25, 1.12),
            (5.30, 1.25, 0.30, 1.10, 2.78, 1.10),
            (5.20, 1.25, 0.30, 1.10, 3.00, 1.10),
            (3.60, 1.25, 0.30, 1.10, 3.05, 1.10),
            (3.45, 1.25, 0.30, 1.10, 3.05, 1.10),
            (1.00, 1.25, 0.30, 1.10, 3.05, 1.10),
            (0.85, 1.25, 0.30, 1.10, 3.05, 1.10),
            (-2.00, 1.25, 0.30, 1.10, 3.05, 1.10),
            (-2.15, 1.25, 0.30, 1.10, 3.05, 1.10),
            (-5.30, 1.25, 0.32, 1.10, 3.02, 1.10),
            (-5.50, 1.22, 0.34, 1.12, 2.80, 1.08),
            (-5.56, 1.15, 0.40, 1.10, 1.60, 1.04),
            (-5.60, 1.05, 0.48, 1.00, 1.30, 0.95),
        )
    ),
    side_glass=(5, 6, 7, 9, 11, 13),
    windscreen=5,
    rear_screen=15,
    wheels_x=(3.00, -2.70),
    wheel_radius=0.48,
    seams_x=(4.20, 0.90, -2.05, 5.00),
    lamp_front=(5.48, 0.92, 0.72),
    lamp_rear=(-5.52, 0.98, 1.00),
    track=1.08,
)

BODIES = {"saloon": SALOON, "hatchback": HATCHBACK, "van": VAN, "bus": BUS}
