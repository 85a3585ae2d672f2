"""Following the things in a zone from look to look: what parking, litter and damage share.

A case is begun when a track with one of the rule's labels is surely in the zone. While it moves it
has no dwell; standing, its dwell runs; absent, it is forgotten after ``grace_s``, or, once ripe, is
gone after ``clear_after_s``. Who is who is for the subclasses to say.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

import numpy as np

from models.geometry import Box
from models.seeing import Track
from models.zone import Rule
from zones import case as cases_of
from zones.case import Case, Match, Scene
from zones.meeting import is_over, meets
from zones.polygon import ZoneShape
from zones.series import Floats, Mask

EDGE_MARGIN_RATIO = 0.25
"""So much of its size a thing's anchor may be outside before it has left: boxes jitter."""
ENTRY_CONFIDENCE_RATIO = 0.8
"""A thing is watched from this share of its threshold on; it must reach all of it to count.
Confidence wavers, and a half-hidden vehicle has stood there before it was first sure enough."""
HIDDEN_SHARE = 0.5
"""Share of a thing's box that something in front must cover for its place not to be visible."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """The cases after a look."""

    alive: tuple[Case, ...]
    ended: tuple[Case, ...]
    """Ripe ones that are gone."""
    moved_off_at: datetime | None = None
    """When one was last seen in the zone, of those that have just driven on."""


class Watcher(ABC):
    """Follows the things that one rule cares about in one zone."""

    def __init__(self, rule: Rule, cases: Sequence[Case] = ()) -> None:
        self.rule = rule
        self.cases: tuple[Case, ...] = tuple(cases)

    def follow(self, scene: Scene, *, keeps_ripe: bool) -> Followed:
        """Go on to the next look. ``keeps_ripe``: ripe cases outlive the rule's schedule."""
        cases = self._retained(scene, keeps_ripe=keeps_ripe)
        matches = self._match(cases, scene)
        hiding = self._hiding(cases, matches, scene)
        alive: list[Case] = []
        ended: list[Case] = []
        for index, case in enumerate(cases):
            after = self._advanced(case, matches.get(index), hiding, scene)
            (ended if self._is_over(after, scene) else alive).append(after)
        if scene.active_since is not None:
            alive.extend(self._entering(alive, matches, scene))
        self.cases = tuple(alive)
        return Followed(
            alive=self.cases,
            ended=tuple(case for case in ended if case.is_ripe),
            moved_off_at=max((c.last_seen_at for c in ended if _has_driven_on(c)), default=None),
        )

    @abstractmethod
    def _match(self, cases: Sequence[Case], scene: Scene) -> Mapping[int, Match]:
        """Which track each case (by its index) is found in; each track for one case at most."""

    knows_by_place: ClassVar[bool]
    """Whether what is seen at the place of something that is away may be taken for it."""

    @abstractmethod
    def follows(self, label: str) -> bool:
        """Whether a thing that is watched may be called so at a look."""

    @abstractmethod
    def is_inside(self, box: Box, shape: ZoneShape) -> bool:
        """Whether a thing in this box is surely in the zone."""

    def surely_inside(self, boxes: Floats, shape: ZoneShape) -> Mask:
        """Which of many boxes are in the zone, found out quickly; others may be, too."""
        del shape
        return np.zeros(len(boxes), dtype=bool)

    def excuses(self, case: Case) -> bool:
        """Whether looks may yet show that dwell of this standing, unripe case does not count."""
        del case
        return False

    def waives(self, case: Case) -> bool:
        """Whether none of this unripe case's dwell counts, whatever looks show."""
        del case
        return False

    @abstractmethod
    def _still_stands(self, case: Case, track: Track) -> bool:
        """Whether a standing, unripe case stands where it stood."""

    @abstractmethod
    def _is_known(self, track: Track, present: Sequence[Track], alive: Sequence[Case]) -> bool:
        """Whether the track is but another view of a thing that has a case already."""

    @abstractmethod
    def _hiding(
        self, cases: Sequence[Case], matches: Mapping[int, Match], scene: Scene
    ) -> Sequence[Track]:
        """Tracks that may stand in front of the things watched."""

    @abstractmethod
    def _is_in_front(self, track: Track, case: Case) -> bool:
        """Whether the track is nearer to the camera than the case."""

    def _retained(self, scene: Scene, *, keeps_ripe: bool) -> tuple[Case, ...]:
        if scene.active_since is None:
            return tuple(case for case in self.cases if case.is_ripe and keeps_ripe)
        if scene.is_stale:
            return tuple(case for case in self.cases if case.is_ripe)
        return self.cases

    def _advanced(
        self, case: Case, match: Match | None, hiding: Sequence[Track], scene: Scene
    ) -> Case:
        if match is None and self._is_hidden(case, hiding):
            return case  # nobody could look there: neither for nor against
        if match is None or not self._is_near(match.track, scene):
            return cases_of.missed(case, scene, self.rule, is_outside=match is not None)
        is_inside = case.is_ripe or self.is_inside(match.track.box, scene.shape)
        if case.is_ripe or (case.is_standing and self._still_stands(case, match.track)):
            case = cases_of.seen(case, match, scene, self.rule, is_inside=is_inside)
        else:
            case = self._stood_or_moved(case, match, scene)
        return self._judged(case, match, scene, is_inside=is_inside)

    def _stood_or_moved(self, case: Case, match: Match, scene: Scene) -> Case:
        since = match.track.stationary_since
        if since is None:
            return cases_of.moving(case, match, scene.at)
        return cases_of.standing(case, match, scene, since)

    def _excused(self, case: Case, match: Match, scene: Scene) -> Case:
        """A standing, unripe case without the dwell that does not count; here all of it does."""
        del match, scene
        return case

    def _judged(self, case: Case, match: Match, scene: Scene, *, is_inside: bool) -> Case:
        if case.is_standing and not case.is_ripe:
            case = self._excused(case, match, scene)
        if case.is_ripe or not is_inside or not meets(case, self.rule):
            return case
        return replace(case, is_ripe=True)

    def _entering(
        self, alive: Sequence[Case], matches: Mapping[int, Match], scene: Scene
    ) -> list[Case]:
        taken = {i for match in matches.values() for i in (match.track.track_id, *match.ids)}
        present = [match.track for match in matches.values()]
        entering: list[Case] = []
        for track in sorted(scene.seen, key=lambda track: -track.confidence):
            if track.track_id in taken or not self._may_enter(track, scene):
                continue
            if self._is_known(track, present, alive):
                continue
            case = cases_of.entered(track, scene)
            match = Match(track=track, ids=case.track_ids)
            case = self._stood_or_moved(case, match, scene)
            entering.append(self._judged(case, match, scene, is_inside=True))
            present.append(track)
        return entering

    def _may_enter(self, track: Track, scene: Scene) -> bool:
        return (
            track.label in self.rule.labels
            and track.confidence >= ENTRY_CONFIDENCE_RATIO * self.rule.threshold(track.label)
            and self.is_inside(track.box, scene.shape)
        )

    def _is_near(self, track: Track, scene: Scene) -> bool:
        return scene.shape.distance_px(track.anchor) <= EDGE_MARGIN_RATIO * track.box.size

    def _is_hidden(self, case: Case, hiding: Sequence[Track]) -> bool:
        return any(
            case.box.covered_by(track.box) >= HIDDEN_SHARE and self._is_in_front(track, case)
            for track in hiding
        )

    def _is_over(self, case: Case, scene: Scene) -> bool:
        if scene.is_settling and not case.track_ids:
            return False
        return is_over(case, self.rule)


def _has_driven_on(case: Case) -> bool:
    """Whether what is gone was seen to leave, and not only lost from sight."""
    return case.is_ripe or case.is_outside or not case.is_standing


def best_pairs(
    cases: Mapping[int, Case],
    tracks: Mapping[int, Track],
    likeness: Callable[[Case, Track], float],
) -> dict[int, int]:
    """Pair cases and tracks by their keys, likest first; pairs of likeness 0 are none."""
    scored = [
        (likeness(case, track), index, track_id)
        for index, case in cases.items()
        for track_id, track in tracks.items()
    ]
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for score, index, track_id in sorted(scored, key=lambda s: (-s[0], s[1], s[2])):
        if score > 0 and index not in pairs and track_id not in used:
            pairs[index] = track_id
            used.add(track_id)
    return pairs
