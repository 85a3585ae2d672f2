"""The place where a thing stands: how it looked there, since when, and whether it still does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from detector.tracking.patches import Likeness, Patch, compare, cut_patch, unchanged_ratio
from detector.tracking.view import Shift, View
from models.geometry import Box
from models.seeing import Image

SAME_SCORE = 0.72
"""Likeness of a thing to itself one look later: 0.89 at the 5th percentile of parked vehicles in
real footage; two vehicles within ``STILL_RATIO`` of one place reached 0.72 in no pair of looks."""
FOUND_AGAIN_SCORE = 0.85
"""The same after a look at which it was not there: a similar one may have taken the place."""
SEEN_ONCE_SCORE = 0.93
"""The same for what was only ever seen there once: in traffic it is most likely the next one."""
STILL_RATIO = 0.08
"""Moved by more than this share of its size, a thing does not stand still."""
STILL_FLOOR_PX = 1.5
SAME_COLOUR = 45.0
"""Grey levels by which a mean colour may change while the pattern stays."""
SAME_COLOUR_FLAT = 20.0
"""The same for things without a pattern, where nothing else tells them apart."""
MAX_SAMPLES = 3
FRESH_SCORE = 0.9
"""A place that looks less like its samples gets another one: light and shadows wander."""
REFRESH_S = 5.0
EXCHANGE_S = 2.0
"""No vehicle leaves and lets another one take its very place in so short a time."""
PARTLY_RATIO = 0.15
"""So much of a place must be unchanged for what is there to be the same thing, partly covered or
with an open door; of another vehicle's picture nothing is."""
ESTABLISHED_LOOKS = 3
ESTABLISHED_S = 2.0
MAX_CHANGES = 2
"""So many changed looks in a row are bridged; after more, nothing is known."""
MAX_TURN_RATIO = 0.04
"""A camera that turned by more of its picture shows another place: standing starts anew."""


class Finding(Enum):
    """What the pixels at a place say of the thing that stood there."""

    SAME = "same"
    SHIFTED = "shifted"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Sample:
    """How the thing looked at one time, and what the view was then."""

    patch: Patch
    view_shift: Shift
    brightness: float
    crept: Shift
    """By how many pixels the thing had crept from its place by then."""


