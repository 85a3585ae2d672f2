"""Who stands in a queue: vehicles of one lane that came to a stand shortly after each other.

Pure: facts of one look in, sizes out. What a case makes of it is in :func:`after_queue`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.geometry import Box
from models.values import changed
from zones.case import Case

LEAST_QUEUE = 3
"""Two vehicles side by side are neighbours; three that stop one after the other are a queue."""
NEXT_STOP = timedelta(seconds=30)
"""Neighbours in a queue come to a stand within this time of each other."""
MOVING_OFF = timedelta(seconds=10)
"""Who still stands so long after its queue has moved off does not belong to it any more."""
NEIGHBOUR_RATIO = 2.0
"""Wheels of neighbours are no further apart than this share of the larger one's longer side."""
SAME_VEHICLE_IOU = 0.7
"""Two boxes of one look that overlap so much are one vehicle under two names (car and truck)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A vehicle that stands in the lane and was seen to come to its stand."""

    track_id: int
    box: Box
    stopped_at: datetime


def queue_sizes(members: Sequence[Member]) -> dict[int, int]:
    """How many vehicles, itself included, the queue of each one has, by track id.

    A vehicle is linked to the next one near it that stopped shortly before or after it; what was
    linked to both is in one queue.
    """
    vehicles = _without_doubles(members)
    sizes: dict[int, int] = {}
    left = dict(enumerate(vehicles))
    while left:
        _, first = left.popitem()
        queue, edge = [first], [first]
        while edge:
            here = edge.pop()
            linked = [i for i, other in left.items() if _are_linked(here, other)]
            edge += [left[i] for i in linked]
            queue += [left.pop(i) for i in linked]
        sizes.update({member.track_id: len(queue) for member in queue})
    return sizes


def after_queue(case: Case, size: int, longest_s: float) -> Case:
    """A standing, unripe case after a look at which its queue has this size.

    All of its dwell up to here is waived while it stands in a queue. The queue has moved off when
    half of it is gone: who still stands then could have moved, its dwell runs, and soon it is
    parked for good, whoever stops beside it later. A queue that stands for ``longest_s`` is none.
    """
    if case.queue_over:
        return case
    peak = max(case.queue_peak, size)
    if peak < LEAST_QUEUE:
        return changed(case, queue_peak=peak)
    if case.observed.total_seconds() > longest_s:
        return changed(case, queue_peak=peak, queue_over=True)
    if size < LEAST_QUEUE or 2 * size <= peak:
        is_over = case.observed - case.waived > MOVING_OFF
        return changed(case, queue_peak=peak, queue_over=is_over)
    return changed(case, queue_peak=peak, waived=case.observed)


def after_light(case: Case, moved_off_at: datetime | None, longest_red_s: float) -> Case:
    """A standing, unripe case in front of lights; ``moved_off_at``: when another one last drove on.

    Its dwell is waived until another vehicle has driven on since it stands, or the longest red
    phase is over.
    """
    if case.light_over:
        return case
    is_green = moved_off_at is not None and moved_off_at > case.started_at
    if is_green or case.observed.total_seconds() > longest_red_s:
        return changed(case, light_over=True)
    return changed(case, waived=case.observed)


def _are_linked(one: Member, other: Member) -> bool:
    (x1, y1), (x2, y2) = one.box.anchor, other.box.anchor
    longer = max(one.box.width, one.box.height, other.box.width, other.box.height)
    is_near = (x1 - x2) ** 2 + (y1 - y2) ** 2 <= (NEIGHBOUR_RATIO * longer) ** 2
    return is_near and abs(one.stopped_at - other.stopped_at) <= NEXT_STOP


def _without_doubles(members: Sequence[Member]) -> list[Member]:
    kept: list[Member] = []
    for member in members:
        if all(member.box.iou(other.box) < SAME_VEHICLE_IOU for other in kept):
            kept.append(member)
    return kept
