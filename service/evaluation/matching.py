"""Which incidents are the expected ones, and how late they came; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from models.geometry import Box
from models.incident import Incident
from models.zone import RuleKind
from service.evaluation.truth import ClipTruth, Thing, ZoneTruth
from zones.polygon import ZoneShape

SAME_THING_IOU = 0.2
"""Boxes of the ground truth are read by eye, and cameras drift: a low overlap is enough."""
NEAR_ZONE_RATIO = 0.35
"""A thing whose anchor is outside by so much of its size may still be the zone's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """How the incidents of one zone and threshold compare to what was expected."""

    expected: int
    found: int
    matched: int
    delays_s: tuple[float, ...]
    """From the threshold to the incident, where it is known which thing it was."""

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
    things = _candidates(clip, zone, shape, case.dwell_s)
    pairs = _pairs(things, case.incidents)
    if zone.kind is RuleKind.LITTER:
        matched = min(case.expected, len(case.incidents))
        delays = [_litter_delay(things, case)] if matched and things else []
    elif len(things) == case.expected:
        matched = len(pairs)
        delays = [_delay(thing, incident, case) for thing, incident in pairs]
    else:
        matched = min(case.expected, len(case.incidents))
        delays = [_delay(thing, incident, case) for thing, incident in pairs[:matched]]
    return Match(
        expected=case.expected,
        found=len(case.incidents),
        matched=matched,
        delays_s=tuple(round(delay, 2) for delay in delays),
    )


def _candidates(clip: ClipTruth, zone: ZoneTruth, shape: ZoneShape, dwell_s: float) -> list[Thing]:
    return [
        thing
        for thing in clip.things[zone.kind]
        if (zone.lasting or thing.to_s - thing.from_s >= dwell_s)
        and shape.distance_px(thing.box.anchor) <= NEAR_ZONE_RATIO * thing.box.size
    ]


def _pairs(
    things: Sequence[Thing], incidents: Sequence[tuple[Incident, Box]]
) -> list[tuple[Thing, Incident]]:
    scores = np.array([[thing.box.iou(box) for _, box in incidents] for thing in things])
    pairs = []
    while scores.size and scores.max() >= SAME_THING_IOU:
        row, column = np.unravel_index(int(scores.argmax()), scores.shape)
        pairs.append((things[int(row)], incidents[int(column)][0]))
        scores[row, :] = scores[:, column] = 0.0
    return pairs


def _delay(thing: Thing, incident: Incident, case: Case) -> float:
    return _opened_s(incident, case) - thing.from_s - case.dwell_s


def _litter_delay(things: Sequence[Thing], case: Case) -> float:
    first_s = min(_opened_s(incident, case) for incident, _ in case.incidents)
    return first_s - min(thing.from_s for thing in things) - case.dwell_s


def _opened_s(incident: Incident, case: Case) -> float:
    return (incident.opened_at - case.starts_at).total_seconds()
