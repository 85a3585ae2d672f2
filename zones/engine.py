"""One camera's rules: looks in, changes of incidents out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from models.incident import Incident, IncidentChange
from models.seeing import Look
from models.zone import (
    Camera,
    DamagedFacilityRule,
    IllegalParkingRule,
    LitteringRule,
    LitterRule,
    Rule,
    Stage,
    Zone,
)
from zones.accumulated import AccumulatedJudge
from zones.case import Case, CloserLooker, OpenIncident, Scene
from zones.clock import ZERO, LookClock
from zones.damage import DamageJudge
from zones.incidents import Site, cleared
from zones.litter import LitterJudge
from zones.littering import LitteringJudge
from zones.notes import Notes
from zones.parking import ParkingJudge
from zones.polygon import ZoneShape
from zones.schedule import is_active, time_zone
from zones.state import EngineMemory, RuleMemory, decode, encode

SETTLING = timedelta(seconds=10)
"""Watched time after a tracker began in which what was known is not given up: it starts slowly."""
TRACK_IDS_KEPT = 4096
"""So many of the latest track ids are remembered, to tell new tracks from returning ones."""


class Judge(Protocol):
    """One rule in one zone."""

    @property
    def cases(self) -> tuple[Case, ...]:
        """What is being watched."""

    @property
    def open(self) -> OpenIncident | None:
        """The incident of all cases together, where the rule makes only one."""

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Open incidents."""

    @property
    def is_idle(self) -> bool:
        """Whether it remembers nothing that looks at an empty street could change."""

    @property
    def notes(self) -> Notes:
        """What else it remembers."""

    def look(self, scene: Scene) -> list[IncidentChange]:
        """Judge a look."""

    def rescale(self, x_factor: float, y_factor: float, width_px: int, height_px: int) -> None:
        """The pictures have another size from now on."""


@dataclass(kw_only=True, slots=True)
class _Post:
    """A rule at its zone, with the judge that holds its memory."""

    zone: Zone
    rule: Rule
    judge: Judge
    active_since: datetime | None = None


