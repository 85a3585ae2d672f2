"""What a series of looks holds, found out for all its rows at once: who stays, who may enter.

Each answer errs, if at all, to the side of judging a look that need not have been judged.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from models.geometry import Box
from models.zone import Rule
from zones.polygon import ZoneShape
from zones.queue import SAME_VEHICLE_IOU
from zones.series import Floats, Ints, LookSeries, Mask, anchors, order_of
from zones.watching import EDGE_MARGIN_RATIO, ENTRY_CONFIDENCE_RATIO

T = TypeVar("T")

SAME_PLACE_IOU = 0.5
"""Boxes of two looks that overlap less are left to the rules; more than any of them asks for."""
_ROUNDING = 1e-9
SCANNED = 32
"""So many rows are looked through one by one before all are."""
_NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _ByTrack:
    """Rows sorted by track, and in each track by look."""

    rows: Ints
    looks: list[int]
    goes_on: Mask
    """At the look before it stood there too, since the same time; or it moved then as well."""
    next_seen: Ints
    """The next row, of this track or a later one, at which a track was seen."""
    first: dict[int, tuple[int, int]]
    """Where a track's rows begin and end."""


class Terrain:
    """What all rules of a camera share of a series."""

    def __init__(self, series: LookSeries) -> None:
        self.series = series
        self.look_of_row = np.repeat(np.arange(len(series)), np.diff(series.begins))
        self.anchors = anchors(series.boxes)
        self.sides = np.maximum(series.boxes[:, 2:] - series.boxes[:, :2], 0.0)
        self.is_seen = series.ago_us == 0
        self.by_track = self._sorted()
        self._found: dict[Hashable, Any] = {}
        self.moves = self.is_seen & (series.still_us == 0)
        stands = self.is_seen & (series.still_us != 0)
        self.stands_alone = stands & ~self._doubled(np.flatnonzero(stands))

    def held(self, shape: ZoneShape) -> Mask:
        """Rows whose anchor is in a zone."""
        return self.once(("held", id(shape)), lambda: shape.hold_which(self.anchors))

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """Find something out once, for all rules that ask the same: hundreds, when one is tuned."""
        if key not in self._found:
            self._found[key] = find()
        found: T = self._found[key]
        return found

    def near(self, shape: ZoneShape, rows: Ints) -> Mask:
        """Which of these rows are in a zone, or not further from it than boxes jitter."""
        width, height = self.sides[rows].T
        reach = EDGE_MARGIN_RATIO * np.sqrt(width * height)
        near: Mask = shape.distances_px(self.anchors[rows]) <= reach
        return near

    def _sorted(self) -> _ByTrack:
        series = self.series
        rows = order_of(series.track_id)
        ids, looks, still_us = series.track_id[rows], self.look_of_row[rows], series.still_us[rows]
        goes_on = np.zeros(len(rows), dtype=bool)
        goes_on[1:] = (
            (ids[1:] == ids[:-1]) & (np.diff(looks) == 1) & (still_us[1:] == still_us[:-1])
        )
        boxes = series.boxes[rows]
        is_there = _ious(boxes[1:], boxes[:-1]) >= SAME_PLACE_IOU
        goes_on[1:] &= is_there | (still_us[1:] == 0)
        places = np.where(self.is_seen[rows], np.arange(len(rows)), len(rows))
        starts = np.flatnonzero(np.diff(ids, prepend=ids[:1] - 1))
        bounds = zip(starts.tolist(), [*starts[1:].tolist(), len(ids)], strict=True)
        first = dict(zip(ids[starts].tolist(), bounds, strict=True)) if len(ids) else {}
        return _ByTrack(
            rows=rows,
            looks=looks.tolist(),
            goes_on=goes_on,
            next_seen=np.minimum.accumulate(places[::-1])[::-1],
            first=first,
        )

    def _doubled(self, rows: Ints) -> Mask:
        """Rows that lie upon another of these in the same look."""
        doubled = np.zeros(len(self.series.track_id), dtype=bool)
        looks, boxes = self.look_of_row[rows], self.series.boxes[rows]
        for offset in range(1, int(np.bincount(looks).max(initial=0))):
            pairs = np.flatnonzero(looks[offset:] == looks[:-offset])
            if not len(pairs):
                break
            ious = _ious(boxes[pairs], boxes[pairs + offset])
            close = pairs[ious >= SAME_VEHICLE_IOU - _ROUNDING]
            doubled[rows[close]] = doubled[rows[close + offset]] = True
        return doubled


class _Sightings:
    """Looks at which certain rows are seen, without those of certain tracks."""

    def __init__(self, series: LookSeries, terrain: Terrain, which: Mask) -> None:
        rows = np.flatnonzero(which)
        self._ids, self._looks = series.track_id[rows], terrain.look_of_row[rows]
        self._end = len(series)
        self._known, self._others = _NOBODY, self._looks

    def next(self, look: int, known_ids: frozenset[int]) -> int:
        """The first of them from a look on; the end of the series if there is none."""
        first = int(np.searchsorted(self._looks, look))
        near = slice(first, first + SCANNED)
        for track_id, seen_at in zip(
            self._ids[near].tolist(), self._looks[near].tolist(), strict=True
        ):
            if track_id not in known_ids:
                return int(seen_at)
        if first + SCANNED >= len(self._looks):
            return self._end
        if known_ids != self._known:
            others = ~np.isin(self._ids, np.fromiter(known_ids, np.int64, len(known_ids)))
            self._known, self._others = known_ids, self._looks[others]
        index = int(np.searchsorted(self._others, look))
        return int(self._others[index]) if index < len(self._others) else self._end


