"""Rules with one incident for each thing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from models.incident import Incident, IncidentChange
from models.zone import Rule
from zones.case import Case, OpenIncident, Scene
from zones.closer import looked_at
from zones.incidents import REPORT_EVERY_S, Seen, Site, cleared, opened, refreshed
from zones.notes import Notes
from zones.rescaling import rescaled
from zones.steady import Stretch, pass_steady, steady_until
from zones.watching import Watcher


class ObjectJudge:
    """Opens an incident for each thing that meets the rule, and clears it when the thing is gone.

    When the schedule ends, candidates stop; incidents stay open until the thing leaves.
    """

    def __init__(
        self, site: Site, rule: Rule, watcher: Watcher, alert_after_s: float | None = None
    ) -> None:
        self._site = site
        self._rule = rule
        self._watcher = watcher
        self._alerts_at_s = alert_after_s

    @property
    def cases(self) -> tuple[Case, ...]:
        """All that is being watched."""
        return self._watcher.cases

    @property
    def watcher(self) -> Watcher:
        """Who follows the things."""
        return self._watcher

    @property
    def open(self) -> OpenIncident | None:
        """Always ``None``: here each case has its own incident."""
        return None

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Open incidents."""
        return tuple(each for case in self.cases if (each := case.incident) is not None)

    @property
    def is_idle(self) -> bool:
        """Whether an empty street changes nothing."""
        return not self.cases

    @property
    def notes(self) -> Notes:
        """Nothing: all that it must know is in its cases."""
        return Notes()

    def look(self, scene: Scene) -> list[IncidentChange]:
        """Judge a look."""
        followed = self._watcher.follow(scene, keeps_ripe=True)
        over = [incident for case in followed.ended if (incident := case.incident) is not None]
        changes = [cleared(incident, scene.at) for incident in over]
        taken = {case.open.incident.incident_id for case in self.cases if case.open is not None}
        reported: list[Case] = []
        for case in followed.alive:
            after, new = self._judged(case, scene, taken)
            reported.append(after)
            changes.extend(new)
            taken.update(change.incident.incident_id for change in new)
        self._watcher.cases = tuple(reported)
        return changes

    def steady_until(self, stretch: Stretch) -> int:
        """First look of a stretch that must be judged; its first one if nothing is sure."""
        return steady_until(
            self._watcher, stretch, reports_each=True, alert_after_s=self._alerts_at_s
        )

    def pass_steady(self, stretch: Stretch, end: int) -> None:
        """Take in a stretch's looks before ``end``, which change nothing but times."""
        pass_steady(self._watcher, stretch, end)

    def rescale(self, x_factor: float, y_factor: float, width_px: int, height_px: int) -> None:
        """The pictures have another size from now on."""
        self._watcher.cases = rescaled(self.cases, x_factor, y_factor, width_px, height_px)

    def _judged(
        self, case: Case, scene: Scene, taken: Collection[str]
    ) -> tuple[Case, tuple[IncidentChange, ...]]:
        if case.is_ripe and case.open is None:
            case = looked_at(case, scene, self._rule)
        return self._report(case, scene, taken) if case.is_ripe else (case, ())

    def _report(
        self, case: Case, scene: Scene, taken: Collection[str]
    ) -> tuple[Case, tuple[IncidentChange, ...]]:
        observed_s = case.observed.total_seconds()
        if case.open is not None and observed_s - case.open.reported_s < REPORT_EVERY_S:
            return case, ()  # nothing to say of it: what is new of it, the case knows
        seen = Seen(
            box=case.box,
            confidence=case.confidence,
            last_seen_at=case.last_seen_at,
            observed_s=observed_s,
            inferred_s=case.inferred.total_seconds(),
        )
        if case.open is not None:
            after, changes = refreshed(case.open, scene, seen)
            return replace(case, open=after), changes
        after, change = opened(
            self._site,
            self._rule,
            scene,
            seen,
            label=case.label,
            started_at=case.started_at,
            taken=taken,
            place=case.alert_box,
            closer_look=case.closer_look,
        )
        return replace(case, open=after), (change,)
