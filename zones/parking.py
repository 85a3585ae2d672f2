"""Vehicles that stand where they must not.

One incident for each vehicle, however long it stays. A vehicle is known by its track: another track
on the same spot is another vehicle, since the tracker compares what they look like. An incident
stays open while the vehicle is in the zone, even if it shuffles or moves up, and ends when it has
been out of it, or out of sight, for ``clear_after_s``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from models.geometry import Box
from models.incident import IncidentChange
from models.labels import VEHICLES
from models.parking import AlreadyThere, QueuePolicy
from models.seeing import Track
from models.zone import IllegalParkingRule
from zones.allowances import if_there_before, unless_beside_parked, while_loading
from zones.case import Case, Match, Scene
from zones.incidents import Site, alerted
from zones.labels import family
from zones.meeting import reaches
from zones.objects import ObjectJudge
from zones.polygon import ZoneShape
from zones.queue import LEAST_QUEUE, SAME_VEHICLE_IOU, Member, after_light, after_queue, queue_sizes
from zones.series import Floats, Mask, anchors
from zones.watching import Followed, Watcher, best_pairs

SPLIT_IOU = 0.5
"""Two tracks taken for one vehicle are two after all once they overlap less."""
FOUND_AGAIN_IOU = 0.4
"""After a restart a vehicle is found again by its place, with this overlap."""
IN_FRONT_RATIO = 0.15
"""A vehicle in front has its wheels lower in the picture, by this share of the hidden one's height;
one that has taken the same spot has them at the same height."""

SURELY_COVERED = 0.999
"""A strip that lies wholly in a zone is covered so far in any case, whatever is rounded."""


class VehicleWatcher(Watcher):
    """Follows vehicles by their tracks."""

    knows_by_place = False

    def __init__(self, rule: IllegalParkingRule, cases: Sequence[Case] = ()) -> None:
        super().__init__(rule, cases)
        self._min_coverage_ratio = rule.min_coverage_ratio
        self._families = frozenset(family(label) for label in rule.labels)
        self._lane_families = self._families | {family(label) for label in VEHICLES}
        self._minds_queues = rule.queue is QueuePolicy.IGNORE
        self._longest_queue_s = rule.longest_queue_s
        self._longest_red_s = rule.longest_red_s
        self._ignores_before = rule.already_there is AlreadyThere.IGNORE
        self._loading_s = rule.loading_s
        self._minds_row = rule.beside_zone_id is not None
        self._queues: Mapping[int, int] = {}
        self._moved_off_at: datetime | None = None

    def follow(self, scene: Scene, *, keeps_ripe: bool) -> Followed:
        """Go on to the next look, minding who stands because the lane stands."""
        self._queues = queue_sizes(self._members(scene)) if self._minds_queues else {}
        followed = super().follow(scene, keeps_ripe=keeps_ripe)
        self._moved_off_at = followed.moved_off_at or self._moved_off_at
        return followed

    def _members(self, scene: Scene) -> list[Member]:
        own = {i: case for case in self.cases if case.queue_peak for i in case.track_ids}
        members: list[Member] = []
        for track in scene.look.tracks:
            if not self._is_in_lane(track, scene) or track.stationary_since is None:
                continue
            if track.track_id in own:
                stopped_at = own[track.track_id].started_at
            elif track.stationary_since > track.first_seen:
                stopped_at = track.stationary_since
            else:
                continue  # it may have stood there for days before it was first seen
            members.append(Member(track_id=track.track_id, box=track.box, stopped_at=stopped_at))
        return members

    def _is_in_lane(self, track: Track, scene: Scene) -> bool:
        return family(track.label) in self._lane_families and (
            scene.shape.holds(track.anchor)
            or (scene.lane is not None and scene.lane.holds(track.anchor))
        )

    def _excused(self, case: Case, match: Match, scene: Scene) -> Case:
        if self._minds_queues:
            size = max((self._queues.get(i, 0) for i in match.ids), default=0)
            # After a restart a queue may not be known as one again yet; who is found in one, is.
            if size >= LEAST_QUEUE or not scene.is_settling:
                case = after_queue(case, size, self._longest_queue_s)
        if self._longest_red_s is not None:
            case = after_light(case, self._moved_off_at, self._longest_red_s)
        if self._ignores_before:
            case = if_there_before(case, scene)
        if self._loading_s is not None:
            case = while_loading(case, scene, self._loading_s)
        if self._minds_row:
            case = unless_beside_parked(case, match.ids, scene)
        return case

    def _match(self, cases: Sequence[Case], scene: Scene) -> Mapping[int, Match]:
        free = {t.track_id: t for t in scene.seen if family(t.label) in self._families}
        matches: dict[int, Match] = {}
        for index, case in enumerate(cases):
            own = [free[track_id] for track_id in case.track_ids if track_id in free]
            if own:
                matches[index] = _own_match(case, own, scene)
                for track_id in matches[index].ids:
                    free.pop(track_id, None)
        _find_again(cases, free, matches)
        _absorb_doubles(free, matches)
        return matches

    def follows(self, label: str) -> bool:
        """Whether a thing that is watched may be called so at a look."""
        return family(label) in self._families

    def is_inside(self, box: Box, shape: ZoneShape) -> bool:
        """Whether a thing in this box is surely in the zone."""
        return shape.holds(box.anchor) and shape.foot_share(box) >= self._min_coverage_ratio

    def surely_inside(self, boxes: Floats, shape: ZoneShape) -> Mask:
        """Which of many boxes are in the zone, found out quickly; others may be, too."""
        if self._min_coverage_ratio > SURELY_COVERED:
            return super().surely_inside(boxes, shape)
        return shape.hold_which(anchors(boxes)) & shape.hold_feet(boxes)

    def excuses(self, case: Case) -> bool:
        """Whether looks may yet show that dwell of this standing, unripe case does not count."""
        return (
            (self._minds_queues and not case.queue_over)
            or (self._longest_red_s is not None and not case.light_over)
            or self._loading_s is not None
            or self._minds_row
        )

    def waives(self, case: Case) -> bool:
        """Whether none of this unripe case's dwell counts, whatever looks show."""
        return self._ignores_before and case.is_ignored

    def _still_stands(self, case: Case, track: Track) -> bool:
        if case.still_since is None:
            return True
        return track.stationary_since is not None and track.stationary_since <= case.still_since

    def _is_known(self, track: Track, present: Sequence[Track], alive: Sequence[Case]) -> bool:
        del alive  # an absent vehicle's place may be taken by another one
        return any(track.box.iou(other.box) >= SAME_VEHICLE_IOU for other in present)

    def _hiding(
        self, cases: Sequence[Case], matches: Mapping[int, Match], scene: Scene
    ) -> Sequence[Track]:
        parked = {i for n, match in matches.items() if cases[n].is_standing for i in match.ids}
        return [track for track in scene.seen if track.track_id not in parked]

    def _is_in_front(self, track: Track, case: Case) -> bool:
        return track.box.y2 > case.box.y2 + IN_FRONT_RATIO * case.box.height