class Ahead:
    """What one rule at its zone may meet in a series."""

    def __init__(
        self, terrain: Terrain, shape: ZoneShape, rule: Rule, follows: Callable[[str], bool]
    ) -> None:
        """``follows``: whether a thing of the rule may be called so at a look."""
        series = terrain.series
        self.series, self.shape = series, shape
        self._by_track = terrain.by_track
        own = tuple(follows(label) for label in series.labels)
        self._until, self._moves_until, self._followed = terrain.once(
            ("goings on", id(shape), own),
            lambda: self._goings_on(terrain, np.array(own, dtype=bool)),
        )
        least = tuple(
            ENTRY_CONFIDENCE_RATIO * rule.threshold(label) if label in rule.labels else np.inf
            for label in series.labels
        )
        self._entries = terrain.once(
            ("entering", id(shape), least), lambda: self._entering(terrain, np.array(least))
        )

    def place_of(self, track_id: int, look: int) -> int | None:
        """Where a track's row of a look is, sorted by tracks; ``None`` if it is not there."""
        begin, end = self._by_track.first.get(track_id, (0, 0))
        place = bisect_left(self._by_track.looks, look, begin, end)
        return place if place < end and self._by_track.looks[place] == look else None

    def stays_until(self, place: int) -> int:
        """First look at which the track is not surely seen standing in or at the zone as before."""
        return self._by_track.looks[place] + int(self._until[place]) - place

    def moves_until(self, place: int) -> int:
        """First look at which the track is not surely seen moving in or at the zone."""
        return self._by_track.looks[place] + int(self._moves_until[place]) - place

    def is_seen(self, track_id: int, look: int) -> bool:
        """Whether a track is seen at a look."""
        place = self.place_of(track_id, look)
        return place is not None and int(self._by_track.next_seen[place]) == place

    def next_sight(self, track_id: int, look: int) -> int:
        """First look, from this one on, at which a track is seen."""
        begin, end = self._by_track.first.get(track_id, (0, 0))
        place = bisect_left(self._by_track.looks, look, begin, end)
        if place >= end or self._by_track.next_seen[place] >= end:
            return len(self.series)
        return self._by_track.looks[int(self._by_track.next_seen[place])]

    def next_cover(self, box: Box, share: float, looks: range, harmless_ids: frozenset[int]) -> int:
        """First of some looks at which another track covers so much of a box; else their end."""
        series = self.series
        rows = slice(int(series.begins[looks.start]), int(series.begins[looks.stop]))
        boxes = series.boxes[rows]
        low = np.maximum(boxes[:, :2], (box.x1, box.y1))
        high = np.minimum(boxes[:, 2:], (box.x2, box.y2))
        common = np.maximum(high - low, 0.0).prod(axis=1)
        for row in (np.flatnonzero(common >= (share - _ROUNDING) * box.area) + rows.start).tolist():
            if int(series.track_id[row]) not in harmless_ids:
                return int(np.searchsorted(series.begins, row, side="right")) - 1
        return looks.stop

    def rows_of(self, track_id: int, begin: int, end: int) -> Ints:
        """Rows of a track that each of some looks shows."""
        place = self.place_of(track_id, begin)
        if place is None:
            raise ValueError(f"track {track_id} is not in look {begin}")
        return self.rows(place, end - begin)

    def rows(self, place: int, count: int) -> Ints:
        """Rows of a track's next looks."""
        return self._by_track.rows[place : place + count]

    def next_entry(self, look: int, known_ids: frozenset[int]) -> int:
        """First look, from this one on, at which something else may enter the zone."""
        return self._entries.next(look, known_ids)

    def next_followed(self, look: int, known_ids: frozenset[int]) -> int:
        """First look at which anything is seen, anywhere, that the rule could take for its own."""
        return self._followed.next(look, known_ids)

    def _goes_on(self, terrain: Terrain, stays: Mask) -> Ints:
        """By place: the next place at which the track does not go on as before."""
        rows, goes_on = terrain.by_track.rows, terrain.by_track.goes_on
        candidates = np.flatnonzero(stays)
        stays[candidates] = terrain.near(self.shape, candidates)
        places = np.arange(len(rows))
        ends = np.where(goes_on & stays[rows], len(rows), places)
        # The nearest end after each place, from behind.
        after = np.append(np.minimum.accumulate(ends[::-1])[::-1][1:], len(rows))
        until: Ints = np.where(stays[rows], after, places)
        return until

    def _goings_on(self, terrain: Terrain, own: Mask) -> tuple[Ints, Ints, _Sightings]:
        is_own = own[self.series.label] if len(own) else self._none()
        return (
            self._goes_on(terrain, terrain.stands_alone & is_own),
            self._goes_on(terrain, terrain.moves & is_own),
            _Sightings(self.series, terrain, terrain.is_seen & is_own),
        )

    def _entering(self, terrain: Terrain, least: Floats) -> _Sightings:
        enters = self._none()
        if len(least):
            is_sure = self.series.confidence >= least[self.series.label]
            enters = terrain.is_seen & is_sure & terrain.held(self.shape)
        return _Sightings(self.series, terrain, enters)

    def _none(self) -> Mask:
        return np.zeros(len(self.series.track_id), dtype=bool)


def _ious(one: Floats, other: Floats) -> Floats:
    """Overlaps of boxes, pair by pair, as :meth:`models.geometry.Box.iou` gives them."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    common = np.maximum(high - low, 0.0).prod(axis=1)
    areas = [np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0).prod(axis=1) for boxes in (one, other)]
    total = areas[0] + areas[1] - common
    ious: Floats = np.divide(common, total, out=np.zeros_like(common), where=total > 0)
    return ious
