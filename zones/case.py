"""One thing that may become, or is, an incident: what is remembered of it, and how that changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models.geometry import Box
from models.incident import Incident
from models.seeing import Look, Track
from models.values import changed
from models.zone import Rule
from zones.clock import ZERO, LookClock
from zones.polygon import ZoneShape

CloserLooker = Callable[[Rule, Box], float | None]
"""Looks at the place of a rule's candidate by itself, enlarged, in the picture of the look.

Gives the confidence with which one of the rule's labels was found there, 0 if none was;
``None``: there was nothing to be seen closer."""

WINDOW_DWELLS = 2
"""The share of looks is taken over the last one to two dwells, so that a dark night is outlived."""


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
    """The tracker has just started: it may not know everything yet."""
    shape: ZoneShape
    lane: ZoneShape | None = None
    """The lane whose vehicles queue with those of the zone."""
    beside: ZoneShape | None = None
    """The parked row beside the zone."""
    active_since: datetime | None
    """First look at which the rule's schedule held, without a break; ``None``: it does not."""
    closer: CloserLooker | None = None
    """``None``: there is no picture to look at, as in a replay."""

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
class Match:
    """The track that a case was found in at a look."""

    track: Track
    ids: frozenset[int]
    """All track ids it is known by from now on; empty: found by its place only, for now."""


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
    """Tracks it is known by; empty after its tracker began anew, until it is found again."""
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
    """The tracker's word for how long it stands; ``None`` if that began anew: take the next one."""
    observed: timedelta = ZERO
    """Watched time from ``started_at`` to ``last_seen_at``."""
    inferred: timedelta = ZERO
    """The part of ``observed`` in which it was out of sight for a moment."""
    absent: timedelta = ZERO
    """Watched time since ``last_seen_at`` in which it could have been seen."""
    window: timedelta = ZERO
    """Watched time that ``sighted`` is a part of; old time is forgotten."""
    sighted: timedelta = ZERO
    """Watched time of the looks at which it was really seen in the zone."""
    is_ripe: bool = False
    closer_look: float | None = None
    """Confidence with which a closer look found it; 0: it did not, and need not have."""
    refused_s: float = 0.0
    """``observed`` in seconds when a closer look that it needed did not find it; 0: never."""
    waived: timedelta = ZERO
    """The part of ``observed`` that is no dwell: it stood because the lane stood."""
    queue_peak: int = 0
    """Most vehicles its queue has had; 1: it was seen to come to its stand; 0: not even that."""
    queue_over: bool = False
    """The queue moved off or was none: it stands on its own account."""
    light_over: bool = False
    """The lights it stopped at must have turned green."""
    is_outside: bool = False
    """It was last seen outside the zone."""
    is_ignored: bool = False
    """It was there before the camera came up, which the rule does not mind."""
    attended: timedelta = ZERO
    """Watched time at the looks at which somebody was at it."""
    attended_looks: int = 0
    allowance_s: float = 0.0
    """Dwell that it is allowed beyond the rule's."""
    alert_box: Box | None = None
    """Where it was when the rule alerted of it, in pixels of that look; ``None``: it has not."""
    open: OpenIncident | None = None

    @property
    def label(self) -> str:
        """What it was called most often, the earlier of two."""
        return max(self.votes, key=lambda label: self.votes[label])

    @property
    def incident(self) -> Incident | None:
        """Its open incident as it is known now; ``open`` holds it as it was last reported."""
        if self.open is None:
            return None
        return replace(
            self.open.incident,
            box=self.box,
            confidence=self.confidence,
            last_seen_at=self.last_seen_at,
            observed_s=self.observed.total_seconds(),
            inferred_s=self.inferred.total_seconds(),
        )


def entered(track: Track, scene: Scene) -> Case:
    """A thing that has come into the zone; whether it moves or stands is still to be said."""
    return Case(
        track_ids=frozenset({track.track_id}),
        votes={},
        box=track.box,
        confidence=track.confidence,
        entered_at=scene.known_since(track),
        started_at=scene.at,
        last_seen_at=scene.at,
    )


def moving(case: Case, match: Match, at: datetime) -> Case:
    """It moves: whatever dwell it had is over."""
    return changed(
        _begun_anew(case, match, at),
        started_at=at,
        is_standing=False,
        still_since=None,
        observed=ZERO,
    )


def standing(case: Case, match: Match, scene: Scene, since: datetime) -> Case:
    """It has come to a stand, at a time the tracker may have found out only now."""
    started = min(scene.at, max(since, case.entered_at, scene.active_since or scene.at))
    return changed(
        _begun_anew(case, match, scene.at),
        started_at=started,
        is_standing=True,
        still_since=since,
        observed=scene.clock.watched_since(started, scene.at),
    )


def seen(case: Case, match: Match, scene: Scene, rule: Rule, *, is_inside: bool) -> Case:
    """It is still there."""
    track = match.track
    credit = case.absent if case.absent.total_seconds() <= rule.grace_s else ZERO
    window, sighted = _in_window(case, scene, rule, is_inside=is_inside)
    is_still = track.stationary_since is not None
    return changed(
        case,
        track_ids=match.ids,
        votes=_voted(case, track),
        box=track.box if is_still else case.box,
        confidence=max(case.confidence, track.confidence),
        last_seen_at=max(case.last_seen_at, scene.at),
        still_since=track.stationary_since if is_still else case.still_since,
        observed=case.observed + credit + scene.elapsed,
        inferred=case.inferred + credit,
        absent=ZERO,
        window=window,
        sighted=sighted,
        is_outside=False,
    )


def missed(case: Case, scene: Scene, rule: Rule, *, is_outside: bool) -> Case:
    """It could have been seen in the zone and was not; ``is_outside``: it was seen elsewhere."""
    window, sighted = _in_window(case, scene, rule, is_inside=False)
    return changed(
        case,
        absent=case.absent + scene.elapsed,
        window=window,
        sighted=sighted,
        is_outside=is_outside or case.is_outside,
    )


def _begun_anew(case: Case, match: Match, at: datetime) -> Case:
    return changed(
        case,
        track_ids=match.ids,
        votes=_voted(case, match.track),
        box=match.track.box,
        confidence=max(case.confidence, match.track.confidence),
        last_seen_at=max(case.last_seen_at, at),
        inferred=ZERO,
        absent=ZERO,
        window=ZERO,
        sighted=ZERO,
        closer_look=None,
        refused_s=0.0,
        waived=ZERO,
        queue_peak=0,
        queue_over=False,
        light_over=False,
        is_outside=False,
        is_ignored=False,
        attended=ZERO,
        attended_looks=0,
        allowance_s=0.0,
        alert_box=None,
    )


def _voted(case: Case, track: Track) -> Mapping[str, int]:
    if case.is_ripe:  # its name is settled
        return case.votes
    return {**case.votes, track.label: case.votes.get(track.label, 0) + 1}


def _in_window(
    case: Case, scene: Scene, rule: Rule, *, is_inside: bool
) -> tuple[timedelta, timedelta]:
    window = case.window + scene.elapsed
    sighted = case.sighted + scene.elapsed if is_inside else case.sighted
    if window.total_seconds() > WINDOW_DWELLS * rule.dwell_s:
        return window / 2, sighted / 2
    return window, sighted