class ZoneEngine:
    """Judges one camera's looks by the rules of its zones.

    Time is what the looks say. Between looks that are far apart nobody could look: that counts
    neither for presence nor for absence. A look that is not after the last one is ignored; a clock
    that was really set back is believed after a few looks.

    ``state`` is the text of :meth:`state` from before a restart. Incidents of zones and rules that
    are no longer there (or judge something else under the same id) are cleared at the first look.
    Raises :class:`ValueError` if the state is unusable or a schedule's time zone is unknown, and at
    the first look if a polygon is none.
    """

    def __init__(self, camera: Camera, state: str | None = None) -> None:
        memory = EngineMemory(camera_id=camera.camera_id) if state is None else decode(state)
        if memory.camera_id != camera.camera_id:
            raise ValueError(f"state of camera {memory.camera_id!r}, not {camera.camera_id!r}")
        self._camera = camera
        self._clock = LookClock(camera.look_interval_s, memory.last_at)
        self._size_px = memory.size_px
        self._shapes: dict[str, ZoneShape] = {}
        self._began_at: datetime | None = None
        self._settling_left = ZERO if state is None else SETTLING
        # The oldest ids are dropped first; a plain dict would be slow to find its first one.
        self._listed: OrderedDict[int, None] = OrderedDict()
        known = {(rule.zone_id, rule.rule_id, rule.kind): rule for rule in memory.rules}
        self._posts = [
            _post(camera, zone, rule, known.pop((zone.zone_id, rule.rule_id, rule.kind), None))
            for zone in camera.run_zones
            for rule in zone.rules
        ]
        self._orphans: tuple[RuleMemory, ...] = tuple(known.values())

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Incidents that are open."""
        holders: Iterable[Judge | RuleMemory] = (
            *(post.judge for post in self._posts),
            *self._orphans,
        )
        return tuple(incident for holder in holders for incident in holder.incidents)

    @property
    def last_at(self) -> datetime | None:
        """Time of the last look that counted, before a restart too."""
        return self._clock.last_at

    def look(self, look: Look, closer: CloserLooker | None = None) -> tuple[IncidentChange, ...]:
        """Judge a look; what came of it, in order. Looks that go back in time are ignored.

        ``closer`` looks at a candidate by itself, in the picture of this look, where a rule wants
        that before it confirms; it must not raise. Without it, what met its rule is confirmed.
        """
        if look.camera_id != self._camera.camera_id:
            raise ValueError(f"look of camera {look.camera_id!r}, not {self._camera.camera_id!r}")
        step = self._clock.step(look.at)
        if step is None:
            return ()
        began_at = self._began_at = self._began_at or look.at
        self._settling_left = max(ZERO, self._settling_left - step.elapsed)
        self._fit(look)
        orphaned = [item for memory in self._orphans for item in memory.incidents]
        changes = [cleared(incident, look.at) for incident in orphaned]
        self._orphans = ()
        known_ids = frozenset(track.track_id for track in look.tracks)
        scene_with = partial(
            Scene,
            look=look,
            seen=tuple(track for track in look.tracks if track.last_seen == look.at),
            known_ids=known_ids,
            new_ids=self._list(known_ids),
            began_at=began_at,
            elapsed=step.elapsed,
            clock=self._clock,
            is_stale=step.is_stale,
            is_settling=self._settling_left > ZERO,
            closer=closer,
        )
        for post in self._posts:
            is_on = is_active(post.rule.schedule, look.at)
            post.active_since = (post.active_since or look.at) if is_on else None
            if not look.tracks and post.judge.is_idle:
                continue  # nothing there and nothing remembered: an empty street costs nothing
            shape = self._shapes[post.zone.zone_id]
            scene = scene_with(
                shape=shape,
                lane=self._shapes.get(_lane_id(post.rule)),
                beside=self._shapes.get(_beside_id(post.rule)),
                active_since=post.active_since,
            )
            changes.extend(post.judge.look(scene))
        return tuple(changes)

    def state(self) -> str:
        """All that must outlive a restart, as compact JSON text."""
        rules = (
            RuleMemory(
                zone_id=post.zone.zone_id,
                rule_id=post.rule.rule_id,
                kind=post.rule.kind,
                cases=post.judge.cases,
                open=post.judge.open,
                notes=post.judge.notes,
            )
            for post in self._posts
        )
        memory = EngineMemory(
            camera_id=self._camera.camera_id,
            last_at=self._clock.last_at,
            size_px=self._size_px,
            rules=(*rules, *self._orphans),
        )
        return encode(memory)

    def _fit(self, look: Look) -> None:
        size_px = (look.width_px, look.height_px)
        if self._shapes and size_px == self._size_px:
            return
        self._shapes = {
            zone.zone_id: ZoneShape.of(zone, self._camera.resolution, *size_px)
            for zone in self._camera.zones
        }
        before, self._size_px = self._size_px, size_px
        if before is None or before == size_px:
            return
        self._settling_left = SETTLING
        for post in self._posts:
            post.judge.rescale(size_px[0] / before[0], size_px[1] / before[1], *size_px)

    def _list(self, known_ids: frozenset[int]) -> frozenset[int]:
        new_ids = known_ids - self._listed.keys()
        for track_id in sorted(known_ids):
            self._listed[track_id] = None
            self._listed.move_to_end(track_id)
        while len(self._listed) > TRACK_IDS_KEPT:
            self._listed.popitem(last=False)
        return new_ids


def _lane_id(rule: Rule) -> str:
    return (rule.queue_zone_id or "") if isinstance(rule, IllegalParkingRule) else ""


def _beside_id(rule: Rule) -> str:
    return (rule.beside_zone_id or "") if isinstance(rule, IllegalParkingRule) else ""


def _post(camera: Camera, zone: Zone, rule: Rule, memory: RuleMemory | None) -> _Post:
    time_zone(rule.schedule.timezone)  # a wrong one must show now, not when its hour comes
    is_shadow = zone.stage is Stage.SHADOW
    site = Site(camera_id=camera.camera_id, zone_id=zone.zone_id, is_shadow=is_shadow)
    known = memory or RuleMemory(zone_id=zone.zone_id, rule_id=rule.rule_id, kind=rule.kind)
    return _Post(zone=zone, rule=rule, judge=_judge(site, rule, known))


def _judge(site: Site, rule: Rule, known: RuleMemory) -> Judge:
    match rule:
        case IllegalParkingRule():
            return ParkingJudge(site, rule, known.cases)
        case LitterRule(accumulated=None):
            return LitterJudge(site, rule, known.cases, known.open)
        case LitterRule():
            return AccumulatedJudge(site, rule, known)
        case LitteringRule():
            return LitteringJudge(site, rule, known)
        case DamagedFacilityRule():
            return DamageJudge(site, rule, known.cases)
        case _:
            raise TypeError(f"no judge for {type(rule).__name__}")
