"""Which recorded tracks can matter to a camera's rules at all.

A rule begins with a track whose anchor is in its zone, and follows that track; others matter only
where they cover, or lie at, the place of what is followed. So a track that never comes near a
zone, nor near any place where something of a zone ever was, is left out of a replay: the decisions
are the same, and most of the work is saved where most of the traffic is elsewhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.labels import VEHICLES
from models.zone import Camera, LitteringRule, Zone
from service.recording.codec import Columns, Ints
from service.recording.unfold import Mask, boxes_px
from zones.allowances import PERSON
from zones.presence import KEPT_HEIGHTS

MARGIN_PX = 2.0
"""Anchors are moved into the picture by up to a pixel before they are judged."""
REACH_RATIO = 0.5
"""What lies closer to a thing than this share of its size may be taken for it."""

PASSING = frozenset({PERSON, *VEHICLES})
"""What littering minds besides litter."""

Rects = NDArray[np.float64]
"""x1, y1, x2, y2 in pixels, shape (n, 4)."""


class Relevance:
    """Remembers, block after block, where rules may be following something.

    Where the pictures change their size it gives up, and everything is kept from then on.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._size_px: tuple[int, int] | None = None
        self._gave_up = False
        self._zones: list[Rects] = []
        self._places: list[Rects] = []
        """By zone: around all boxes of what ever had its anchor in it."""
        self._minds_passers = [
            any(isinstance(rule, LitteringRule) for rule in zone.rules) for zone in camera.zones
        ]
        self._followed: Ints = np.zeros(0, dtype=np.int64)

    def of(self, columns: Columns) -> Mask | None:
        """Which tracks of the block to keep; ``None``: all of them."""
        if not self._fits(columns):
            return None
        ids, boxes = columns.tracks["track_id"], boxes_px(columns)
        keep = np.isin(ids, self._followed)
        for number, zone in enumerate(self._zones):
            inside = np.isin(ids, np.unique(ids[self._anchored(zone, boxes)]))
            # What was in a zone may leave it by a part of its size and still be followed.
            keep |= inside
            keep |= self._passing(number, columns, boxes)
            self._grow(number, boxes[inside | np.isin(ids, self._followed)])
        self._followed = np.union1d(self._followed, ids[keep])
        for place in self._places:
            keep |= _meet(place, boxes)
        keep = np.isin(ids, np.unique(ids[keep]))
        # Rules tell tracks they know from new ones: what goes on in the next block must be known.
        last = int(columns.looks["count"][-1]) if len(columns.looks["count"]) else 0
        keep[len(ids) - last :] = True
        return keep

    def _fits(self, columns: Columns) -> bool:
        sizes = np.stack([columns.looks["width_px"], columns.looks["height_px"]], axis=1)
        for width_px, height_px in np.unique(sizes, axis=0).tolist():
            size_px = (int(width_px), int(height_px))
            if self._size_px is None:
                self._size_px = size_px
                self._zones = [self._bounds(zone) for zone in self._camera.zones]
                self._places = [np.zeros((0, 4)) for _ in self._zones]
            self._gave_up = self._gave_up or size_px != self._size_px
        return self._size_px is not None and not self._gave_up

    def _bounds(self, zone: Zone) -> Rects:
        size_px = self._size_px or (0, 0)
        corners = np.array(zone.corners_px(self._camera.resolution, *size_px))
        low, high = corners.min(axis=0) - MARGIN_PX, corners.max(axis=0) + MARGIN_PX
        return np.concatenate([low, high])[np.newaxis]

    def _anchored(self, zone: Rects, boxes: Rects) -> Mask:
        width_px, height_px = self._size_px or (0, 0)
        x = np.clip((boxes[:, 0] + boxes[:, 2]) / 2, 0, width_px)
        y = np.clip(boxes[:, 3], 0, height_px)
        return _meet(zone, np.stack([x, y, x, y], axis=1))

    def _passing(self, number: int, columns: Columns, boxes: Rects) -> Mask:
        """Persons and vehicles that a rule may mind who are near its zone, though not in it."""
        labels = [label in PASSING for label in columns.labels]
        if not self._minds_passers[number] or not any(labels):
            return np.zeros(len(boxes), dtype=bool)
        reach = KEPT_HEIGHTS * np.maximum(boxes[:, 3:] - boxes[:, 1:2], 0)
        grown = np.concatenate([boxes[:, :2] - reach, boxes[:, 2:] + reach], axis=1)
        return np.array(labels)[columns.tracks["label"]] & _meet(self._zones[number], grown)

    def _grow(self, number: int, boxes: Rects) -> None:
        if not len(boxes):
            return
        sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
        reach = REACH_RATIO * np.sqrt(sides.prod(axis=1, keepdims=True))
        grown = np.concatenate([boxes[:, :2] - reach, boxes[:, 2:] + reach], axis=1)
        known = np.concatenate([self._places[number], grown])
        low, high = known[:, :2].min(axis=0), known[:, 2:].max(axis=0)
        self._places[number] = np.concatenate([low, high])[np.newaxis]


def _meet(place: Rects, boxes: Rects) -> Mask:
    """Which boxes touch a place; none if there is no place yet."""
    if not len(place):
        return np.zeros(len(boxes), dtype=bool)
    x1, y1, x2, y2 = place[0]
    touch: Mask = (
        (boxes[:, 0] <= x2) & (boxes[:, 2] >= x1) & (boxes[:, 1] <= y2) & (boxes[:, 3] >= y1)
    )
    return touch
