"""Where on the ground of a street picture an object may lie, and how large it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.training.paste_cut import Mask, PixelBox, area_px, overlap_px, to_lab
from models.seeing import Image

FOCAL_RATIO = 0.9
"""Focal length in picture widths: a horizontal view of about 58 degrees, as of most cameras."""
COLOUR_TOLERANCE = 15.0
"""Distance in Lab's a and b up to which a place counts as the same ground as the reference."""
LIGHTNESS_TOLERANCE = 60.0
"""The same for lightness (of 255): shadows and lane marks lie on the ground too."""
CLEAR_OF_LABELS_PX = 3
CONTACT_RATIO = 0.3
"""Lowest share of an object, where it stands on the ground."""
TRIES = 40
"""Random places tried for one object before it is given up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """How a camera looks at level ground. Heights in the picture are ratios of its height."""

    horizon_ratio: float = 0.3
    """May be negative: above the picture."""
    camera_height_m: float = 1.5
    """The ground's scale is (y - horizon) / camera height: px per metre at height y."""
    top_ratio: float = 0.4
    """Nothing is put farther away than this."""
    region: tuple[tuple[float, float], ...] = ()
    """Corners of the ground that may be used, as ratios of width and height; empty: all."""
    ruler: str = ""
    """Class whose labelled boxes measure each picture instead of ``camera_height_m``."""
    ruler_m: float = 0.65
    """How wide they really are; a manhole's usual diameter."""
    ruler_is_flat: bool = False
    """They are round and lie in the ground: how flat they are seen gives the horizon too."""
    largest_box_ratio: float = 1.0
    """Pictures with a labelled box wider than this are close-ups and are left out."""
    same_ground: bool = True
    """Only on what looks like the ground before the camera; off for fixed cameras' ``region``."""
    jitter: float = 0.12
    """Random relative change of the camera's height: the prior is never exact."""

    def horizon_px(self, height_px: int) -> float:
        """Row of the horizon."""
        return self.horizon_ratio * height_px

    def px_per_m(self, y: float, height_px: int) -> float:
        """Scale of what stands on the ground at row ``y``."""
        return max(0.0, y - self.horizon_px(height_px)) / self.camera_height_m

    def slant(self, y: float, width_px: int, height_px: int) -> float:
        """Sine of the angle at which the ground is looked at in row ``y``: 1 is from above."""
        below = max(0.0, y - self.horizon_px(height_px))
        return float(below / np.hypot(below, FOCAL_RATIO * width_px))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ground:
    """A background picture, prepared for placing."""

    view: View
    usable: Mask
    """255 where something may touch the ground."""
    taken: tuple[PixelBox, ...]
    """Labelled boxes, which nothing may touch."""
    placed: list[PixelBox] = field(default_factory=list)

    @property
    def width_px(self) -> int:
        """Width of the picture."""
        return int(self.usable.shape[1])

    @property
    def height_px(self) -> int:
        """Height of the picture."""
        return int(self.usable.shape[0])


