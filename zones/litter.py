"""Litter: one incident for a zone, however many pieces lie in it.

A piece counts once it has itself lain there for the dwell. The incident opens when enough pieces
count and cover enough of the zone; it stays open, though pieces may be taken away or flicker, until
none of the pieces that counted has been seen for ``clear_after_s``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from models.geometry import Box
from models.incident import Incident, IncidentChange
from models.zone import LitterRule
from zones.case import Case, OpenIncident, Scene
from zones.closer import looked_at
from zones.incidents import Seen, Site, cleared, opened, refreshed
from zones.notes import Notes
from zones.places import PlaceWatcher
from zones.rescaling import rescaled, rescaled_open
from zones.steady import Stretch, pass_steady, report_due, steady_until
from zones.watching import Watcher


class LitterJudge:
    """Judges ``litter`` in one zone."""

    def __init__(
        self,
        site: Site,
        rule: LitterRule,
        cases: Sequence[Case] = (),
        open_incident: OpenIncident | None = None,
    ) -> None:
        self._site = site
        self._rule = rule
        self._watcher = PlaceWatcher(rule, cases, by_label=False)
        self._open = open_incident

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
        return not self.cases and self._open is None

    @property
    def notes(self) -> Notes:
        """Nothing: all that it must know is in its cases."""
        return Notes()

    def look(self, scene: Scene) -> list[IncidentChange]:
        """Judge a look."""
        # When the schedule ends, what is open stays until it is gone; the rest is forgotten.
        followed = self._watcher.follow(scene, keeps_ripe=self._open is not None)
        pieces = [case for case in followed.alive if case.is_ripe]
        if self._open is None:
            return self._opening(pieces, scene)
        if not pieces:
            change = cleared(self._open.incident, scene.at)
            self._open = None
            return [change]
        self._open, changes = refreshed(self._open, scene, self._seen(pieces, scene))
        return list(changes)

    def steady_until(self, stretch: Stretch) -> int:
        """First look of a stretch that must be judged; its first one if nothing is sure."""
        ripe = sum(case.is_ripe for case in self.cases)
        if self._open is None:
            if ripe >= max(1, self._rule.min_count) or (ripe and not stretch.is_active):
                return stretch.begin
            return steady_until(self._watcher, stretch, reports_each=False)
        if ripe != self._open.incident.object_count:
            return stretch.begin
        until = steady_until(self._watcher, stretch, reports_each=False)
        return min(until, report_due(self._open, self._open.incident.observed_s, stretch))

    def pass_steady(self, stretch: Stretch, end: int) -> None:
        """Take in a stretch's looks before ``end``, which change nothing but times."""
        pass_steady(self._watcher, stretch, end)
        if self._open is None:
            return
        incident = self._open.incident
        pieces = [case for case in self.cases if case.is_ripe]
        if max(piece.last_seen_at for piece in pieces) < stretch.ahead.series.at(end - 1):
            return  # all of them are away
        observed_s = incident.observed_s
        for elapsed_s in stretch.elapsed_s(end):
            observed_s = round(observed_s + elapsed_s, 6)
        after = replace(
            incident,
            box=reduce(Box.union, (piece.box for piece in pieces)),
            confidence=max(incident.confidence, *(piece.confidence for piece in pieces)),
            last_seen_at=max(piece.last_seen_at for piece in pieces),
            observed_s=observed_s,
        )
        self._open = replace(self._open, incident=after)

    def rescale(self, x_factor: float, y_factor: float, width_px: int, height_px: int) -> None:
        """The pictures have another size from now on."""
        self._watcher.cases = rescaled(self.cases, x_factor, y_factor, width_px, height_px)
        if self._open is not None:
            self._open = rescaled_open(self._open, x_factor, y_factor, width_px, height_px)

    def _opening(self, pieces: Sequence[Case], scene: Scene) -> list[IncidentChange]:
        if not self._suffice(pieces, scene):
            return []
        if not self._suffice(self._checked(pieces, scene), scene):
            return []
        pieces = [case for case in self._watcher.cases if case.is_ripe]
        looks = [piece.closer_look for piece in pieces if piece.closer_look is not None]
        self._open, change = opened(
            self._site,
            self._rule,
            scene,
            self._seen(pieces, scene),
            label=max(pieces, key=lambda piece: piece.confidence).label,
            started_at=min(piece.started_at for piece in pieces),
            taken=(),
            closer_look=max(looks, default=None),
        )
        return [change]

    def _suffice(self, pieces: Sequence[Case], scene: Scene) -> bool:
        """Whether these pieces are as many, and cover as much, as the rule asks."""
        if not pieces or len(pieces) < self._rule.min_count:
            return False
        share = scene.shape.covered_share(piece.box for piece in pieces)
        return share >= self._rule.min_area_ratio

    def _checked(self, pieces: Sequence[Case], scene: Scene) -> list[Case]:
        """Pieces that a closer look does not refuse, the surest first, until they suffice."""
        confirmed: list[Case] = []
        after: dict[int, Case] = {}
        for piece in sorted(pieces, key=lambda piece: -piece.confidence):
            looked = after[id(piece)] = looked_at(piece, scene, self._rule)
            if looked.is_ripe:
                confirmed.append(looked)
            if self._suffice(confirmed, scene):
                break
        self._watcher.cases = tuple(after.get(id(case), case) for case in self._watcher.cases)
        return confirmed

    def _seen(self, pieces: Sequence[Case], scene: Scene) -> Seen:
        last_seen_at = max(piece.last_seen_at for piece in pieces)
        if self._open is None:
            longest = max(pieces, key=lambda piece: piece.observed)
            observed_s = longest.observed.total_seconds()
            inferred_s = longest.inferred.total_seconds()
            confidence = 0.0
        else:
            is_seen = last_seen_at >= scene.at
            watched_s = scene.elapsed.total_seconds() if is_seen else 0.0
            observed_s = round(self._open.incident.observed_s + watched_s, 6)
            inferred_s = self._open.incident.inferred_s
            confidence = self._open.incident.confidence
        return Seen(
            box=reduce(Box.union, (piece.box for piece in pieces)),
            confidence=max(confidence, *(piece.confidence for piece in pieces)),
            last_seen_at=last_seen_at,
            observed_s=observed_s,
            inferred_s=inferred_s,
            object_count=len(pieces),
        )
