"""Cuts single objects out of photographs: GrabCut from their boxes, bad masks thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.seeing import Image

Mask = NDArray[np.uint8]
"""One byte a pixel, 255 on the object and 0 elsewhere, shape (height, width)."""
PixelBox = tuple[int, int, int, int]
"""Left, top, right, bottom in px; right and bottom are outside."""

WORKING_SIDE_PX = 200
"""Longer side at which GrabCut looks at the surroundings of a box; larger only takes longer."""
SURROUNDINGS_RATIO = 0.35
"""So much of the box's longer side is looked at around it: what the background looks like."""
SMALLEST_SIDE_PX = 22
"""A smaller box shows too little to be cut along its outline."""
BORDER_PX = 2
"""An object nearer to the picture's edge may be cut off by it."""
LEAST_SHARPNESS = 60.0
"""Variance of the Laplacian on the object; less is out of focus (by looking at cuts)."""
LEAST_SEPARATION = 9.0
"""CIE Lab distance between object and surroundings; less leaves GrabCut to guess."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Demands:
    """What the mask of an object must be like to be kept; chosen by looking at cuts."""

    fill: tuple[float, float]
    """Share of its box."""
    overlap: float
    """Least intersection over union of the mask's own box with the labelled one."""
    solidity: float
    """Least share of its convex hull."""
    ruggedness: float
    """Most of perimeter² / (4π area): 1 is a disc, frayed masks have many times that."""
    touch: float
    """Most of a box side that the mask may touch: along a straight cut it touches all."""


