"""One camera's rules: looks in, changes of incidents out."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from models.incident import Incident, IncidentChange
from models.seeing import Look
from models.times import span_us
from models.zone import Camera
from zones.case import CloserLooker, Scene
from zones.clock import ZERO, LookClock
from zones.incidents import cleared
from zones.polygon import ZoneShape
from zones.posts import Judge, LookAhead, Post, beside_id, lane_id, make_post
from zones.schedule import is_active
from zones.series import LookSeries
from zones.state import EngineMemory, RuleMemory, decode, encode

SETTLING = timedelta(seconds=10)
"""Watched time after a tracker began in which what was known is not given up: it starts slowly."""
TRACK_IDS_KEPT = 4096
"""So many of the latest track ids are remembered, to tell new tracks from returning ones."""


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
            make_post(camera, zone, rule, known.pop((zone.zone_id, rule.rule_id, rule.kind), None))
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
        return self._judged(look, closer, self._posts)

    def look_through(
        self,
        series: LookSeries,
        closer_at: Callable[[datetime], CloserLooker | None] = lambda _: None,
    ) -> tuple[IncidentChange, ...]:
        """Judge many looks: the same changes and the same state as one by one, but far sooner.

        ``closer_at``: what looks closer at the time of a look, as for :meth:`look`.
        """
        steps_us = np.diff(series.at_us)
        is_gap = (steps_us <= 0) | (steps_us > span_us(self._clock.longest_gap))
        gaps = [*(np.flatnonzero(is_gap) + 1).tolist(), len(series)]
        is_set_back = bool((steps_us <= 0).any())
        ahead = LookAhead(series, self._posts)
        changes: list[IncidentChange] = []
        index = done = 0
        while index < len(series):
            self._pass(series, done, index)
            due = ahead.due(index)
            changes += self._judged(series.look(index), closer_at(series.at(index)), due)
            index = done = index + 1
            # While a clock that was set back is not believed, looks do not count as they come.
            if self._settling_left == ZERO and not is_set_back and self._is_last(series, index - 1):
                index = ahead.next_due(due, index, gaps[bisect_left(gaps, index)], self._shapes)
        self._pass(series, done, len(series))
        ahead.finish()
        return tuple(changes)

    def _is_last(self, series: LookSeries, index: int) -> bool:
        return self._clock.last_at == series.at(index)

    def _pass(self, series: LookSeries, begin: int, end: int) -> None:
        """Go on over looks at which nothing happens."""
        if end <= begin:
            return
        self._clock.pass_to(series.at(end - 1))
        for track_id in series.ids_between(begin, end):
            self._listed[track_id] = None
            self._listed.move_to_end(track_id)
        self._forget_oldest()

    def _judged(
        self, look: Look, closer: CloserLooker | None, posts: Sequence[Post]
    ) -> tuple[IncidentChange, ...]:
        """Let the rules of some posts judge a look; the others need not."""
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
        for post in posts:
            is_on = is_active(post.rule.schedule, look.at)
            post.active_since = (post.active_since or look.at) if is_on else None
            if not look.tracks and post.judge.is_idle:
                continue  # nothing there and nothing remembered: an empty street costs nothing
            shape = self._shapes[post.zone.zone_id]
            scene = scene_with(
                shape=shape,
                lane=self._shapes.get(lane_id(post.rule)),
                beside=self._shapes.get(beside_id(post.rule)),
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
        listed = self._listed
        for track_id in sorted(known_ids):
            listed[track_id] = None
            listed.move_to_end(track_id)
        self._forget_oldest()
        return new_ids

    def _forget_oldest(self) -> None:
        while len(self._listed) > TRACK_IDS_KEPT:
            self._listed.popitem(last=False)