def view_by_flat_ruler(view: View, box: PixelBox, width_px: int, height_px: int) -> View:
    """The view in which a labelled round hole is as wide, and as flat, as it is seen.

    Its flatness is the sine of the angle below the horizon, and so gives the horizon; its width
    gives the scale there.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    middle = (box[1] + box[3]) / 2
    slant = min(0.85, height / width)
    below = FOCAL_RATIO * width_px * slant / np.sqrt(1 - slant**2)
    horizon = middle - below
    return replace(
        view,
        horizon_ratio=float(horizon / height_px),
        camera_height_m=float(below * view.ruler_m / width),
        top_ratio=max(view.top_ratio, float(horizon / height_px) + 0.08),
    )


def view_by_rulers(view: View, boxes: Sequence[PixelBox], height_px: int) -> View:
    """The view in which labelled things standing on the ground have their real size."""
    heights = [
        max(1.0, box[3] - view.horizon_px(height_px))
        * view.ruler_m
        / max(box[2] - box[0], box[3] - box[1])
        for box in boxes
    ]
    return replace(view, camera_height_m=float(np.median(heights)))


def view_of(
    view: View,
    boxes: Sequence[PixelBox],
    rulers: Sequence[PixelBox],
    width_px: int,
    height_px: int,
    rng: np.random.Generator,
) -> View | None:
    """The view on one picture of a set; ``None`` where its scale cannot be told.

    ``boxes`` are all labelled ones, ``rulers`` those of the view's ruler.
    """
    widest = max((b[2] - b[0] for b in boxes), default=0)
    if widest > view.largest_box_ratio * width_px:
        return None
    if view.ruler and not rulers:
        return None
    if view.ruler_is_flat:
        return view_by_flat_ruler(view, max(rulers, key=area_px), width_px, height_px)
    if view.ruler:
        return view_by_rulers(view, rulers, height_px)
    factor = float(np.clip(rng.normal(1.0, view.jitter), 0.75, 1.3))
    return replace(view, camera_height_m=view.camera_height_m * factor)


def usable_ground(
    picture: Image, view: View, boxes: Sequence[PixelBox], moving: Mask | None = None
) -> Mask:
    """255 where the picture shows ground on which nothing is labelled and nothing moves."""
    height, width = picture.shape[:2]
    usable = np.zeros((height, width), dtype=np.uint8)
    if view.region:
        corners = np.array(view.region) * (width, height)
        cv2.fillPoly(usable, [corners.round().astype(np.int32)], 255)
    else:
        usable[:] = 255
    top = max(view.top_ratio * height, view.horizon_px(height) + 1)
    usable[: max(0, round(top))] = 0
    for box in boxes:
        usable[
            max(0, box[1] - CLEAR_OF_LABELS_PX) : box[3] + CLEAR_OF_LABELS_PX,
            max(0, box[0] - CLEAR_OF_LABELS_PX) : box[2] + CLEAR_OF_LABELS_PX,
        ] = 0
    if view.same_ground:
        usable &= _like_the_foreground(picture)
    if moving is not None:
        usable &= ~moving
    return usable


def _like_the_foreground(picture: Image) -> Mask:
    """255 where the colour is that of the lower middle, joined to it."""
    height, width = picture.shape[:2]
    lab = to_lab(cv2.GaussianBlur(picture, (0, 0), 2.5))
    before = lab[
        round(0.72 * height) : round(0.97 * height), round(0.3 * width) : round(0.7 * width)
    ]
    away = lab - np.median(before.reshape(-1, 3), axis=0)
    like = (np.hypot(away[..., 1], away[..., 2]) < COLOUR_TOLERANCE) & (
        np.abs(away[..., 0]) < LIGHTNESS_TOLERANCE
    )
    mask = cv2.morphologyEx(like.astype(np.uint8), cv2.MORPH_OPEN, np.ones((7, 7), dtype=np.uint8))
    _, pieces = cv2.connectedComponents(mask)
    before_pieces = pieces[round(0.72 * height) : round(0.97 * height)]
    counts = np.bincount(before_pieces[before_pieces > 0])
    if not len(counts):
        return np.zeros((height, width), dtype=np.uint8)
    largest: NDArray[np.uint8] = (pieces == int(counts.argmax())).astype(np.uint8) * 255
    return largest


def moving_in(picture: Image, still: Image) -> Mask:
    """255 near what differs from the picture of the empty street (same size)."""
    apart = np.abs(picture.astype(np.int16) - still.astype(np.int16)).max(axis=2)
    mask = (apart > 28).astype(np.uint8) * 255
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), dtype=np.uint8))
    return np.asarray(cv2.dilate(mask, np.ones((15, 15), dtype=np.uint8)), dtype=np.uint8)


def draw_anchor(
    ground: Ground, size_m: float, least_px: float, rng: np.random.Generator
) -> tuple[int, int] | None:
    """A random point on usable ground where something of ``size_m`` is at least so large."""
    view, height = ground.view, ground.height_px
    nearest = view.horizon_px(height) + least_px / size_m * view.camera_height_m
    first = max(0, int(np.ceil(nearest)))
    rows = np.flatnonzero(ground.usable[first:].any(axis=1)) + first
    if not len(rows):
        return None
    y = int(rng.choice(rows))
    columns = np.flatnonzero(ground.usable[y])
    return int(rng.choice(columns)), y


def fits(
    ground: Ground, box: PixelBox, tolerated: float = 0.0, beside: Sequence[PixelBox] = ()
) -> bool:
    """Whether an object with this box stands on usable ground and touches no labelled box.

    Pasted ones it may not touch either; those in ``beside`` may share ``tolerated`` of its area.
    """
    if box[0] < 1 or box[1] < 1 or box[2] >= ground.width_px or box[3] >= ground.height_px:
        return False
    if any(overlap_px(box, other) for other in ground.taken):
        return False
    if any(overlap_px(box, other) for other in ground.placed if other not in beside):
        return False
    if any(overlap_px(box, other) > tolerated * area_px(box) for other in beside):
        return False
    contact = max(2, round(CONTACT_RATIO * (box[3] - box[1])))
    strip = ground.usable[box[3] - contact : box[3], box[0] : box[2]]
    return bool((strip > 0).mean() > 0.92)


def still_picture(frames: Sequence[Image]) -> Image:
    """The median of frames of a fixed camera: the street without what moves."""
    stack: NDArray[np.uint8] = np.stack(list(frames))
    street: NDArray[np.uint8] = np.median(stack, axis=0).astype(np.uint8)
    return street
