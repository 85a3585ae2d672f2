"""Is it still there? An asset's patch against what was learnt of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.assets.lying import lies_turned
from detector.assets.patch import ASSET_PX, Mask, Place, chroma, edges
from models.seeing import Image
from models.upkeep import AssetState

ALIKE = 0.62
"""Likeness from which an asset is as it was."""
OUTLINE_ALIKE = 0.55
SURROUNDINGS_ALIKE = 0.45
"""If not even the surroundings look as learnt, the light has changed, or fog has come."""
FOUND = 0.45
"""Likeness elsewhere, or turned, from which the asset was found."""
GONE = 0.25
SWAY_PX = 3
LOCALLY_SAME = 0.5
AGREE_PX = 5
ANGLES = (-90, -60, -40, 40, 60, 90)
SURELY_ALIKE = 0.72
COLOUR_CHANGE = 0.22
"""Difference of log colour ratios: shadows of a blue sky stay below it."""
DEFACED_RATIO = 0.2
"""Share of the inside."""
FLAT_LEVELS = 3.0
LEAST_EDGE = 0.12
LEAST_TEXTURE_PX = 40.0
LEFT_RATIO = 0.4
"""So much of the edges or less is what is left of any place."""
SAME_COLOURS, MORE_ALIKE = 0.6, 0.1
HISTOGRAM_BINS = 12

Edges = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Learnt:
    """What was learnt of an asset in one kind of light."""

    edges: Edges
    """Mean edges: what does not stay averages out."""
    chroma: NDArray[np.float32]
    patch: Image
    """Median picture."""


def learnt_from(samples: Sequence[Image]) -> Learnt:
    """A robust summary of several patches: what stood in front in a few of them is not in it."""
    stack = np.stack(samples)
    patch = np.median(stack, axis=0).astype(np.uint8)
    return Learnt(
        edges=np.mean([edges(sample) for sample in samples], axis=0, dtype=np.float32),
        chroma=chroma(patch),
        patch=patch,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """How an asset looks."""

    state: AssetState
    likeness: float


def judge(
    patch: Image,
    learnt: Learnt,
    place: Place,
    *,
    has_colour: bool,
    known: AssetState | None = None,
) -> Verdict:
    """Compare a patch with what was learnt; takes about a millisecond where it is alike.

    Where it is not, finding out what has happened takes twenty, unless it is ``known`` already.
    """
    if float(patch.std()) < FLAT_LEVELS:
        return Verdict(state=AssetState.UNKNOWN, likeness=0.0)
    now = edges(patch)
    x, y, likeness = _best_nearby(now, learnt, place)
    settled = np.roll(now, (-y, -x), axis=(0, 1))
    if likeness >= ALIKE:
        is_defaced = has_colour and _is_recoloured(patch, learnt, place)
        is_defaced = is_defaced or _is_emptied(settled, learnt, place)
        state = AssetState.DEFACED if is_defaced else AssetState.ALIKE
        return Verdict(state=state, likeness=likeness)
    if not _surroundings_agree(settled, now, learnt, place):
        return Verdict(state=AssetState.UNKNOWN, likeness=likeness)
    state = known or _what_happened(patch, now, settled, learnt, place, has_colour=has_colour)
    return Verdict(state=state, likeness=likeness)


def _what_happened(
    patch: Image, now: Edges, settled: Edges, learnt: Learnt, place: Place, *, has_colour: bool
) -> AssetState:
    """What was lost at the asset's place is sought in what is new around it."""
    same = _local_agreement(now, learnt.edges) >= LOCALLY_SAME
    lost = place.whole * ~same
    new = now * ~same[..., None]
    elsewhere = _best_anywhere(new, learnt.edges, lost)
    turned = max(_best_anywhere(new, *_turned(learnt, lost, angle)) for angle in ANGLES)
    if max(elsewhere, turned) >= FOUND:
        return AssetState.MOVED if elsewhere >= turned else AssetState.TOPPLED
    if has_colour and lies_turned(learnt.patch, patch, place.inside > 0, place.ring > 0):
        return AssetState.TOPPLED
    if _looks_like_surroundings(patch, now, learnt, place):
        return AssetState.MISSING
    if _likeness(settled, learnt.edges, place.outline) >= OUTLINE_ALIKE:
        return AssetState.DEFACED
    return AssetState.CHANGED


def _local_agreement(now: Edges, then: Edges) -> NDArray[np.float32]:
    """Around each pixel: how alike the edges are, -1 to 1."""
    both = cv2.boxFilter((now * then).sum(axis=2), -1, (AGREE_PX, AGREE_PX))
    norm = cv2.boxFilter((now * now).sum(axis=2), -1, (AGREE_PX, AGREE_PX))
    was = cv2.boxFilter((then * then).sum(axis=2), -1, (AGREE_PX, AGREE_PX))
    return np.asarray(both / np.sqrt(np.maximum(norm * was, 1e-6)), np.float32)


