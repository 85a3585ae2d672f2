"""Following things that are known by where they lie: litter and damage.

Detectors see such things on and off, and trackers give them new ids in between. What is seen again
at the same place is the same thing; what moves is followed by its track until it lies still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.geometry import Box
from models.seeing import Track
from models.zone import Rule
from zones.case import Case, Match, Scene
from zones.polygon import ZoneShape
from zones.series import Floats, Mask, anchors
from zones.watching import Watcher, best_pairs

SAME_PLACE_IOU = 0.3
"""Two boxes with this overlap are at the same place."""
SAME_PLACE_CENTRE_RATIO = 0.5
"""So are two whose centres are closer than this share of the smaller one's size."""


class PlaceWatcher(Watcher):
    """Follows things by their place; ``by_label``: another label is another thing."""

    knows_by_place = True

    def __init__(self, rule: Rule, cases: Sequence[Case] = (), *, by_label: bool) -> None:
        super().__init__(rule, cases)
        self._by_label = by_label

    def _match(self, cases: Sequence[Case], scene: Scene) -> Mapping[int, Match]:
        free = {t.track_id: t for t in scene.seen if t.label in self.rule.labels}
        matches: dict[int, Match] = {}
        for index, case in enumerate(cases):
            for track in [free[i] for i in case.track_ids if i in free]:
                if self._is_followed(case, track):
                    matches[index] = _match(free.pop(track.track_id))
        lying = {i: c for i, c in enumerate(cases) if c.is_standing and i not in matches}
        for index, track_id in best_pairs(lying, free, self._likeness).items():
            matches[index] = _match(free.pop(track_id))
        return matches

    def follows(self, label: str) -> bool:
        """Whether a thing that is watched may be called so at a look."""
        return label in self.rule.labels

    def is_inside(self, box: Box, shape: ZoneShape) -> bool:
        """Whether a thing in this box is surely in the zone."""
        return shape.holds(box.anchor)

    def surely_inside(self, boxes: Floats, shape: ZoneShape) -> Mask:
        """Which of many boxes are in the zone, found out quickly; others may be, too."""
        return shape.hold_which(anchors(boxes))

    def _still_stands(self, case: Case, track: Track) -> bool:
        del case, track  # they were matched by their place
        return True

    def _is_known(self, track: Track, present: Sequence[Track], alive: Sequence[Case]) -> bool:
        if any(self._likeness(case, track) > 0 for case in alive if case.is_standing):
            return True
        return any(
            likeness(other.box, track.box) > 0
            for other in present
            if not self._by_label or other.label == track.label
        )

    def _hiding(
        self, cases: Sequence[Case], matches: Mapping[int, Match], scene: Scene
    ) -> Sequence[Track]:
        del cases, matches
        return [track for track in scene.seen if track.label not in self.rule.labels]

    def _is_in_front(self, track: Track, case: Case) -> bool:
        return track.box.y2 >= case.box.y2

    def _is_followed(self, case: Case, track: Track) -> bool:
        # The same track at the same place is the same thing, whatever it is called at this look.
        if not case.is_standing or likeness(case.box, track.box) > 0:
            return True
        # Wind or a kick moves a bag that was reported already: it is no second one.
        return case.is_ripe and track.stationary_since is not None

    def _likeness(self, case: Case, track: Track) -> float:
        if self._by_label and track.label != case.label:
            return 0.0
        return likeness(case.box, track.box)


def likeness(one: Box, other: Box) -> float:
    """How likely two boxes are at the same place: 0 if they are not."""
    overlap = one.iou(other)
    if overlap >= SAME_PLACE_IOU:
        return overlap
    (x1, y1), (x2, y2) = one.center, other.center
    reach = SAME_PLACE_CENTRE_RATIO * min(one.size, other.size)
    is_close = (x1 - x2) ** 2 + (y1 - y2) ** 2 <= reach**2
    return max(overlap, 0.01) if is_close else 0.0


def _match(track: Track) -> Match:
    return Match(track=track, ids=frozenset({track.track_id}))