class ParkingJudge(ObjectJudge):
    """Judges ``illegal_parking`` in one zone."""

    def __init__(self, site: Site, rule: IllegalParkingRule, cases: Sequence[Case] = ()) -> None:
        super().__init__(site, rule, VehicleWatcher(rule, cases), rule.alert_after_s)
        self._alert_after_s = rule.alert_after_s

    def _judged(
        self, case: Case, scene: Scene, taken: Collection[str]
    ) -> tuple[Case, tuple[IncidentChange, ...]]:
        case, changes = super()._judged(case, scene, taken)
        if case.is_ripe or case.last_seen_at < scene.at or not self._alerts_of(case):
            return case, changes
        _, alerts = self._report(case, scene, taken)
        return replace(case, alert_box=case.box), tuple(alerted(each) for each in alerts)

    def _alerts_of(self, case: Case) -> bool:
        is_due = self._alert_after_s is not None and case.alert_box is None
        return is_due and reaches(case, self._rule, self._alert_after_s or 0.0)


def _own_match(case: Case, own: Sequence[Track], scene: Scene) -> Match:
    best = max(own, key=lambda t: (t.box.iou(case.box), t.confidence, -t.track_id))
    split = {t.track_id for t in own if t.box.iou(best.box) < SPLIT_IOU}
    # Ids that the tracker has given up are dropped, or they would pile up for days.
    kept = (case.track_ids & scene.known_ids) - split
    return Match(track=best, ids=kept | {best.track_id})


def _find_again(cases: Sequence[Case], free: dict[int, Track], matches: dict[int, Match]) -> None:
    lost = {
        index: case
        for index, case in enumerate(cases)
        if not case.track_ids and index not in matches
    }

    def likeness(case: Case, track: Track) -> float:
        if family(track.label) != family(case.label):
            return 0.0
        overlap = case.box.iou(track.box)
        return overlap if overlap >= FOUND_AGAIN_IOU else 0.0

    for index, track_id in best_pairs(lost, free, likeness).items():
        track = free.pop(track_id)
        # A passing vehicle may cover the place for a look: only one that stands is bound for good.
        stands = track.stationary_since is not None
        matches[index] = Match(track=track, ids=frozenset({track_id} if stands else ()))


def _absorb_doubles(free: dict[int, Track], matches: dict[int, Match]) -> None:
    doubles = [track for track in free.values() if track.stationary_since is not None]
    for track in doubles:
        for index, match in matches.items():
            stands = match.track.stationary_since is not None
            if stands and match.ids and track.box.iou(match.track.box) >= SAME_VEHICLE_IOU:
                matches[index] = Match(track=match.track, ids=match.ids | {track.track_id})
                break