def _likeness(now: Edges, then: Edges, mask: Mask) -> float:
    """How much of the learnt edges is there, whatever else is; or how alike all edges are."""
    both = float((mask * (now * then).sum(axis=2)).sum())
    was = float((mask * (then * then).sum(axis=2)).sum())
    norm = float((mask * (now * now).sum(axis=2)).sum())
    if was <= 1e-6:
        return 0.0
    best = max(both / was, both / float(np.sqrt(was * norm)) if norm > 1e-6 else 0.0)
    return min(1.0, best)


def _best_nearby(now: Edges, learnt: Learnt, place: Place) -> tuple[int, int, float]:
    """The small shift (x, y, pixels) at which the asset is most alike: masts sway."""
    best = (0, 0, _likeness(now, learnt.edges, place.whole))
    if best[2] >= SURELY_ALIKE:
        return best
    steps = range(-SWAY_PX, SWAY_PX + 1)
    tried = (
        (x, y, _likeness(np.roll(now, (-y, -x), axis=(0, 1)), learnt.edges, place.whole))
        for y in steps
        for x in steps
    )
    return max(best, *tried, key=lambda found: found[2])


def _best_anywhere(now: Edges, then: Edges, mask: Mask) -> float:
    """Likeness where the masked edges fit best."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0.0
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    part = mask[window]
    template = np.ascontiguousarray(then[window] * part[..., None])
    power = np.ascontiguousarray((now * now).sum(axis=2))
    both = sum(
        cv2.matchTemplate(
            np.ascontiguousarray(now[..., axis]),
            np.ascontiguousarray(template[..., axis]),
            cv2.TM_CCORR,
        )
        for axis in (0, 1)
    )
    norm = cv2.matchTemplate(power, part, cv2.TM_CCORR)
    was = float((template * template).sum())
    # Where hardly anything is, anything fits.
    scores = both / np.sqrt(np.maximum(norm, 0.2 * was) * max(was, 1e-6))
    return float(scores.max())


def _turned(learnt: Learnt, mask: Mask, angle: float) -> tuple[Edges, Mask]:
    """Edges of the learnt picture and a mask, turned by degrees about the asset's middle."""
    height, width = learnt.patch.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    picture = cv2.warpAffine(learnt.patch, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    turned = cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_NEAREST)
    return edges(picture), turned


def _surroundings_agree(settled: Edges, now: Edges, learnt: Learnt, place: Place) -> bool:
    steady = place.ring * (np.linalg.norm(learnt.edges, axis=2) > LEAST_EDGE)
    if float(steady.sum()) < LEAST_TEXTURE_PX:
        return True  # nothing there to compare
    there = max(_likeness(one, learnt.edges, place.ring) for one in (settled, now))
    return there >= SURROUNDINGS_ALIKE


def _is_emptied(settled: Edges, learnt: Learnt, place: Place) -> bool:
    """The outline is there; what was inside is gone."""
    steady = place.inside * (np.linalg.norm(learnt.edges, axis=2) > LEAST_EDGE)
    if float(steady.sum()) < LEAST_TEXTURE_PX:
        return False
    return _likeness(settled, learnt.edges, place.inside) < GONE


def _is_recoloured(patch: Image, learnt: Learnt, place: Place) -> bool:
    """A part of the inside has another colour, beyond what the light has done all around."""
    change = chroma(patch) - learnt.chroma
    around = place.ring > 0
    change = change - np.median(change[around], axis=0) if around.any() else change
    size = np.abs(change).max(axis=2)
    inside = place.inside > 0
    return float((size[inside] > COLOUR_CHANGE).mean()) >= DEFACED_RATIO


def _looks_like_surroundings(patch: Image, now: Edges, learnt: Learnt, place: Place) -> bool:
    """No edges of the asset, and colours or smoothness of what is around it."""
    if _likeness(now, learnt.edges, place.whole) >= ALIKE:
        return False
    was = float((place.whole * np.linalg.norm(learnt.edges, axis=2)).sum())
    left = float((place.whole * np.linalg.norm(now, axis=2)).sum())
    around = np.ones((ASSET_PX // 2, ASSET_PX // 2), np.uint8)
    near = place.ring * cv2.dilate(place.whole, around)
    alike_now = _same_colours(patch, place.whole, near)
    alike_then = _same_colours(learnt.patch, place.whole, near)
    return left < LEFT_RATIO * was or (
        alike_now >= SAME_COLOURS and alike_now > alike_then + MORE_ALIKE
    )


def _same_colours(patch: Image, one: Mask, other: Mask) -> float:
    """Overlap of two parts' histograms of colour and brightness, 0 to 1."""
    space = cv2.cvtColor(patch, cv2.COLOR_BGR2LAB)
    histograms = [
        cv2.calcHist(
            [space],
            [0, 1, 2],
            (mask > 0).astype(np.uint8),
            [HISTOGRAM_BINS] * 3,
            [0, 256, 64, 192, 64, 192],
        )
        for mask in (one, other)
    ]
    sums = [max(float(histogram.sum()), 1.0) for histogram in histograms]
    pairs = zip(histograms, sums, strict=True)
    first, second = (cv2.GaussianBlur(h / total, (3, 3), 0) for h, total in pairs)
    return float(np.minimum(first, second).sum())
