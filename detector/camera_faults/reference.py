"""What a camera's home view looks like: learnt edges, by day, at dusk, by night, by infrared."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.camera_faults.picture import Map, Picture

BRIGHT_MEAN, DIM_MEAN = 80.0, 40.0
"""Mean green of the picture above which it counts as bright, above which as dim; else dark."""
LEARNT_LOOKS = 20
"""So many looks make a reference: what moves through the picture has averaged out."""
MEMORY_LOOKS = 2000
"""A reference follows slow change (leaves, snow, new paint) over so many updates."""
STEADY_LENGTH = 0.15
"""Mean edge vectors that are longer stand still; edges of traffic point anywhere and cancel out."""
TEXTURED_SHARE = 0.04
"""Cells of which so much is steady edges have something to compare."""
MIN_TEXTURED_CELLS = 6
AGREES = 0.4
"""A cell whose edges agree so well (1: as learnt) shows what it used to."""
DIFFERS = 0.2
LOST_ENERGY_RATIO = 0.45
"""A cell with less than this share of its usual edges has lost them."""
GLARE_LEVEL, SHADOW_LEVEL = 225.0, 14.0
MIN_CONTRAST = 0.25


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reference:
    """The home view in one kind of light: running means over looks."""

    edges: NDArray[np.complex64]
    energy: Map
    fine: Map
    coarse: Map
    looks: int

    @property
    def is_learnt(self) -> bool:
        """Whether enough looks are in it."""
        return self.looks >= LEARNT_LOOKS


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """How a picture compares with a reference: shares of the cells that have something to compare.

    All zero where there are too few of them.
    """

    agreeing: float = 0.0
    lost: float = 0.0
    """Edges that used to be there are not."""
    alien: float = 0.0
    """Other edges than there used to be."""
    sharpness: float = 1.0
    """Strength of edges, compared with the contrast of the picture as a whole; 1: as learnt."""
    rest: float = 1.0
    """The same of the cells that are not lost."""
    contrast: float = 1.0
    """Contrast of the very small picture; 1: as learnt."""
    coarse: float = 0.0
    """Correlation of the very small pictures, -1 to 1."""
    textured: int = 0
    """Cells that have something to compare."""


def tone(picture: Picture) -> str:
    """The kind of light: references are kept apart by it."""
    brightness = "bright" if picture.mean >= BRIGHT_MEAN else "dim"
    if picture.mean < DIM_MEAN:
        brightness = "dark"
    return brightness + ("" if picture.has_colour else "-grey")


def begin(picture: Picture) -> Reference:
    """A reference of one look."""
    return Reference(
        edges=picture.edges,
        energy=picture.energy,
        fine=picture.fine,
        coarse=picture.coarse,
        looks=1,
    )


def learn(reference: Reference, picture: Picture) -> Reference:
    """Take one more look in."""
    looks = min(reference.looks + 1, MEMORY_LOOKS)
    share = np.float32(1 / looks)
    return Reference(
        edges=reference.edges + share * (picture.edges - reference.edges),
        energy=reference.energy + share * (picture.energy - reference.energy),
        fine=reference.fine + share * (picture.fine - reference.fine),
        coarse=reference.coarse + share * (picture.coarse - reference.coarse),
        looks=looks,
    )


def fits(reference: Reference, picture: Picture) -> bool:
    """Whether both have the same shape: a camera whose picture is turned or cut is another view."""
    return reference.edges.shape == picture.edges.shape


def compare(
    reference: Reference, picture: Picture, hidden: NDArray[np.bool_] | None = None
) -> Comparison:
    """Cell by cell: does it show what it used to, nothing, or something else.

    ``hidden`` cells are left out: something known stands there.
    """
    length = np.abs(reference.edges)
    steady = np.where(length > STEADY_LENGTH, length, np.float32(0))
    usual = _cells(steady * length, picture)
    now = _cells(
        np.where(steady > 0, (reference.edges.conj() * picture.edges).real, np.float32(0)), picture
    )
    textured = _cells((steady > 0).astype(np.float32), picture) > TEXTURED_SHARE
    # Glare and deep shadow hide edges that are still there.
    textured &= (picture.level < GLARE_LEVEL) & (picture.level > SHADOW_LEVEL)
    if hidden is not None:
        textured &= ~hidden
    count = int(np.count_nonzero(textured))
    contrast = float((picture.coarse.std() + 1e-3) / (reference.coarse.std() + 1e-3))
    coarse = _correlation(reference.coarse, picture.coarse)
    if count < MIN_TEXTURED_CELLS:
        return Comparison(textured=count, coarse=coarse, contrast=contrast)
    agreement = now[textured] / np.maximum(usual[textured], 1e-6)
    energy = picture.energy[textured] / np.maximum(reference.energy[textured], 1e-3)
    lost = (energy < LOST_ENERGY_RATIO) & (agreement < AGREES)
    fine = picture.fine[textured] / np.maximum(reference.fine[textured], 1e-3)
    sharpness = fine / max(contrast, MIN_CONTRAST)
    return Comparison(
        agreeing=_share(agreement >= AGREES),
        lost=_share(lost),
        alien=_share((agreement < DIFFERS) & ~lost),
        sharpness=float(np.median(sharpness)),
        rest=float(np.median(sharpness[~lost])) if not lost.all() else 0.0,
        contrast=contrast,
        coarse=coarse,
        textured=count,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """Where the home view has gone in the picture."""

    x_ratio: float
    y_ratio: float
    """Shares of the picture's width and height."""
    strength: float
    """Correlation there; 1 is as learnt."""
    here: float
    """Correlation without any shift."""

    @property
    def size(self) -> float:
        """Share of the picture."""
        return float(np.hypot(self.x_ratio, self.y_ratio))


def find_shift(reference: Reference, picture: Picture) -> Shift:
    """Best place of the learnt edges in the picture; takes about a millisecond."""
    length = np.abs(reference.edges)
    steady = np.where(length > STEADY_LENGTH, reference.edges, np.complex64(0))
    height, width = steady.shape
    fast = (cv2.getOptimalDFTSize(height), cv2.getOptimalDFTSize(width))
    spectrum = np.fft.fft2(picture.edges, fast) * np.fft.fft2(steady, fast).conj()
    correlation = np.fft.ifft2(spectrum).real / max(float((length * np.abs(steady)).sum()), 1e-6)
    row, column = np.unravel_index(int(np.argmax(correlation)), correlation.shape)
    y = row - fast[0] if row > fast[0] // 2 else row
    x = column - fast[1] if column > fast[1] // 2 else column
    return Shift(
        x_ratio=float(x / width),
        y_ratio=float(y / height),
        strength=float(correlation[row, column]),
        here=float(correlation[0, 0]),
    )


def continuity(before: Picture, now: Picture) -> float:
    """How much two pictures have the same edges, 0 to 1."""
    if before.edges.shape != now.edges.shape:
        return 0.0
    both = float((before.edges.conj() * now.edges).real.sum())
    norm = float(np.sqrt((np.abs(before.edges) ** 2).sum() * (np.abs(now.edges) ** 2).sum()))
    return both / norm if norm > 0 else 0.0


def _cells(values: Map, picture: Picture) -> Map:
    height, width = picture.energy.shape
    cells: Map = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA)
    return cells


def _share(cells: NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(cells) / cells.size)


def _correlation(one: Map, other: Map) -> float:
    if one.shape != other.shape:
        return 0.0
    a, b = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / norm) if norm > 1e-6 else 0.0
