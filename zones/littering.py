"""Littering: something appears where there was nothing, somebody was there, and left without it.

One incident for each thing. Told is that it was dropped, never by whom: persons count by where they
stand at a look, and nobody is followed or described.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from models.seeing import Track
from models.values import changed
from models.zone import LitteringRule
from zones.case import Case, Match, Scene
from zones.incidents import Site
from zones.notes import Notes
from zones.objects import ObjectJudge
from zones.places import PlaceWatcher
from zones.presence import KEPT, Presence, noted, recalled
from zones.state import RuleMemory
from zones.steady import Stretch
from zones.watching import HIDDEN_SHARE, Followed

EMPTY_FIRST = timedelta(seconds=3)
"""The place must have been watched for so long before the thing appears: what lies there when a
camera comes up, or when nobody could look, was dropped by nobody knows whom."""
LEAST_LOOKS = 3
"""However short the dwell: fewer looks that saw it prove nothing."""
KNOWN_S = 60.0
"""What was there before is known as such until its place was seen empty for so long: detectors see
old litter on and off, and somebody who passes has not dropped it."""


class LitteringWatcher(PlaceWatcher):
    """Follows things, and tells those that were dropped from those that lay there or were found."""

    def __init__(
        self, rule: LitteringRule, cases: Sequence[Case] = (), presence: Presence | None = None
    ) -> None:
        super().__init__(rule, cases, by_label=False)
        self.presence = presence or Presence()

    def follow(self, scene: Scene, *, keeps_ripe: bool) -> Followed:
        """Go on to the next look, minding who is there."""
        self.presence = noted(self.presence, scene)
        return super().follow(scene, keeps_ripe=keeps_ripe)

    def excuses(self, case: Case) -> bool:
        """Whether looks may yet show that dwell of this standing, unripe case does not count."""
        return not self.waives(case)

    def waives(self, case: Case) -> bool:
        """Whether none of this unripe case's dwell counts, whatever looks show."""
        return case.is_ignored and case.attended_looks > 0

    def _excused(self, case: Case, match: Match, scene: Scene) -> Case:
        """Of a dropped thing, the time in which somebody was at it does not count; of others none.

        Whether it was dropped is decided once, at the look that finds it lying: by then it is
        either ignored or attended.
        """
        del match
        attended_at = self.presence.last_attended(case.box)
        if case.attended_looks == 0:
            since = case.started_at - KEPT
            was_there = attended_at is not None and attended_at >= since
            is_dropped = was_there and self._is_new(case)
            case = changed(case, is_ignored=not is_dropped, attended_looks=1)
        if case.is_ignored:
            return changed(case, waived=case.observed)
        if attended_at is None:
            return case
        alone = scene.clock.watched_since(attended_at, scene.at)
        return changed(case, waived=max(case.waived, case.observed - alone))

    def _judged(self, case: Case, match: Match, scene: Scene, *, is_inside: bool) -> Case:
        after = super()._judged(case, match, scene, is_inside=is_inside)
        if case.is_ripe or sum(after.votes.values()) >= LEAST_LOOKS:
            return after
        return changed(after, is_ripe=False)

    def _is_new(self, case: Case) -> bool:
        """Whether its place was seen without it before."""
        since = self.presence.watched_since
        if since is None or case.started_at - since < EMPTY_FIRST:
            return False
        return not self.presence.is_hidden_by_vehicle(case.box, HIDDEN_SHARE)

    def _is_followed(self, case: Case, track: Track) -> bool:
        # Known litter that wind or a broom moves is known litter.
        is_known = case.is_ignored and track.stationary_since is not None
        return is_known or super()._is_followed(case, track)

    def _is_over(self, case: Case, scene: Scene) -> bool:
        is_over = super()._is_over(case, scene)
        if case.is_ignored and not case.is_ripe:
            return is_over and case.absent.total_seconds() > KNOWN_S
        return is_over


class LitteringJudge(ObjectJudge):
    """Judges ``littering`` in one zone."""

    def __init__(self, site: Site, rule: LitteringRule, known: RuleMemory) -> None:
        self._littering = LitteringWatcher(rule, known.cases, known.notes.presence)
        super().__init__(site, rule, self._littering)

    @property
    def is_idle(self) -> bool:
        """Never: that nothing was there is just what it must know."""
        return False

    @property
    def notes(self) -> Notes:
        """Who was there of late."""
        return Notes(presence=self._littering.presence)

    def steady_until(self, stretch: Stretch) -> int:
        """First look of a stretch that must be judged; its first one if nothing is sure."""
        presence = self._littering.presence
        is_known = (
            presence.watched_since is not None if stretch.is_active else presence == Presence()
        )
        return super().steady_until(stretch) if is_known else stretch.begin

    def pass_steady(self, stretch: Stretch, end: int) -> None:
        """Take in a stretch's looks before ``end``; who was there is remembered for seconds."""
        super().pass_steady(stretch, end)
        if stretch.is_active:
            looks = stretch.latest(end, KEPT)
            self._littering.presence = recalled(self._littering.presence, looks, stretch.shape)

    def rescale(self, x_factor: float, y_factor: float, width_px: int, height_px: int) -> None:
        """The pictures have another size from now on; who was there before is forgotten."""
        super().rescale(x_factor, y_factor, width_px, height_px)
        self._littering.presence = replace(self._littering.presence, passers=())
