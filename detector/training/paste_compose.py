"""One pasted picture: what is put where, and the boxes of what is then to be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from detector.training.paste_blend import (
    SEEN_PIXEL,
    Patch,
    around_of,
    blend,
    blend_gradients,
    cast_shadows,
    harmonised,
    light_of,
    seen_bounds,
    shaped,
)
from detector.training.paste_cut import Cutout, Mask, PixelBox, mask_bounds, pixel_box
from detector.training.paste_place import (
    TRIES,
    Ground,
    View,
    draw_anchor,
    fits,
    usable_ground,
    view_of,
)
from models.seeing import Image

LabelBox = tuple[int, float, float, float, float]
LEAST_PX: Mapping[str, float] = {"litter": 11.0, "garbage_pile": 22.0}
"""Longer side below which an object is not pasted: less is no evidence of anything."""
LARGEST_RATIO = 0.45
"""An object larger than this share of the picture's height would be before the lens."""
BAG_M = (0.4, 0.9)
LONG_LITTER_M, SHORT_LITTER_M = (0.17, 0.3), (0.1, 0.28)
"""Bottles are up to 0.3 m long, cans and cups 0.12 m, sheets of paper and boxes 0.3 m."""
LONG_SHAPE_RATIO = 1.9
HEAP_OVERLAP = 0.5
"""Share of a bag's box that bags of the same heap may overlap."""
LEAST_SEEN = 0.55
"""An object hidden more than this leaves is not pasted."""
GRADIENT_SHARE = 0.12
"""So many objects are put in by Poisson blending, for variety of edges."""
SCENES: Sequence[tuple[str, float]] = (
    ("litter", 0.42),
    ("bags", 0.2),
    ("heap", 0.22),
    ("mixed", 0.16),
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Item:
    """One object in its place."""

    cutout: Cutout
    patch: Patch
    x: int
    """Where the patch's left upper corner lies."""
    y: int
    box: PixelBox
    """Tight around the pixels that are to be seen of it."""
    size_m: float

    def label_line(self, label_ids: Sequence[str], width_px: int, height_px: int) -> LabelBox:
        """Class number, centre and size in ratios, as in a label file."""
        x0, y0, x1, y1 = self.box
        return (
            list(label_ids).index(self.cutout.label),
            (x0 + x1) / 2 / width_px,
            (y0 + y1) / 2 / height_px,
            (x1 - x0) / width_px,
            (y1 - y0) / height_px,
        )

    def trace(self) -> dict[str, Any]:
        """Where it comes from and where it is, for the manifest."""
        cutout = self.cutout
        return {
            "label": cutout.label,
            "source": cutout.source,
            "image": cutout.image,
            "box": cutout.number,
            "at": list(self.box),
            "size_m": round(self.size_m, 2),
        }


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pasted:
    """A finished picture."""

    picture: Image
    items: tuple[Item, ...]


def compose(
    picture: Image,
    boxes: Sequence[LabelBox],
    view: View,
    cutouts: Mapping[str, Sequence[Cutout]],
    label_ids: Sequence[str],
    rng: np.random.Generator,
    *,
    moving: Mask | None = None,
) -> Pasted | None:
    """Paste 1 to 8 objects onto a picture; ``None`` where there is no room.

    ``boxes`` are the picture's own labels, numbered by ``label_ids``; ``moving`` is 255 where
    something moves. The picture given is left as it is.
    """
    height, width = picture.shape[:2]
    taken = [pixel_box(box[1:], width, height) for box in boxes]
    labelled = zip(taken, boxes, strict=True)
    rulers = [where for where, box in labelled if label_ids[box[0]] == view.ruler]
    seen_view = view_of(view, taken, rulers, width, height, rng)
    if seen_view is None:
        return None
    usable = usable_ground(picture, seen_view, taken, moving)
    ground = Ground(view=seen_view, usable=usable, taken=tuple(taken))
    items = _seen(_arrange(ground, cutouts, rng), (height, width))
    if not items:
        return None
    return Pasted(picture=_draw(picture, items, rng), items=tuple(items))


def _arrange(
    ground: Ground, cutouts: Mapping[str, Sequence[Cutout]], rng: np.random.Generator
) -> list[Item]:
    names, odds = zip(*SCENES, strict=True)
    scene = str(rng.choice(list(names), p=list(odds)))
    bags, litter = cutouts.get("garbage_pile", ()), cutouts.get("litter", ())
    items: list[Item] = []
    if scene == "heap" and bags:
        items += _heap(ground, bags, int(rng.integers(3, 7)), rng)
    elif scene in ("bags", "mixed") and bags:
        items += _scatter(ground, bags, int(rng.integers(1, 4)), rng)
    if litter and (scene in ("litter", "mixed") or not bags):
        items += _scatter(ground, litter, int(rng.integers(1, 7)), rng)
    elif scene == "heap" and litter:
        items += _scatter(ground, litter, int(rng.integers(0, 3)), rng)
    return items[:8]


def _scatter(
    ground: Ground, cutouts: Sequence[Cutout], number: int, rng: np.random.Generator
) -> list[Item]:
    items: list[Item] = []
    for _ in range(number):
        cutout = cutouts[int(rng.integers(len(cutouts)))]
        for _ in range(TRIES):
            size_m = _size_m(cutout, rng)
            anchor = draw_anchor(ground, size_m, LEAST_PX[cutout.label], rng)
            item = anchor and _item(ground, cutout, anchor, size_m, rng)
            if item and fits(ground, item.box):
                ground.placed.append(item.box)
                items.append(item)
                break
    return items


def _heap(
    ground: Ground, bags: Sequence[Cutout], number: int, rng: np.random.Generator
) -> list[Item]:
    """Bags side by side and before each other, around one place."""
    first = _scatter(ground, bags, 1, rng)
    if not first:
        return []
    items, middle = first, first[0].box
    centre = ((middle[0] + middle[2]) / 2, middle[3])
    scale = ground.view.px_per_m(centre[1], ground.height_px)
    slant = ground.view.slant(centre[1], ground.width_px, ground.height_px)
    for _ in range(TRIES * number):
        if len(items) >= number:
            break
        cutout = bags[int(rng.integers(len(bags)))]
        along, deep = rng.normal(0, 0.28 * np.sqrt(number)), rng.normal(0, 0.3)
        anchor = round(centre[0] + along * scale), round(centre[1] + deep * scale * slant)
        size_m = _size_m(cutout, rng)
        item = _item(ground, cutout, anchor, size_m, rng)
        beside = [other.box for other in items]
        if item and fits(ground, item.box, HEAP_OVERLAP, beside):
            ground.placed.append(item.box)
            items.append(item)
    return items


def _size_m(cutout: Cutout, rng: np.random.Generator) -> float:
    """Longer side of an object in metres; what exactly it is, nobody labelled."""
    if cutout.label == "garbage_pile":
        return float(rng.uniform(*BAG_M))
    longer, shorter = max(cutout.mask.shape), min(cutout.mask.shape)
    sizes = LONG_LITTER_M if longer > LONG_SHAPE_RATIO * shorter else SHORT_LITTER_M
    return float(rng.uniform(*sizes))


def _item(
    ground: Ground,
    cutout: Cutout,
    anchor: tuple[int, int],
    size_m: float,
    rng: np.random.Generator,
) -> Item | None:
    """The object with the foot of its box at ``anchor``; ``None`` if it is too small or large."""
    x, y = anchor
    longer = size_m * ground.view.px_per_m(y, ground.height_px)
    slant = ground.view.slant(y, ground.width_px, ground.height_px)
    # Litter has some height, so that it is never seen as flat as the ground is.
    flatten = min(1.0, 0.4 + 0.6 * slant) if cutout.seen_from_above else 1.0
    bag = cutout.label == "garbage_pile"
    lying = 180.0 if cutout.seen_from_above else 14.0
    turn = float(rng.normal(0, 5) if bag else rng.uniform(-lying, lying))
    flip = bool(rng.random() < 0.5)
    if longer > LARGEST_RATIO * ground.height_px:
        return None
    patch = shaped(cutout, longer, turn_deg=turn, flip=flip, flatten=1.0 if bag else flatten)
    bounds = seen_bounds(patch) if patch else None
    if patch is None or bounds is None:
        return None
    wide, high = bounds[2] - bounds[0], bounds[3] - bounds[1]
    if max(wide, high) < LEAST_PX[cutout.label] or min(wide, high) < LEAST_PX[cutout.label] / 2.5:
        return None
    left, top = x - (bounds[0] + bounds[2]) // 2, y - bounds[3]
    box = (left + bounds[0], top + bounds[1], left + bounds[2], top + bounds[3])
    return Item(cutout=cutout, patch=patch, x=left, y=top, box=box, size_m=size_m)


def _seen(items: list[Item], shape: tuple[int, int]) -> list[Item]:
    """From far to near, with boxes of what is seen; the most hidden are left out one by one."""
    items = sorted(items, key=lambda item: item.box[3])
    while items:
        owner = np.full(shape, -1, dtype=np.int16)
        covered = []
        for number, item in enumerate(items):
            x0, y0, x1, y1 = item.box
            inner = np.s_[y0 - item.y : y1 - item.y, x0 - item.x : x1 - item.x]
            mask = item.patch.cover[inner] > SEEN_PIXEL
            owner[y0:y1, x0:x1][mask] = number
            covered.append(np.count_nonzero(mask))
        shares = [np.count_nonzero(owner == k) / covered[k] for k in range(len(items))]
        worst = int(np.argmin(shares))
        if shares[worst] >= LEAST_SEEN:
            bounds = [mask_bounds(owner == k) for k in range(len(items))]
            return [replace(i, box=b) for i, b in zip(items, bounds, strict=True) if b]
        del items[worst]
    return []


def _draw(picture: Image, items: Sequence[Item], rng: np.random.Generator) -> Image:
    """All objects with their shadows; before any is drawn, each is fitted to its place."""
    light = light_of(picture, rng)
    done = picture.copy()
    for item in items:
        patch = harmonised(item.patch, item.cutout, around_of(picture, item.box), light)
        cast_shadows(done, patch, item.x, item.y, light)
        smooth = rng.random() < GRADIENT_SHARE and item.cutout.label == "litter"
        if not (smooth and blend_gradients(done, patch, item.x, item.y)):
            blend(done, patch, item.x, item.y, light, rng)
    return done
