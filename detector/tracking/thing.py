"""One tracked object: what a tracker remembers of it between looks."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from detector.tracking.association import (
    KINDS_BY_PLACE,
    PART_AREA_RATIO,
    are_halves,
    overlap,
    same_thing,
)
from detector.tracking.place import (
    EXCHANGE_S,
    FOUND_AGAIN_SCORE,
    MAX_CHANGES,
    Finding,
    Place,
    moved,
)
from detector.tracking.view import View
from models.geometry import Box
from models.seeing import Detection, Image, Track

PERSON = "person"
BOXES = 9
"""Boxes of a standing thing whose median is its box: a box cut by what passes does not count."""
VOTE_DECAY = 0.95
"""Older labels count less, look by look."""
CONFIDENCE_STEP = 0.3
MAX_PREDICTED_S = 2.0
"""Motion is not predicted over a longer time."""
MOVING_MEMORY_S = 2.0
MOVING_MEMORY_LOOKS = 2
"""A moving thing is given up after so long, and so many looks, without a box."""
STANDING_MEMORY_S = 60.0
"""A standing thing that is hidden is remembered for at least so long ..."""
LONGEST_MEMORY_S = 900.0
"""... and, while something covers its place, longer by the time it stood, up to this."""
UNSEEN_MEMORY_S = 10.0
"""The same where its pixels are there but the detector sees nothing in them."""
PROOF_LOOKS = 3
PROOF_RATIO = 0.3
"""Seen by the detector so often, and in this share of looks, a thing whose pixels are unchanged
counts as seen: detectors flicker, most of all in the dark ..."""
PROOF_S = 3.0
"""... for so long after a real detection; longer for what it saw in most looks."""
PART_CONFIDENCE_RATIO = 0.7
SPANNED_LOOKS = 2
MAX_PARTS = 4
NEAR_IOU = 0.2
NEAR_RATIO = 0.4
RATIO_LOOKS = 30
"""Looks that the share is taken over, roughly."""


@dataclass(kw_only=True, slots=True, eq=False)
class Thing:
    """An object over time. Boxes are in the current picture unless a name says scene."""

    track_id: int
    kind: str
    box: Box
    place: Place
    confidence: float
    first_seen: datetime
    last_seen: datetime
    last_detected: datetime
    votes: dict[str, float] = field(default_factory=dict)
    scene_boxes: deque[Box] = field(default_factory=lambda: deque(maxlen=BOXES))
    velocity: tuple[float, float] = (0.0, 0.0)
    missed_looks: int = 0
    bare_since: datetime | None = None
    """Since when nothing that could hide it was seen at its place, while it was away."""
    seen: float = 0.0
    looks: float = 0.0
    spanned_with: dict[int, int] = field(default_factory=dict)
    """How often a box spanned it and another, surer thing (by its id)."""
    parts: list[Box] = field(default_factory=list)
    """Scene boxes of what was taken for other things, and is a part of this one."""

    @classmethod
    def found(
        cls, track_id: int, kind: str, detection: Detection, image: Image, view: View, now: datetime
    ) -> Thing:
        """A thing that was not known before."""
        thing = cls(
            track_id=track_id,
            kind=kind,
            box=detection.box,
            place=Place.found(detection.box, None if kind == PERSON else image, view, now),
            confidence=detection.confidence,
            first_seen=now,
            last_seen=now,
            last_detected=now,
        )
        thing._count(detection, view)
        return thing

    @property
    def label(self) -> str:
        """The label that most looks gave it, the surer ones counting more."""
        return max(sorted(self.votes), key=self.votes.__getitem__)

    @property
    def standing(self) -> bool:
        """Whether it has been found at one place more than once."""
        return self.place.confirmed > 0

    @property
    def is_person(self) -> bool:
        """Persons change their looks as they move, and never stand still enough to be a matter."""
        return self.kind == PERSON

    @property
    def by_place(self) -> bool:
        """Whether its place alone tells which thing it is."""
        return self.kind in KINDS_BY_PLACE

    def expected_box(self, now: datetime) -> Box:
        """Where it should be if it went on as before."""
        elapsed_s = (now - self.last_detected).total_seconds()
        if self.standing or elapsed_s > MAX_PREDICTED_S:
            return self.box
        return moved(self.box, self.velocity, elapsed_s)

    def reach(self, view: View, now: datetime) -> Box:
        """All of the picture in which a box may be its own."""
        whole = self.box.union(self.place.in_picture(view)).union(self.expected_box(now))
        return whole.grown(NEAR_RATIO)

    def see(self, detection: Detection, image: Image, view: View, now: datetime) -> None:
        """The detector has found it: it stands, or it has moved."""
        if self.place.finding is Finding.SAME or self._lies_on(detection.box, view):
            self.place.confirm(image, view, now)
        elif not self.has_moved_to(detection.box, view) and self.looks_changed(
            detection.box, image, view, now
        ):
            self.place.accept_change(image, view, now)
        else:
            self._move(detection.box, image, view, now)
        self._count(detection, view)
        self.box = self._standing_box(view) if self.standing else detection.box
        self.last_seen = self.last_detected = now
        self.missed_looks = 0
        self.bare_since = None

    def miss(self, image: Image, view: View, now: datetime, *, covered: bool) -> None:
        """The detector has not found it: its pixels may still be there, or something hides it."""
        self.missed_looks += 1
        self.looks += 1.0
        if self.place.finding is Finding.SAME:
            self.place.keep(image, view, now)
            self.bare_since = None
            if self._proven(now):
                self.last_seen = now
        else:
            self.place.absent_looks += 1
            self.bare_since = None if covered else self.bare_since or now
        if self.standing:
            self.box = self._standing_box(view)

    def looks_changed(self, box: Box, image: Image, view: View, now: datetime) -> bool:
        """Whether a box at its place must be its own although the pixels differ.

        That is so if it was there just now, and either the light has changed or a part of it looks
        as before: somebody passes in front of it, or opens its boot. Else it is another vehicle.
        """
        place = self.place
        continuous = place.absent_looks == 0 and place.absent_s(now) <= EXCHANGE_S
        if not (continuous and place.established and place.changes < MAX_CHANGES):
            return False
        if overlap(box, place.in_picture(view)) == 0:
            return False
        return view.light_changed or place.is_partly_unchanged(image, view)

    def has_moved_to(self, box: Box, view: View) -> bool:
        """Whether pixels and box agree that it has moved a little."""
        likeness = self.place.likeness
        if self.place.finding is not Finding.SHIFTED or likeness is None:
            return False
        place = self.place.in_picture(view)
        shifted = moved(place, likeness.shift).iou(box)
        if not self.place.established:
            return shifted >= NEAR_IOU
        return likeness.score >= FOUND_AGAIN_SCORE and shifted > place.iou(box)

    def near(self, box: Box, view: View) -> bool:
        """Whether a box lies where this thing does, as far as things that lie are concerned."""
        place = self.place.in_picture(view)
        (x1, y1), (x2, y2) = box.center, place.center
        reach = NEAR_RATIO * max(place.size, box.size)
        return place.iou(box) >= NEAR_IOU or math.hypot(x1 - x2, y1 - y2) <= reach

    def is_there(self, now: datetime) -> bool:
        """Whether it was found at this look, by the detector or by its pixels."""
        return self.last_detected == now or self.place.finding is Finding.SAME

    def explains(self, box: Box, view: View) -> bool:
        """Whether a box is but a part of this thing, which stands there as before."""
        if not self.standing or self.place.finding is not Finding.SAME:
            return False
        return same_thing(box, self.box, PART_AREA_RATIO) or self.has_part(box, view)

    def has_part(self, box: Box, view: View) -> bool:
        """Whether a box is what has been found out to be a part of this thing."""
        return any(same_thing(box, moved(part, view.shift)) for part in self.parts)

    def may_be_part_of(self, sure: Thing) -> bool:
        """Whether this thing, much less sure, may be a part of another one that a pole splits."""
        weak = self.confidence < PART_CONFIDENCE_RATIO * sure.confidence
        return weak and self.kind == sure.kind and are_halves(sure.place.box, self.place.box)

    def count_span(self, sure: Thing) -> bool:
        """Count a look with a box around this thing and a surer one; whether that is enough."""
        times = self.spanned_with.get(sure.track_id, 0) + 1
        self.spanned_with = {sure.track_id: times}
        return times >= SPANNED_LOOKS

    def forgotten(self, now: datetime) -> bool:
        """Whether it has been away for so long that it will not be recognised any more."""
        unseen_s = (now - self.last_detected).total_seconds()
        if not self.standing:
            still_there = self.place.finding is Finding.SAME
            memory_s = UNSEEN_MEMORY_S if still_there else MOVING_MEMORY_S
            return self.missed_looks >= MOVING_MEMORY_LOOKS and unseen_s > memory_s
        seen_s = (self.last_detected - self.place.since).total_seconds()
        if self.place.finding is Finding.SAME:
            return unseen_s > max(min(seen_s, LONGEST_MEMORY_S), UNSEEN_MEMORY_S)
        stood_s = min(self.place.stood_s, LONGEST_MEMORY_S)
        bare_s = (now - self.bare_since).total_seconds() if self.bare_since else 0.0
        return max(self.place.absent_s(now) - stood_s, bare_s) > STANDING_MEMORY_S

    def track(self) -> Track:
        """What rules may know of it."""
        return Track(
            track_id=self.track_id,
            label=self.label,
            confidence=self.confidence,
            box=self.box,
            first_seen=self.first_seen,
            last_seen=self.last_seen,
            stationary_since=self.place.since if self.standing else None,
        )

    def _lies_on(self, box: Box, view: View) -> bool:
        return self.by_place and self.near(box, view)

    def _move(self, box: Box, image: Image, view: View, now: datetime) -> None:
        elapsed_s = (now - self.last_detected).total_seconds()
        if elapsed_s > 0:
            (x1, y1), (x2, y2) = self.box.center, box.center
            self.velocity = ((x2 - x1) / elapsed_s, (y2 - y1) / elapsed_s)
        self.place = Place.found(box, None if self.is_person else image, view, now)
        self.scene_boxes.clear()
        self.parts.clear()
        self.spanned_with.clear()
        self.seen = self.looks = 0.0

    def _count(self, detection: Detection, view: View) -> None:
        for label in self.votes:
            self.votes[label] *= VOTE_DECAY
        self.votes[detection.label] = self.votes.get(detection.label, 0.0) + detection.confidence
        self.confidence += CONFIDENCE_STEP * (detection.confidence - self.confidence)
        self.scene_boxes.append(moved(detection.box, view.shift, -1.0))
        self.seen += 1.0
        self.looks += 1.0
        if self.looks > RATIO_LOOKS:
            self.seen, self.looks = self.seen / 2, self.looks / 2

    def _standing_box(self, view: View) -> Box:
        """Median of its latest boxes, side by side."""
        sides = zip(*(box.xyxy for box in self.scene_boxes), strict=True)
        x1, y1, x2, y2 = (median(side) for side in sides)
        return moved(Box(x1, y1, x2, y2), view.shift)

    def _proven(self, now: datetime) -> bool:
        """Whether unchanged pixels count as seen: not for what the detector saw by exception."""
        if self.seen < PROOF_LOOKS or self.seen < PROOF_RATIO * self.looks:
            return False
        sure = self.seen >= 0.5 * self.looks
        limit_s = max(PROOF_S, min(self.place.stood_s / 2, LONGEST_MEMORY_S) if sure else 0.0)
        return (now - self.last_detected).total_seconds() <= limit_s
