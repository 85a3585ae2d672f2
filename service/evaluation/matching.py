"""Which incidents are the expected ones, and how late they came; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from models.geometry import Box
from models.incident import Incident
from models.zone import RuleKind
from service.evaluation.truth import ClipTruth, Thing, ZoneTruth
from zones.polygon import ZoneShape

SAME_THING_IOU = 0.2
"""Boxes of the ground truth are read by eye, and cameras drift: a low overlap is enough."""
TIME_SLACK_S = 2.0
"""Times of the ground truth are read by eye too."""
NEAR_ZONE_RATIO = 0.35
"""A thing whose anchor is outside by so much of its size may still be the zone's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """How the incidents of one zone and threshold compare to what was expected."""

    expected: int
    found: int
    matched: int
    delays_s: tuple[float, ...]
    """From the threshold to the incident, where it is known which thing it was; the threshold is
    the dwell after the thing can be seen."""
    start_errors_s: tuple[float, ...] = ()
    """By how much the incident says too late when it began; below 0: too early."""
    once: int = 0
    """Expected incidents that came exactly once."""

    @property
    def missed(self) -> int:
        """Expected incidents that did not come."""
        return self.expected - self.matched

    @property
    def false_alarms(self) -> int:
        """Incidents that nobody expected."""
        return self.found - self.matched


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is to be matched: incidents of one zone and threshold, boxes as the truth has them."""

    incidents: Sequence[tuple[Incident, Box]]
    starts_at: datetime
    dwell_s: float
    expected: int


def match(clip: ClipTruth, zone: ZoneTruth, shape: ZoneShape, case: Case) -> Match:
    """Pair incidents with the things of the truth by place; by number where that is not clear."""
    things = candidates(clip, zone, shape, case.dwell_s)
    pairs = _pairs(things, case)
    if zone.kind is RuleKind.LITTER:
        matched = min(case.expected, len(case.incidents))
        pairs = [_first_of(things, case)] if matched and things else []
    elif len(things) == case.expected:
        matched = len(pairs)
    else:
        matched = min(case.expected, len(case.incidents))
        pairs = pairs[:matched]
    return Match(
        expected=case.expected,
        found=len(case.incidents),
        matched=matched,
        delays_s=tuple(round(_delay(*pair, case), 2) for pair in pairs),
        start_errors_s=tuple(round(_start_error(*pair, case), 2) for pair in pairs),
        once=matched - _told_again(pairs, matched, case),
    )


def candidates(clip: ClipTruth, zone: ZoneTruth, shape: ZoneShape, dwell_s: float) -> list[Thing]:
    """Things the rule must report, as far as they count: not before its schedule begins."""
    things = (
        replace(thing, from_s=max(thing.from_s, zone.holds_from_s))
        for thing in clip.things[zone.kind]
        if thing.label not in zone.leaves_out
    )
    return [
        thing
        for thing in things
        if (zone.lasting or thing.to_s - thing.from_s >= dwell_s)
        and shape.distance_px(thing.box.anchor) <= NEAR_ZONE_RATIO * thing.box.size
    ]


def _pairs(things: Sequence[Thing], case: Case) -> list[tuple[Thing, Incident]]:
    incidents = case.incidents
    scores = np.array([[_likeness(thing, *each, case) for each in incidents] for thing in things])
    pairs = []
    while scores.size and scores.max() >= SAME_THING_IOU:
        row, column = np.unravel_index(int(scores.argmax()), scores.shape)
        pairs.append((things[int(row)], incidents[int(column)][0]))
        scores[row, :] = scores[:, column] = 0.0
    return pairs


def _likeness(thing: Thing, incident: Incident, box: Box, case: Case) -> float:
    """How well an incident fits a thing by place; one of another time is about another thing."""
    began_s = (incident.started_at - case.starts_at).total_seconds()
    is_then = began_s <= thing.to_s and _opened_s(incident, case) >= thing.from_s - TIME_SLACK_S
    return thing.box.iou(box) if is_then else 0.0


def _told_again(pairs: Sequence[tuple[Thing, Incident]], matched: int, case: Case) -> int:
    """How many of the matched ones came again: by place, or by number where that is not clear."""
    paired = {incident.incident_id for _, incident in pairs}
    others = [each for each in case.incidents if each[0].incident_id not in paired]
    if len(pairs) < matched:
        return min(matched, len(case.incidents) - matched)
    return sum(
        any(_likeness(thing, *each, case) >= SAME_THING_IOU for each in others)
        for thing, _ in pairs
    )


def _delay(thing: Thing, incident: Incident, case: Case) -> float:
    return _opened_s(incident, case) - thing.due_from_s - case.dwell_s


def _start_error(thing: Thing, incident: Incident, case: Case) -> float:
    return (incident.started_at - case.starts_at).total_seconds() - thing.from_s


def _first_of(things: Sequence[Thing], case: Case) -> tuple[Thing, Incident]:
    """Litter is one incident for a zone: the first one, and the first thing."""
    first = min((incident for incident, _ in case.incidents), key=lambda each: each.opened_at)
    return min(things, key=lambda thing: thing.from_s), first


def _opened_s(incident: Incident, case: Case) -> float:
    return (incident.opened_at - case.starts_at).total_seconds()
