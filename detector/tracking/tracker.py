"""From boxes to tracks: which object each box is, and since when it has stood still.

Association is our own, on SciPy's assignment: the trackers in ``supervision`` and ``trackers``
count time in frames and match by overlap alone, so that at one look a second they take the next
vehicle at a place for the one before (docs/decisions). What decides here is whether the pixels at
a place are still those of the thing that stood there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from detector.tracking.association import (
    DOUBLE_IOU,
    SPAN_COVER,
    assign,
    distinct,
    kind_of,
    overlap,
    same_thing,
    touching,
)
from detector.tracking.patches import alike
from detector.tracking.place import Finding, moved
from detector.tracking.thing import MAX_PARTS, PERSON, Thing
from detector.tracking.view import View
from models.geometry import Box
from models.seeing import Detection, Frame, Image, Look

MAX_THINGS = 256
"""Most things remembered of a camera; those away for longest are forgotten first."""
MIN_MOVING_IOU = 0.2
MIN_ALIKE = 0.5
"""Likeness of a thing to itself further on: turned, and nearer or farther away."""
MIN_ALIKE_LEFT = 0.75
"""The same for a thing that stood: a similar one that passes must not take its identity."""
COVER_RATIO = 0.3

# A kind of match counts for more than any overlap of the next kind.
_SAME, _SHIFTED, _CHANGED = 3.0, 2.0, 1.0


class CameraTracker:
    """Tracks of one camera. Not thread-safe: one worker at a time gives it looks, in order."""

    def __init__(self, camera_id: str) -> None:
        self.camera_id = camera_id
        self._view = View()
        self._things: list[Thing] = []
        self._next_id = 1
        self._picture_size: tuple[int, int] | None = None

    def update(
        self, frame: Frame, detections: Sequence[Detection], *, is_still: bool = False
    ) -> Look:
        """Take in one look; boxes are in pixels of the frame. Time is the frame's own.

        ``is_still``: the picture shows what it showed at the last look that was not. Then what was
        found to stand in its place need not be compared with it again.
        """
        now, image = frame.captured_at, frame.image
        self._start_over_if_resized(image)
        if is_still:
            self._view.stays()
        else:
            self._view.look(image)
        found = distinct(detections, frame.width_px, frame.height_px)
        for thing in self._things:
            if not (thing.is_person or (is_still and thing.place.finding is Finding.SAME)):
                thing.place.examine(image, self._view)
        seen = self._associate(found, image, now)
        self._miss_others(seen, detections, image, now)
        self._join_halves(detections, now)
        self._forget(seen, now)
        return Look(
            camera_id=self.camera_id,
            at=now,
            width_px=frame.width_px,
            height_px=frame.height_px,
            tracks=tuple(thing.track() for thing in self._things),
        )

    def _start_over_if_resized(self, image: Image) -> None:
        size = (image.shape[1], image.shape[0])
        if self._picture_size not in (None, size):
            self._view, self._things = View(), []
        self._picture_size = size

    def _associate(self, found: Sequence[Detection], image: Image, now: datetime) -> set[int]:
        """Give each box to a thing, known or new; the ids of the things seen."""
        affinity = self._affinities(found, image, now)
        pairs = assign(affinity)
        seen = set()
        for row, column in pairs:
            self._things[row].see(found[column], image, self._view, now)
            seen.add(self._things[row].track_id)
        taken = {column for _, column in pairs}
        for column, detection in enumerate(found):
            if column not in taken and not self._explained(detection):
                seen.add(self._add(detection, image, now))
        return seen

    def _affinities(
        self, found: Sequence[Detection], image: Image, now: datetime
    ) -> NDArray[np.float64]:
        """How strongly each box (column) speaks for each thing (row)."""
        boxes = [detection.box for detection in found]
        near = touching([thing.reach(self._view, now) for thing in self._things], boxes)
        affinities = np.zeros(near.shape)
        for row, column in np.argwhere(near):
            thing, detection = self._things[row], found[column]
            affinities[row, column] = self._affinity(thing, detection, image, now)
        return affinities

    def _affinity(self, thing: Thing, detection: Detection, image: Image, now: datetime) -> float:
        """How strongly a box speaks for a thing; 0: not at all."""
        if thing.kind != kind_of(detection.label):
            return 0.0
        box, place = detection.box, thing.place
        there = place.in_picture(self._view)
        common = max(overlap(box, there), overlap(box, thing.box))
        if place.finding is Finding.SAME and common > 0:
            return _SAME + common
        if thing.by_place and thing.near(box, self._view):
            return _SAME + common
        if thing.has_moved_to(box, self._view):
            return _SHIFTED + box.iou(thing.box)
        if thing.looks_changed(box, image, self._view, now):
            return _CHANGED + common
        return self._moving_affinity(thing, box, image, now)

    def _moving_affinity(self, thing: Thing, box: Box, image: Image, now: datetime) -> float:
        common = thing.expected_box(now).iou(box)
        if common < MIN_MOVING_IOU or thing.by_place:
            return 0.0
        if thing.place.established and overlap(box, thing.place.in_picture(self._view)) > 0:
            return 0.0  # what stood there is hidden: this is in front of it, or has its place
        if thing.is_person or not thing.place.samples:
            return common
        needed = MIN_ALIKE_LEFT if thing.place.established else MIN_ALIKE
        likeness = alike(thing.place.samples[-1].patch, image, box)
        return common * likeness if likeness >= needed else 0.0

    def _explained(self, detection: Detection) -> bool:
        """Whether a box is a part of a thing that stands there, plainly seen as before."""
        kind = kind_of(detection.label)
        return any(
            thing.kind == kind and thing.explains(detection.box, self._view)
            for thing in self._things
        )

    def _add(self, detection: Detection, image: Image, now: datetime) -> int:
        track_id, self._next_id = self._next_id, self._next_id + 1
        kind = kind_of(detection.label)
        self._things.append(Thing.found(track_id, kind, detection, image, self._view, now))
        return track_id

    def _miss_others(
        self, seen: set[int], detections: Sequence[Detection], image: Image, now: datetime
    ) -> None:
        boxes = [detection.box for detection in detections]
        for thing in self._things:
            if thing.track_id not in seen:
                covered = any(thing.box.covered_by(box) >= COVER_RATIO for box in boxes)
                thing.miss(image, self._view, now, covered=covered)

    def _join_halves(self, detections: Sequence[Detection], now: datetime) -> None:
        """Take for one what a pole splits: a box around both halves was seen more than once."""
        there = [thing for thing in self._things if not thing.is_person and thing.is_there(now)]
        spans = [detection for detection in detections if detection.label != PERSON]
        parts = [
            (sure, weak)
            for sure, weak in permutations(there, 2)
            if weak.may_be_part_of(sure)
            and any(self._spans(span, sure, weak) for span in spans)
            and weak.count_span(sure)
        ]
        for sure, weak in parts:
            sure.parts = [*sure.parts, weak.place.box][-MAX_PARTS:]
        joined = {weak.track_id for _, weak in parts}
        joined.update(
            weak.track_id
            for sure, weak in permutations(there, 2)
            if weak.kind == sure.kind and sure.has_part(weak.box, self._view)
        )
        self._things = [thing for thing in self._things if thing.track_id not in joined]

    def _spans(self, span: Detection, one: Thing, other: Thing) -> bool:
        """Whether a box of their kind is around both."""
        return kind_of(span.label) == one.kind and all(
            thing.place.in_picture(self._view).covered_by(span.box) >= SPAN_COVER
            for thing in (one, other)
        )

    def _doubles(self, seen: set[int]) -> set[int]:
        """Ids of things that are not: their place is that of an older thing which is there."""
        standing = [thing for thing in self._things if thing.standing]
        places = [
            thing.place.box.union(moved(thing.box, self._view.shift, -1.0)) for thing in standing
        ]
        pairs = [(standing[i], standing[j]) for i, j in np.argwhere(touching(places, places))]
        return {
            other.track_id
            for thing, other in pairs
            if thing.place.finding is Finding.SAME
            and _age(other) > _age(thing)
            and _double(thing, other, seen)
        }

    def _forget(self, seen: set[int], now: datetime) -> None:
        doubles = self._doubles(seen)
        kept = [
            thing
            for thing in self._things
            if thing.track_id not in doubles and not thing.forgotten(now)
        ]
        kept.sort(key=lambda thing: (thing.last_seen, -thing.track_id), reverse=True)
        self._things = sorted(kept[:MAX_THINGS], key=lambda thing: thing.track_id)


def _age(thing: Thing) -> tuple[datetime, int]:
    """Sorts things, the one that has stood longest first."""
    return (thing.place.since, thing.track_id)


def _double(thing: Thing, other: Thing, seen: set[int]) -> bool:
    """Whether a thing that is there, and another one, are one, or cannot both be there."""
    if thing.kind != other.kind:
        return False
    if thing.place.box.iou(other.place.box) > DOUBLE_IOU:
        return True
    both_seen = thing.track_id in seen and other.track_id in seen
    if other.place.finding is not Finding.SAME or both_seen:
        return False
    return same_thing(thing.box, other.box) or same_thing(thing.place.box, other.place.box)