DEMANDS: Mapping[str, Demands] = {
    "litter": Demands(fill=(0.22, 0.9), overlap=0.6, solidity=0.72, ruggedness=3.4, touch=0.8),
    "garbage_pile": Demands(
        fill=(0.5, 0.9), overlap=0.78, solidity=0.86, ruggedness=2.4, touch=0.7
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cutout:
    """One object without its background, and where it came from."""

    label: str
    source: str
    image: str
    """File name of the photograph it was cut from."""
    number: int
    """Which line of that photograph's label file."""
    seen_from_above: bool
    """The camera looked down at it: seen along the street it is foreshortened."""
    pixels: Image
    mask: Mask
    surroundings: NDArray[np.float32]
    """Mean CIE Lab (8-bit scale) around it in the photograph: what the light was like."""
    picture_mean: NDArray[np.float32]
    """Mean CIE Lab of the photograph: its colour cast."""
    picture_contrast: float
    """Standard deviation of the photograph's lightness."""


def pixel_box(box: tuple[float, float, float, float], width_px: int, height_px: int) -> PixelBox:
    """Corners in px of a label file's centre and size in ratios, kept inside the picture."""
    x, y, w, h = box
    left, right = ((x + side * w / 2) * width_px for side in (-1, 1))
    top, bottom = ((y + side * h / 2) * height_px for side in (-1, 1))
    return (
        max(0, round(left)),
        max(0, round(top)),
        min(width_px, round(right)),
        min(height_px, round(bottom)),
    )


def overlap_px(a: PixelBox, b: PixelBox) -> int:
    """Area in px² that two boxes share."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(0, width) * max(0, height)


def area_px(box: PixelBox) -> int:
    """Area of a box in px²."""
    return (box[2] - box[0]) * (box[3] - box[1])


def mask_bounds(mask: NDArray[np.generic]) -> PixelBox | None:
    """The tight box around what is not zero; ``None`` if there is nothing."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def to_lab(image: Image) -> NDArray[np.float32]:
    """CIE Lab on OpenCV's 8-bit scale, as floats."""
    lab: NDArray[np.float32] = cv2.cvtColor(image, cv2.COLOR_BGR2LAB).astype(np.float32)
    return lab


def why_not_cut(picture: Image, box: PixelBox, others: list[PixelBox]) -> str | None:
    """Why an object is not even tried, ``None`` if it is."""
    height, width = picture.shape[:2]
    if min(box[2] - box[0], box[3] - box[1]) < SMALLEST_SIDE_PX:
        return "small"
    inside = min(box[0], box[1]) >= BORDER_PX
    if not (inside and box[2] <= width - BORDER_PX and box[3] <= height - BORDER_PX):
        return "at the edge"
    if area_px(box) > 0.6 * width * height:
        return "fills the picture"
    if any(overlap_px(box, other) > _tolerated_overlap(box, other) for other in others):
        return "overlapped"
    return None


def _tolerated_overlap(box: PixelBox, other: PixelBox) -> float:
    """What ends higher in the picture stands behind and hides nothing."""
    in_front = box[3] > other[3] + 0.05 * (box[3] - box[1])
    return (0.3 if in_front else 0.08) * area_px(box)


def grab(picture: Image, box: PixelBox) -> tuple[Image, Mask, PixelBox]:
    """Cut by GrabCut: pixels and mask of the box's surroundings, and the box in them."""
    margin = max(6, round(SURROUNDINGS_RATIO * max(box[2] - box[0], box[3] - box[1])))
    left, top = max(0, box[0] - margin), max(0, box[1] - margin)
    pixels = picture[top : box[3] + margin, left : box[2] + margin].copy()
    inner = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
    scale = min(1.0, WORKING_SIDE_PX / max(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    guess = np.full(small.shape[:2], cv2.GC_BGD, dtype=np.uint8)
    x0, y0, x1, y1 = (round(v * scale) for v in inner)
    guess[y0:y1, x0:x1] = cv2.GC_PR_FGD
    cv2.setRNGSeed(1)  # its first colour models are drawn at random
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, guess, (0, 0, 0, 0), *models, 5, cv2.GC_INIT_WITH_MASK)
    found = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) * 255
    full = cv2.resize(found, (pixels.shape[1], pixels.shape[0]), interpolation=cv2.INTER_CUBIC)
    return pixels, _tidy((full > 127).astype(np.uint8) * 255), inner


def _tidy(mask: Mask) -> Mask:
    """Only the largest piece, without holes and thin threads."""
    size = max(1, round(0.012 * max(mask.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * size + 1, 2 * size + 1))
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)
    outlines, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    tidy = np.zeros_like(mask)
    if outlines:
        largest = max(outlines, key=cv2.contourArea)
        cv2.drawContours(tidy, [largest], -1, 255, cv2.FILLED)
    return tidy


def why_bad(label: str, pixels: Image, mask: Mask, box: PixelBox) -> str | None:
    """Why the mask of an object must not be pasted, ``None`` if it is good."""
    bounds = mask_bounds(mask)
    if bounds is None:
        return "empty"
    demands = DEMANDS[label]
    fill = np.count_nonzero(mask) / area_px(box)
    if not demands.fill[0] <= fill <= demands.fill[1]:
        return "too empty" if fill < demands.fill[0] else "too full"
    shared = overlap_px(bounds, box)
    if shared < demands.overlap * (area_px(bounds) + area_px(box) - shared):
        return "not its box"
    return _why_bad_outline(demands, mask, box) or _why_bad_pixels(pixels, mask)


def _why_bad_outline(demands: Demands, mask: Mask, box: PixelBox) -> str | None:
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = outlines[0]
    area = max(1.0, cv2.contourArea(outline))
    if area < demands.solidity * cv2.contourArea(cv2.convexHull(outline)):
        return "not solid"
    if cv2.arcLength(outline, closed=True) ** 2 > demands.ruggedness * 4 * np.pi * area:
        return "frayed"
    x0, y0, x1, y1 = box
    sides = (mask[y0, x0:x1], mask[y1 - 1, x0:x1], mask[y0:y1, x0], mask[y0:y1, x1 - 1])
    if max(float((side > 0).mean()) for side in sides) > demands.touch:
        return "cut straight"
    return None


def _why_bad_pixels(pixels: Image, mask: Mask) -> str | None:
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    if cv2.Laplacian(grey, cv2.CV_32F)[mask > 0].var() < LEAST_SHARPNESS:
        return "blurry"
    lab = to_lab(pixels)
    apart = lab[mask > 0].mean(0) - _around(lab, mask)
    # Lightness is on a scale of 255 instead of 100.
    if np.linalg.norm(apart * np.array([100 / 255, 1, 1])) < LEAST_SEPARATION:
        return "like its surroundings"
    return None


def _around(lab: NDArray[np.float32], mask: Mask) -> NDArray[np.float32]:
    """Mean Lab of what is near the object and is not it."""
    near = cv2.dilate(mask, np.ones((9, 9), dtype=np.uint8))
    outside = cv2.dilate(mask, np.ones((3, 3), dtype=np.uint8)) == 0
    ring = (near > 0) & outside
    chosen = ring if ring.any() else outside
    return np.asarray(lab[chosen].mean(0), dtype=np.float32)


def cut(
    picture: Image,
    box: PixelBox,
    others: list[PixelBox],
    *,
    label: str,
    source: str,
    image: str,
    number: int,
    seen_from_above: bool,
) -> Cutout | str:
    """Cut one object out of its photograph; a text says why it is not good enough."""
    refused = why_not_cut(picture, box, others)
    if refused:
        return refused
    pixels, mask, inner = grab(picture, box)
    refused = why_bad(label, pixels, mask, inner)
    bounds = mask_bounds(mask)
    if refused or bounds is None:
        return refused or "empty"
    lab = to_lab(picture)
    # One px of the outline is background mixed in: the halo that gives pasted pictures away.
    thinner = cv2.erode(mask, np.ones((3, 3), dtype=np.uint8), borderValue=0)
    window = np.s_[bounds[1] : bounds[3], bounds[0] : bounds[2]]
    return Cutout(
        label=label,
        source=source,
        image=image,
        number=number,
        seen_from_above=seen_from_above,
        pixels=pixels[window],
        mask=np.asarray(thinner[window], dtype=np.uint8),
        surroundings=_around(to_lab(pixels), mask),
        picture_mean=np.asarray(lab.reshape(-1, 3).mean(0), dtype=np.float32),
        picture_contrast=float(lab[..., 0].std()),
    )
