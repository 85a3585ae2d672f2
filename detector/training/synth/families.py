"""Types of streets and parks; a picture's family decides which set it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Edge = Literal["houses", "wall", "hedge", "fence", "trees", "flats", "sheds", "water", "cottages"]
Ground = Literal["asphalt", "concrete", "cobbles", "gravel"]
Colour = tuple[float, float, float]
Span = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """A type of street; spans are drawn from uniformly, metres."""

    name: str
    reserved: bool = False
    """Kept for testing: never in a training picture."""
    road_m: Span = (6.0, 9.0)
    near_pavement_m: Span = (2.0, 4.0)
    far_pavement_m: Span = (2.0, 4.0)
    near_verge_m: Span = (0.0, 0.0)
    far_verge_m: Span = (0.0, 0.0)
    near_edge: tuple[Edge, ...] = ("houses",)
    far_edge: tuple[Edge, ...] = ("houses",)
    road: tuple[Ground, ...] = ("asphalt",)
    paving: tuple[Colour, ...] = ((0.30, 0.285, 0.265), (0.25, 0.25, 0.25), (0.33, 0.27, 0.22))
    slab_m: tuple[tuple[float, float], ...] = ((0.4, 0.4), (0.6, 0.4), (0.2, 0.1))
    kerb: bool = True
    markings: bool = True
    cars: Span = (1, 5)
    trees: Span = (0, 3)
    people: Span = (0, 3)


FAMILIES: tuple[Family, ...] = (
    Family(name="terrace", near_edge=("houses", "wall"), far_edge=("houses",)),
    Family(
        name="avenue",
        road_m=(7.5, 11.0),
        near_verge_m=(1.5, 5.0),
        far_verge_m=(1.5, 4.0),
        near_edge=("hedge", "wall", "trees"),
        far_edge=("houses", "trees"),
        trees=(3, 7),
    ),
    Family(
        name="suburb",
        road_m=(5.5, 7.5),
        near_pavement_m=(1.5, 2.2),
        far_pavement_m=(1.5, 2.2),
        near_verge_m=(2.0, 6.0),
        far_verge_m=(2.0, 6.0),
        near_edge=("hedge", "fence", "trees"),
        far_edge=("hedge", "fence", "houses"),
        paving=((0.33, 0.32, 0.30), (0.24, 0.235, 0.23)),
        slab_m=((1.2, 1.2), (0.6, 0.6)),
        markings=False,
        trees=(1, 5),
    ),
    Family(
        name="park",
        road_m=(2.5, 5.0),
        near_pavement_m=(0.0, 0.0),
        far_pavement_m=(0.0, 0.0),
        near_verge_m=(12.0, 20.0),
        far_verge_m=(8.0, 20.0),
        near_edge=("trees",),
        far_edge=("trees", "hedge"),
        road=("asphalt", "gravel"),
        kerb=False,
        markings=False,
        cars=(0, 0),
        trees=(3, 8),
    ),
    Family(
        name="industrial",
        road_m=(8.0, 12.0),
        near_verge_m=(0.0, 3.0),
        near_edge=("wall", "fence", "sheds"),
        far_edge=("sheds", "wall", "fence"),
        road=("asphalt", "concrete"),
        trees=(0, 1),
        people=(0, 1),
    ),
    Family(
        name="square",
        road_m=(4.0, 6.0),
        near_pavement_m=(8.0, 12.0),
        far_pavement_m=(5.0, 9.0),
        near_edge=("houses", "trees"),
        far_edge=("houses",),
        road=("cobbles", "asphalt"),
        paving=((0.36, 0.33, 0.29), (0.28, 0.28, 0.29)),
        markings=False,
        cars=(0, 2),
        trees=(0, 4),
        people=(1, 5),
    ),
    Family(
        name="estate",
        reserved=True,
        road_m=(6.5, 8.0),
        near_pavement_m=(1.6, 2.6),
        far_pavement_m=(3.0, 5.0),
        near_verge_m=(3.0, 9.0),
        far_verge_m=(3.0, 6.0),
        near_edge=("flats", "hedge"),
        far_edge=("flats",),
        road=("concrete", "asphalt"),
        paving=((0.38, 0.37, 0.35), (0.30, 0.24, 0.20)),
        slab_m=((0.5, 0.5), (0.3, 0.15)),
        trees=(1, 5),
    ),
    Family(
        name="waterside",
        reserved=True,
        road_m=(3.5, 6.0),
        near_pavement_m=(3.0, 6.0),
        far_pavement_m=(3.0, 5.0),
        near_edge=("trees", "cottages"),
        far_edge=("water",),
        road=("cobbles", "asphalt", "gravel"),
        paving=((0.40, 0.36, 0.30), (0.22, 0.23, 0.25)),
        slab_m=((0.8, 0.3), (1.0, 0.5)),
        markings=False,
        cars=(0, 2),
        trees=(0, 4),
    ),
    Family(
        name="village",
        reserved=True,
        road_m=(4.5, 6.5),
        near_pavement_m=(1.0, 1.8),
        far_pavement_m=(0.0, 0.0),
        near_verge_m=(0.5, 3.0),
        far_verge_m=(1.5, 5.0),
        near_edge=("cottages", "hedge"),
        far_edge=("cottages", "wall"),
        paving=((0.34, 0.31, 0.27),),
        slab_m=((0.3, 0.3), (0.9, 0.6)),
        cars=(0, 3),
        trees=(1, 4),
    ),
)
"""All families; the reserved ones make up the test set."""


def families_of(*, reserved: bool) -> tuple[Family, ...]:
    """Families of the training or of the test set."""
    return tuple(family for family in FAMILIES if family.reserved is reserved)
