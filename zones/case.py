"""One thing that may become, or is, an incident: what is remembered of it, and how that changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models.geometry import Box
from models.incident import Incident
from models.seeing import Look, Track
from models.zone import Rule
from zones.clock import ZERO, LookClock
from zones.polygon import ZoneShape

WINDOW_DWELLS = 2
"""The share of looks is taken over the last one to two dwells, so that a dark night is outlived."""
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A look as one rule sees it."""

    look: Look
    seen: tuple[Track, ...]
    """Tracks that the detector really saw at this look."""
    known_ids: frozenset[int]
    """Ids of all tracks of the look, hidden ones too."""
    new_ids: frozenset[int]
    """Those of them that no look has shown before."""
    began_at: datetime
    """First look since the program started."""
    elapsed: timedelta
    """Watched time since the look before; zero if nobody could look."""
    clock: LookClock
    is_stale: bool
    is_settling: bool
    """The program has just restarted: a fresh tracker may not know everything yet."""
    shape: ZoneShape
    active_since: datetime | None
    """First look at which the rule's schedule held, without a break; ``None``: it does not."""

    @property
    def at(self) -> datetime:
        """Capture time of the look."""
        return self.look.at

    def known_since(self, track: Track) -> datetime:
        """Since when the track may count: a new one since it was first seen, others since now.

        Trackers report a track only after they have seen it a few times.
        """
        if track.track_id not in self.new_ids:
            return self.at
        earliest = max(self.began_at, self.at - self.clock.longest_gap)
        return min(self.at, max(track.first_seen, earliest))


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenIncident:
    """A confirmed incident and how much of it was already reported."""

    incident: Incident
    reported_s: float
    """``observed_s`` when it was last reported."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One thing in a zone. Moving at first, then standing, then ripe: it has met its rule."""

    track_ids: frozenset[int]
    """Tracks it is known by; empty after a restart until it is found again."""
    votes: Mapping[str, int]
    """How often it was called what."""
    box: Box
    confidence: float
    """Highest confidence seen."""
    entered_at: datetime
    """First look at which it was in the zone."""
    started_at: datetime
    """Since when it stands there."""
    last_seen_at: datetime
    is_standing: bool = False
    still_since: datetime | None = None
    """The tracker's word for how long it stands; ``None`` after a restart: take the next one."""
    observed: timedelta = ZERO
    """Watched time from ``started_at`` to ``last_seen_at``."""
    absent: timedelta = ZERO
    """Watched time since ``last_seen_at`` in which it could have been seen."""
    window: timedelta = ZERO
    """Watched time that ``sighted`` is a part of; old time is forgotten."""
    sighted: timedelta = ZERO
    """Watched time of the looks at which it was really seen in the zone."""
    is_ripe: bool = False
    open: OpenIncident | None = None

    @property
    def label(self) -> str:
        """What it was called most often, the earlier of two."""
        return max(self.votes, key=lambda label: self.votes[label])


def entered(track: Track, scene: Scene) -> Case:
    """A thing that has come into the zone."""
    return Case(
        track_ids=frozenset({track.track_id}),
        votes={track.label: 1},
        box=track.box,
        confidence=track.confidence,
        entered_at=scene.known_since(track),
        started_at=scene.at,
        last_seen_at=scene.at,
    )


def moving(case: Case, track: Track, scene: Scene) -> Case:
    """It moves: whatever dwell it had is over."""
    return replace(
        _recognised(case, track, scene),
        box=track.box,
        started_at=scene.at,
        is_standing=False,
        still_since=None,
        observed=ZERO,
        absent=ZERO,
        window=ZERO,
        sighted=ZERO,
    )


def standing(case: Case, track: Track, scene: Scene, since: datetime) -> Case:
    """It has come to a stand, at a time the tracker may have found out only now."""
    started = max(since, case.entered_at, scene.active_since or scene.at)
    started = min(started, scene.at)
    return replace(
        _recognised(case, track, scene),
        box=track.box,
        started_at=started,
        is_standing=True,
        still_since=since,
        observed=scene.clock.watched_since(started, scene.at),
        absent=ZERO,
        window=ZERO,
        sighted=ZERO,
    )


def seen(case: Case, track: Track, scene: Scene, rule: Rule, *, is_inside: bool) -> Case:
    """It is still there."""
    credit = case.absent if case.absent.total_seconds() <= rule.grace_s else ZERO
    known = _in_window(case, scene, rule, scene.elapsed if is_inside else ZERO)
    is_still = track.stationary_since is not None
    return replace(
        _recognised(known, track, scene),
        box=track.box if is_still else case.box,
        still_since=track.stationary_since if is_still else case.still_since,
        observed=case.observed + credit + scene.elapsed,
        absent=ZERO,
    )


def missed(case: Case, scene: Scene, rule: Rule) -> Case:
    """It could have been seen and was not."""
    known = _in_window(case, scene, rule, ZERO)
    return replace(known, absent=case.absent + scene.elapsed)


def meets(case: Case, rule: Rule) -> bool:
    """Whether it has been there long enough, and surely enough, for the rule."""
    called = sum(count for label, count in case.votes.items() if label in rule.labels)
    return (
        case.is_standing
        and case.observed.total_seconds() >= rule.dwell_s
        and _seen_enough(case, rule)
        and case.confidence >= rule.min_confidence
        and 2 * called >= sum(case.votes.values())
    )


def is_over(case: Case, rule: Rule) -> bool:
    """Whether it was away so long that it is forgotten or, once ripe, gone."""
    absent_s = case.absent.total_seconds()
    return absent_s >= rule.clear_after_s if case.is_ripe else absent_s > rule.grace_s


def rescaled(case: Case, x_factor: float, y_factor: float, width_px: int, height_px: int) -> Case:
    """The same case in a picture of another size."""
    opened = case.open and rescaled_open(case.open, x_factor, y_factor, width_px, height_px)
    return replace(case, box=case.box.scaled(x_factor, y_factor), open=opened)


def rescaled_open(
    opened: OpenIncident, x_factor: float, y_factor: float, width_px: int, height_px: int
) -> OpenIncident:
    """The same incident in a picture of another size."""
    box = opened.incident.box.scaled(x_factor, y_factor)
    incident = replace(opened.incident, box=box, width_px=width_px, height_px=height_px)
    return replace(opened, incident=incident)


def _recognised(case: Case, track: Track, scene: Scene) -> Case:
    # Once ripe its name is settled: nothing more to vote on.
    votes = case.votes
    if not case.is_ripe:
        votes = {**votes, track.label: votes.get(track.label, 0) + 1}
    return replace(
        case,
        votes=votes,
        confidence=max(case.confidence, track.confidence),
        last_seen_at=max(case.last_seen_at, scene.at),
    )


def _in_window(case: Case, scene: Scene, rule: Rule, sighted: timedelta) -> Case:
    window, sighted = case.window + scene.elapsed, case.sighted + sighted
    if window.total_seconds() > WINDOW_DWELLS * rule.dwell_s:
        window, sighted = window / 2, sighted / 2
    return replace(case, window=window, sighted=sighted)


def _seen_enough(case: Case, rule: Rule) -> bool:
    least_s = rule.min_seen_ratio * case.window.total_seconds()
    return case.sighted.total_seconds() + _ROUNDING >= least_s
