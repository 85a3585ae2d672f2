"""What a soak run must yield: the ground truth of looped clips, laid out in time; pure.

A clip that is looped is a street where the same things happen in each pass. What comes and goes
within a clip must be one order in each pass; what stands there from its first frame to its last
must be one order in the whole run, through all cuts, lost streams and restarts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from models.geometry import Box
from models.zone import RuleKind
from service.evaluation.matching import SAME_THING_IOU, candidates
from service.evaluation.row import Row
from service.evaluation.truth import ClipTruth, Thing, ZoneTruth
from zones.polygon import ZoneShape

SLACK_S = 2.0
"""So near to a threshold, or to the end of a broken pass, it is open whether an order must come."""
LASTING_S = 1.0
"""A thing that is away for no longer between two passes is always there."""
RECONNECT = "reconnect"


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One showing of a clip, whole or cut short; times in seconds since 1970."""

    number: int
    began_at: float
    ended_at: float
    is_first: bool
    """The stream began with it: at the start, or after it was lost."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """An order, its box as the truth has boxes."""

    zone: str
    box: Box
    started_at: float
    opened_at: float
    created_at: float


@dataclass(kw_only=True)
class Event:
    """One thing of which one order must come."""

    zone: ZoneTruth
    thing: Thing
    began_at: float
    """When it came to stand or lie there."""
    due_at: float
    until: float
    is_open: bool = False
    """Nobody can say whether an order must come: it counts neither way."""
    orders: list[Found] = field(default_factory=list)

    def takes(self, order: Found) -> bool:
        """Whether an order is about this."""
        in_time = self.due_at - SLACK_S <= order.opened_at <= self.until + SLACK_S
        if order.zone != self.zone.name or not in_time:
            return False
        return self.zone.kind is RuleKind.LITTER or (
            self.thing.box.iou(order.box) >= SAME_THING_IOU
        )


def passes_of(lines: Iterable[str], clip: str, breaks: Sequence[float], end: float) -> list[Pass]:
    """The passes of one clip, from what the server noted; ``breaks``: when that was killed."""
    notes = [note for note in map(json.loads, lines) if note["clip"] == clip]
    ends = sorted([note["at"] for note in notes] + list(breaks) + [end])
    began = [note for note in notes if note["pass"] is not None and note["at"] < end]
    return [
        Pass(
            number=index,
            began_at=note["at"],
            ended_at=next(at for at in ends if at > note["at"]),
            is_first=note["pass"] == 0,
        )
        for index, note in enumerate(began)
    ]


def things_of(clip: ClipTruth, zone: ZoneTruth, dwell_s: float) -> list[Thing] | None:
    """What must be told of a zone in each pass; ``None`` where the truth does not say."""
    expected = zone.expected(dwell_s)
    if expected is None or clip.size_px is None:
        return None
    shape = ZoneShape(zone.polygon, *clip.size_px)
    things = candidates(clip, zone, shape, dwell_s)
    if zone.kind is RuleKind.LITTER and things:
        things = [min(things, key=lambda thing: thing.from_s)]
    return things if len(things) == expected else None


def is_always_there(thing: Thing, clip_s: float) -> bool:
    """Whether it stands there from the first frame to the last: then no pass begins it anew."""
    return _away_s(thing, clip_s) <= LASTING_S


def is_plain(thing: Thing, clip_s: float, clear_s: float) -> bool:
    """Whether it is clear how many orders it makes: it always stands there, or is long away."""
    return is_always_there(thing, clip_s) or _away_s(thing, clip_s) >= clear_s + SLACK_S


def _away_s(thing: Thing, clip_s: float) -> float:
    return thing.from_s + max(0.0, clip_s - thing.to_s)


def events_of(
    zone: ZoneTruth, things: Sequence[Thing], passes: Sequence[Pass], dwell_s: float, clip_s: float
) -> list[tuple[Pass, Event]]:
    """All that must be told of a zone over the run, with the pass in which it falls due."""
    events: list[tuple[Pass, Event]] = []
    for thing in things:
        if is_always_there(thing, clip_s):
            first, last = passes[0], passes[-1]
            event = _event(zone, thing, first.began_at, first.began_at + dwell_s)
            event.until = last.ended_at
            events.append((first, event))
        else:
            events += _in_passes(zone, thing, passes, dwell_s)
    return [(each, event) for each, event in events if event.due_at < event.until + SLACK_S]


def _in_passes(
    zone: ZoneTruth, thing: Thing, passes: Sequence[Pass], dwell_s: float
) -> list[tuple[Pass, Event]]:
    """One event for each stand.

    What stood there when a pass was cut short, and stands there from the next one's beginning, has
    stood there all the time: nobody looked meanwhile.
    """
    events: list[tuple[Pass, Event]] = []
    left_s: float | None = None
    for each in passes:
        began_at = each.began_at + thing.from_s
        goes_on = left_s is not None and thing.from_s <= LASTING_S
        if goes_on and left_s is not None and left_s <= 0:
            events[-1][1].until = each.ended_at
        elif goes_on and left_s is not None:
            before = events.pop()[1]
            event = _event(zone, thing, before.began_at, each.began_at + left_s)
            events.append((each, event))
        else:
            event = _event(zone, thing, began_at, began_at + dwell_s)
            events.append((each, event))
        event = events[-1][1]
        event.until = each.ended_at
        event.is_open = abs(event.due_at - each.ended_at) < SLACK_S
        is_cut = each.ended_at - each.began_at < thing.to_s - LASTING_S
        left_s = event.due_at - each.ended_at if is_cut and began_at < each.ended_at else None
    return events


def _event(zone: ZoneTruth, thing: Thing, began_at: float, due_at: float) -> Event:
    return Event(zone=zone, thing=thing, began_at=began_at, due_at=due_at, until=due_at)


def rows_of(
    clip: ClipTruth,
    passes: Sequence[Pass],
    events: Sequence[tuple[Pass, Event]],
    orders: Sequence[Found],
    dwell_s: float,
    conditions: Sequence[str],
) -> list[Row]:
    """A row for each pass; an order that fits nothing is a false one of the pass it fell into."""
    strays: list[Found] = []
    for order in sorted(orders, key=lambda order: order.opened_at):
        fitting = [event for _, event in events if event.takes(order)]
        if fitting:
            min(fitting, key=lambda event: (len(event.orders), event.due_at)).orders.append(order)
        else:
            strays.append(order)
    return [
        _row(
            clip,
            each,
            [event for of, event in events if of is each and not event.is_open],
            sum(_is_in(order, each, passes) for order in strays),
            dwell_s,
            (*conditions, *((RECONNECT,) if each.is_first and each.number else ())),
        )
        for each in passes
    ]


def _is_in(order: Found, each: Pass, passes: Sequence[Pass]) -> bool:
    began = [p for p in passes if p.began_at <= order.opened_at]
    return each is (began[-1] if began else passes[0])


def _row(
    clip: ClipTruth,
    each: Pass,
    events: Sequence[Event],
    strays: int,
    dwell_s: float,
    conditions: tuple[str, ...],
) -> Row:
    told = [event for event in events if event.orders]
    found = sum(len(event.orders) for event in told) + strays
    return Row(
        clip=f"{clip.name}#{each.number}",
        zone="all",
        dwell_s=dwell_s,
        expected=len(events),
        found=found,
        matched=len(told),
        missed=len(events) - len(told),
        false_alarms=found - len(told),
        delay_s=tuple(round(e.orders[0].opened_at - e.due_at, 2) for e in told),
        start_error_s=tuple(round(e.orders[0].started_at - e.began_at, 2) for e in told),
        once=sum(len(event.orders) == 1 for event in events),
        kind="soak",
        watched_s=each.ended_at - each.began_at,
        conditions=conditions,
    )