@dataclass(kw_only=True, slots=True, eq=False)
class Place:
    """Where a thing was first seen in the position it still has."""

    box: Box
    """In scene coordinates: pixels of the picture as if the view had never shifted."""
    since: datetime
    view_shift: Shift
    last_present: datetime
    """Last look at which its pixels or its box showed that it stood here."""
    samples: list[_Sample] = field(default_factory=list)
    confirmed: int = 0
    """Looks that found the thing here again: its box and the same pixels."""
    absent_looks: int = 0
    changes: int = 0
    finding: Finding = Finding.OTHER
    likeness: Likeness | None = None
    crept: Shift = (0.0, 0.0)
    sampled_at: datetime | None = None

    @classmethod
    def found(cls, box: Box, image: Image | None, view: View, now: datetime) -> Place:
        """The place of a thing whose box, in the current picture, is new.

        Without an image nothing is remembered of its looks.
        """
        place = cls(
            box=moved(box, view.shift, -1.0), since=now, view_shift=view.shift, last_present=now
        )
        if image is not None:
            place.sample(image, view, now)
        return place

    @property
    def stood_s(self) -> float:
        """Seconds it is known to have stood here."""
        return (self.last_present - self.since).total_seconds()

    @property
    def established(self) -> bool:
        """Whether it has been confirmed so often that it cannot be passing traffic."""
        return self.confirmed >= ESTABLISHED_LOOKS and self.stood_s >= ESTABLISHED_S

    def absent_s(self, now: datetime) -> float:
        """Seconds since it was last known to stand here."""
        return (now - self.last_present).total_seconds()

    def in_picture(self, view: View) -> Box:
        """Where the place is in the current picture."""
        return moved(self.box, view.shift)

    def examine(self, image: Image, view: View) -> None:
        """Look whether the thing is still here; the answer is ``finding``."""
        self.finding, self.likeness = Finding.OTHER, None
        if self._turned_away(image, view):
            return
        needed = SAME_SCORE
        if self.absent_looks > 0:
            needed = FOUND_AGAIN_SCORE if self.confirmed > 0 else SEEN_ONCE_SCORE
        for sample in reversed(self.samples):
            likeness = self._likeness(sample, image, view)
            if likeness is None or not _alike(likeness, sample, needed):
                continue
            self.likeness = likeness
            self.crept = likeness.shift
            if likeness.shift_px <= max(STILL_FLOOR_PX, STILL_RATIO * self.box.size):
                self.finding = Finding.SAME
                return
            self.finding = Finding.SHIFTED

    def is_partly_unchanged(self, image: Image, view: View) -> bool:
        """Whether a part of the place still has the very same pixels."""
        return any(
            unchanged_ratio(
                sample.patch, image, _offset(sample, view), view.brightness / sample.brightness
            )
            >= PARTLY_RATIO
            for sample in self.samples
        )

    def confirm(self, image: Image, view: View, now: datetime) -> None:
        """The thing is here again, with the same pixels: it stands."""
        self.confirmed += 1
        self.changes = 0
        self.keep(image, view, now)

    def keep(self, image: Image, view: View, now: datetime) -> None:
        """The same pixels are here, though nothing names them."""
        self._present(now)
        if self.likeness is not None and self.likeness.score < FRESH_SCORE:
            self.sample(image, view, now)

    def accept_change(self, image: Image, view: View, now: datetime) -> None:
        """The thing stands here, though it looks different: covered, open, in another light."""
        self.changes += 1
        self._present(now)
        self.sampled_at = None
        self.sample(image, view, now)

    def sample(self, image: Image, view: View, now: datetime) -> None:
        """Remember how it looks now, unless that has been done just before."""
        if self.sampled_at is not None and (now - self.sampled_at).total_seconds() < REFRESH_S:
            return
        patch = cut_patch(image, self.in_picture(view))
        if patch is None:
            return
        self.sampled_at = now
        sample = _Sample(
            patch=patch, view_shift=view.shift, brightness=view.brightness, crept=self.crept
        )
        # The first sample stays: it is the one that holds against slow creeping.
        self.samples = [*self.samples[:1], *self.samples[1:][-(MAX_SAMPLES - 2) :], sample]

    def _present(self, now: datetime) -> None:
        self.last_present = now
        self.absent_looks = 0

    def _turned_away(self, image: Image, view: View) -> bool:
        x, y = view.shift[0] - self.view_shift[0], view.shift[1] - self.view_shift[1]
        return math.hypot(x, y) > MAX_TURN_RATIO * float(max(image.shape[:2]))

    def _likeness(self, sample: _Sample, image: Image, view: View) -> Likeness | None:
        gain = view.brightness / sample.brightness
        likeness = compare(sample.patch, image, _offset(sample, view), gain)
        if likeness is None:
            return None
        x, y = likeness.shift[0] + sample.crept[0], likeness.shift[1] + sample.crept[1]
        return Likeness(score=likeness.score, shift=(x, y), colour_change=likeness.colour_change)


def _offset(sample: _Sample, view: View) -> Shift:
    return (view.shift[0] - sample.view_shift[0], view.shift[1] - sample.view_shift[1])


def moved(box: Box, shift: Shift, sign: float = 1.0) -> Box:
    """The box, shifted (``sign`` -1: shifted back)."""
    x, y = sign * shift[0], sign * shift[1]
    return Box(box.x1 + x, box.y1 + y, box.x2 + x, box.y2 + y)


def _alike(likeness: Likeness, sample: _Sample, needed: float) -> bool:
    colour = SAME_COLOUR_FLAT if sample.patch.flat else SAME_COLOUR
    return likeness.score >= needed and likeness.colour_change <= colour
