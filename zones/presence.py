"""Who and what was near a zone of late, and since when it is watched: what littering needs to know.

Nobody is told apart from anybody: kept are boxes with their times, for seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models.geometry import Box
from models.labels import VEHICLES
from models.seeing import Look, Track
from zones.allowances import PERSON
from zones.case import Scene
from zones.clock import ZERO
from zones.polygon import ZoneShape

REACH_HEIGHTS = 1.0
"""Somebody is at a thing whose feet are no further from it than this share of the own height."""
KEPT_HEIGHTS = 2.0
"""Who is further from the zone than so many times the own height is not even noted."""
KEPT = timedelta(seconds=10)
"""What is noted is forgotten after so long: so late a small thing may be seen after its fall."""
MOST_KEPT = 400
"""Ten seconds of a crowd; of more, the latest are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passer:
    """A person or a vehicle at one look."""

    at: datetime
    box: Box
    is_person: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Presence:
    """What is remembered of a zone besides the things in it."""

    watched_since: datetime | None = None
    """Since when there was no gap in watching, with the schedule on; ``None``: not watched."""
    passers: tuple[Passer, ...] = ()
    """Of the last seconds, oldest first."""

    def last_attended(self, box: Box) -> datetime | None:
        """When somebody was last at a thing in this box, as far as that is remembered."""
        times = [each.at for each in self.passers if each.is_person and is_at(each.box, box)]
        return max(times, default=None)

    def is_hidden_by_vehicle(self, box: Box, share: float) -> bool:
        """Whether a vehicle covered this share of a box a moment ago: nobody could see there."""
        vehicles = (each.box for each in self.passers if not each.is_person)
        return any(box.covered_by(other) >= share for other in vehicles)


def is_at(person: Box, thing: Box) -> bool:
    """Whether a person, by the feet, is within reach of a thing."""
    across = max(0.0, thing.x1 - person.x2, person.x1 - thing.x2)
    along = max(0.0, thing.y1 - person.y2, person.y2 - thing.y2)
    return math.hypot(across, along) <= REACH_HEIGHTS * person.height


def noted(presence: Presence, scene: Scene) -> Presence:
    """What is known after a look; a gap in watching makes everything unknown."""
    if scene.active_since is None:
        return Presence()
    is_unbroken = presence.watched_since is not None and scene.elapsed > ZERO
    before = presence if is_unbroken else Presence(watched_since=scene.at)
    return _with(before, scene.at, scene.seen, scene.shape)


def recalled(presence: Presence, looks: Iterable[Look], shape: ZoneShape) -> Presence:
    """What is known after some looks without a gap."""
    for look in looks:
        seen = [track for track in look.tracks if track.last_seen == look.at]
        presence = _with(presence, look.at, seen, shape)
    return presence


def _with(presence: Presence, at: datetime, seen: Sequence[Track], shape: ZoneShape) -> Presence:
    kept = (passer for passer in presence.passers if at - passer.at <= KEPT)
    fresh = (
        Passer(at=at, box=track.box, is_person=track.label == PERSON)
        for track in seen
        if (track.label == PERSON or track.label in VEHICLES)
        and shape.distance_px(track.anchor) <= KEPT_HEIGHTS * track.box.height
    )
    return replace(presence, passers=(*kept, *fresh)[-MOST_KEPT:])
