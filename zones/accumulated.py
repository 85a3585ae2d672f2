"""Accumulated litter: one incident while there is too much in the zone, with hysteresis.

Too much for the dwell opens it, little enough for ``clear_after_s`` ends it; in between it stays as
it is, so that a piece more or less makes no second order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce

from models.geometry import Box
from models.incident import Incident, IncidentChange
from models.litter import Accumulation
from models.zone import LitterRule
from zones.case import Case, OpenIncident, Scene
from zones.incidents import Seen, Site, cleared, opened, refreshed
from zones.notes import Notes
from zones.persistence import Limits, Spell, Turn, advance
from zones.places import PlaceWatcher
from zones.rescaling import rescaled, rescaled_open
from zones.state import RuleMemory
from zones.steady import Stretch, steady_until
from zones.watching import Watcher


class AccumulatedJudge:
    """Judges a ``litter`` rule with ``accumulated`` in one zone."""

    def __init__(self, site: Site, rule: LitterRule, known: RuleMemory) -> None:
        self._site = site
        self._rule = rule
        self._accumulation = rule.accumulated or Accumulation()
        self._watcher = PlaceWatcher(rule, known.cases, by_label=False)
        self._open = known.open
        self._level = known.notes.level or Spell()

    @property
    def cases(self) -> tuple[Case, ...]:
        """All pieces that are being watched."""
        return self._watcher.cases

    @property
    def watcher(self) -> Watcher:
        """Who follows the pieces."""
        return self._watcher

    @property
    def open(self) -> OpenIncident | None:
        """The zone's incident, if it is open."""
        return self._open

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Open incidents: one or none."""
        return () if self._open is None else (self._open.incident,)

    @property
    def is_idle(self) -> bool:
        """Whether an empty street changes nothing."""
        return not self.cases and self._open is None and self._level.since is None

    @property
    def notes(self) -> Notes:
        """For how long there was too much."""
        return Notes(level=self._level if self._level.since is not None else None)

    def look(self, scene: Scene) -> list[IncidentChange]:
        """Judge a look. While the schedule is off nobody counts: what is open stays open."""
        self._watcher.follow(scene, keeps_ripe=self._open is not None)
        pieces = [case for case in self.cases if self._is_piece(case)]
        seen = None if scene.active_since is None else self._is_above(pieces, scene)
        if seen is None and self._open is None:
            self._level = Spell()
        self._level, turn = advance(self._level, scene.at, seen, self._limits(scene))
        if turn is Turn.CONFIRMED:
            return [self._opening(pieces, scene)]
        if self._open is None:
            return []
        if turn is Turn.CLEARED:
            change = cleared(self._open.incident, scene.at)
            self._open = None
            return [change]
        return self._refreshing(self._open, pieces, scene)

    def steady_until(self, stretch: Stretch) -> int:
        """First look of a stretch that must be judged; its first one if nothing is sure."""
        if not self.is_idle or self._accumulation.is_high(0, 0.0):
            return stretch.begin
        return steady_until(self._watcher, stretch, reports_each=False)

    def pass_steady(self, stretch: Stretch, end: int) -> None:
        """Nothing to take in: nothing was there, and nothing is."""

    def rescale(self, x_factor: float, y_factor: float, width_px: int, height_px: int) -> None:
        """The pictures have another size from now on."""
        self._watcher.cases = rescaled(self.cases, x_factor, y_factor, width_px, height_px)
        if self._open is not None:
            self._open = rescaled_open(self._open, x_factor, y_factor, width_px, height_px)

    def _limits(self, scene: Scene) -> Limits:
        return Limits(
            dwell=timedelta(seconds=self._rule.dwell_s),
            grace=timedelta(seconds=self._rule.grace_s),
            clear_after=timedelta(seconds=self._rule.clear_after_s),
            min_seen_ratio=self._rule.min_seen_ratio,
            longest_gap=scene.clock.longest_gap,
        )

    def _is_piece(self, case: Case) -> bool:
        """Whether it lies there, surely enough; what was not seen for the grace is not there."""
        is_there = case.absent.total_seconds() <= self._rule.grace_s
        return case.is_standing and is_there and case.confidence >= self._rule.threshold(case.label)

    def _is_above(self, pieces: Sequence[Case], scene: Scene) -> bool:
        share = scene.shape.covered_share(piece.box for piece in pieces)
        if self._level.is_confirmed:
            return not self._accumulation.is_low(len(pieces), share)
        return self._accumulation.is_high(len(pieces), share)

    def _opening(self, pieces: Sequence[Case], scene: Scene) -> IncidentChange:
        self._open, change = opened(
            self._site,
            self._rule,
            scene,
            Seen(
                box=reduce(Box.union, (piece.box for piece in pieces)),
                confidence=max(piece.confidence for piece in pieces),
                last_seen_at=scene.at,
                observed_s=self._level.present.total_seconds(),
                object_count=len(pieces),
            ),
            label=max(pieces, key=lambda piece: piece.confidence).label,
            started_at=self._level.since or scene.at,
            taken=(),
        )
        return change

    def _refreshing(
        self, before: OpenIncident, pieces: Sequence[Case], scene: Scene
    ) -> list[IncidentChange]:
        if not pieces or scene.active_since is None:
            return []
        incident = before.incident
        seen = Seen(
            box=reduce(Box.union, (piece.box for piece in pieces)),
            confidence=max(incident.confidence, *(piece.confidence for piece in pieces)),
            last_seen_at=max(incident.last_seen_at, *(piece.last_seen_at for piece in pieces)),
            observed_s=self._level.present.total_seconds(),
            inferred_s=incident.inferred_s,
            object_count=len(pieces),
        )
        self._open, changes = refreshed(before, scene, seen)
        return list(changes)
