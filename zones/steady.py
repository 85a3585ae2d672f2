"""Looks at which nothing happens to a case but time: how many, and the case after them.

A parked car is judged at each look, and nearly each says only that it still stands there. Over
recorded looks that is found out beforehand (:mod:`zones.ahead`) and taken in at once, with the very
same outcome: times are whole microseconds, so sums do not depend on where they are cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from models.seeing import Look
from models.times import MICROSECOND, SECOND_US, from_us, span_us
from models.values import changed
from models.zone import Rule
from zones.ahead import SAME_PLACE_IOU, Ahead
from zones.case import WINDOW_DWELLS, Case, Match, OpenIncident, moving
from zones.clock import CLOCK_GRAIN_S, ZERO
from zones.incidents import REPORT_EVERY_S
from zones.meeting import needed_s
from zones.polygon import ZoneShape
from zones.series import Ints, Mask
from zones.watching import HIDDEN_SHARE, Watcher

EARLY_US = 2
"""So much before a limit looks are judged one by one: limits are compared as floating seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Looks of a series without a gap, all in the rule's schedule or all out of it."""

    ahead: Ahead
    begin: int
    """The first one; the look before it was judged or taken in."""
    before_us: int
    """Time of that look before."""
    is_active: bool

    @property
    def end(self) -> int:
        """One after the last look of the series."""
        return len(self.ahead.series)

    @property
    def shape(self) -> ZoneShape:
        """The zone in the series' pictures."""
        return self.ahead.shape

    def elapsed_s(self, end: int) -> list[float]:
        """Seconds from look to look, from the first one to before ``end``."""
        at_us = self.ahead.series.at_us[self.begin : end]
        steps: list[float] = (np.diff(at_us, prepend=self.before_us) / SECOND_US).tolist()
        return steps

    def latest(self, end: int, kept: timedelta) -> Iterator[Look]:
        """Looks before ``end`` that are not older than the last of them by more than a time."""
        series = self.ahead.series
        since_us = int(series.at_us[end - 1]) - span_us(kept)
        return (series.look(index) for index in range(self.first_at(since_us), end))

    def first_at(self, at_us: float) -> int:
        """First look from a time on."""
        index = int(np.searchsorted(self.ahead.series.at_us, at_us))
        return max(self.begin, index)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Manner:
    """How a judge judges, as far as it matters to cases to which nothing happens."""

    watcher: Watcher
    reports_each: bool
    """Each ripe case has its own incident, which is reported now and then."""
    alert_after_s: float | None

    def alerts_of(self, case: Case) -> bool:
        """Whether the rule may yet alert of an unripe case."""
        return self.alert_after_s is not None and case.alert_box is None


def steady_until(
    watcher: Watcher, stretch: Stretch, *, reports_each: bool, alert_after_s: float | None = None
) -> int:
    """The first look that must be judged by a watcher's cases; the first one if nothing is sure.

    ``reports_each``: each ripe case has its own incident, which is reported now and then.
    """
    manner = _Manner(watcher=watcher, reports_each=reports_each, alert_after_s=alert_after_s)
    away: list[Case] = []
    limit = stretch.end
    for case in watcher.cases:
        if not case.track_ids or not (case.is_ripe or stretch.is_active):
            return stretch.begin  # after a restart, or after its schedule
        if _is_away(case, stretch):
            away.append(case)
            until = _away_until(case, stretch, watcher.rule)
        else:
            until = _there_until(case, stretch, manner)
        if until <= stretch.begin:
            return stretch.begin
        limit = min(limit, until)
    known = frozenset(track_id for case in watcher.cases for track_id in case.track_ids)
    if stretch.is_active:
        limit = min(limit, stretch.ahead.next_entry(stretch.begin, known))
    return _not_taken_until(away, stretch, watcher, known, limit) if away else limit


def pass_steady(watcher: Watcher, stretch: Stretch, end: int) -> None:
    """Let a watcher's cases go on to before ``end``, up to which nothing happens to them."""
    watcher.cases = tuple(_after(case, stretch, end, watcher) for case in watcher.cases)


def _is_away(case: Case, stretch: Stretch) -> bool:
    """Whether the first look does not show it."""
    return not any(stretch.ahead.is_seen(track_id, stretch.begin) for track_id in case.track_ids)


def _away_until(case: Case, stretch: Stretch, rule: Rule) -> int:
    """When it is seen again, or may be given up."""
    sights = (stretch.ahead.next_sight(track_id, stretch.begin) for track_id in case.track_ids)
    limit_s = rule.clear_after_s if case.is_ripe else rule.grace_s
    left_us = round(limit_s * SECOND_US) - span_us(case.absent) - EARLY_US
    return min(*sights, stretch.end, stretch.first_at(stretch.before_us + left_us))


def _not_taken_until(
    away: Sequence[Case], stretch: Stretch, watcher: Watcher, known: frozenset[int], limit: int
) -> int:
    """When something may hide the place of a case that is away, or may be taken for it."""
    ahead, begin = stretch.ahead, stretch.begin
    gone = {id(case) for case in away}
    lying = (case for case in watcher.cases if case.is_standing and id(case) not in gone)
    harmless = frozenset(track_id for case in lying for track_id in case.track_ids)
    for case in away:
        if limit > begin:
            limit = ahead.next_cover(case.box, HIDDEN_SHARE, range(begin, limit), harmless)
    return min(limit, ahead.next_followed(begin, known)) if watcher.knows_by_place else limit


def report_due(opened: OpenIncident, observed_s: float, stretch: Stretch) -> int:
    """First look at which an incident may be reported again."""
    left_us = round((opened.reported_s + REPORT_EVERY_S - observed_s) * SECOND_US)
    return stretch.first_at(stretch.before_us + left_us - EARLY_US)


def _after(case: Case, stretch: Stretch, end: int, watcher: Watcher) -> Case:
    passed_us = stretch.ahead.series.at_us[stretch.begin : end] - stretch.before_us
    if _is_away(case, stretch):
        window, sighted = _window(case, passed_us, np.zeros_like(passed_us), watcher.rule)
        absent = case.absent + int(passed_us[-1]) * MICROSECOND
        return changed(case, absent=absent, window=window, sighted=sighted)
    (track_id,) = case.track_ids
    rows = stretch.ahead.rows_of(track_id, stretch.begin, end)
    if not case.is_standing:
        return _after_moving(case, stretch.ahead, rows, end)
    return _after_standing(case, stretch.ahead, rows, passed_us, watcher)


def _after_moving(case: Case, ahead: Ahead, rows: Ints, end: int) -> Case:
    track = next(t for t in ahead.series.look(end - 1).tracks if t.track_id in case.track_ids)
    after = moving(case, Match(track=track, ids=case.track_ids), ahead.series.at(end - 1))
    confidence = max(case.confidence, float(ahead.series.confidence[rows].max()))
    return changed(after, votes=_votes(case, ahead, rows), confidence=confidence)


def _after_standing(
    case: Case, ahead: Ahead, rows: Ints, passed_us: Ints, watcher: Watcher
) -> Case:
    sighted_us = passed_us
    if not case.is_ripe:
        inside = _inside(ahead, rows, watcher)
        if not inside.all():
            sighted_us = np.cumsum(np.diff(passed_us, prepend=0) * inside)
    window, sighted = _window(case, passed_us, sighted_us, watcher.rule)
    observed = case.observed + int(passed_us[-1]) * MICROSECOND
    return changed(
        case,
        votes=case.votes if case.is_ripe else _votes(case, ahead, rows),
        box=ahead.series.box(int(rows[-1])),
        confidence=max(case.confidence, float(ahead.series.confidence[rows].max())),
        last_seen_at=max(case.last_seen_at, ahead.series.at_row(int(rows[-1]))),
        still_since=from_us(int(ahead.series.still_us[rows[-1]])),
        observed=observed,
        window=window,
        sighted=sighted,
        is_outside=False,
        waived=observed if not case.is_ripe and watcher.waives(case) else case.waived,
    )


def _there_until(case: Case, stretch: Stretch, manner: _Manner) -> int:
    if len(case.track_ids) != 1 or case.absent != ZERO:
        return stretch.begin
    (track_id,) = case.track_ids
    place = stretch.ahead.place_of(track_id, stretch.begin)
    if place is None or not case.is_standing:
        return stretch.begin if place is None else stretch.ahead.moves_until(place)
    until = stretch.ahead.stays_until(place)
    if until <= stretch.begin:
        return until
    if case.is_ripe:
        if manner.reports_each and case.open is None:
            return stretch.begin
        due = stretch.end
        if manner.reports_each and case.open is not None:
            due = report_due(case.open, case.observed.total_seconds(), stretch)
        return min(until, due)
    return _unripe_until(case, place, until, stretch, manner)


def _unripe_until(case: Case, place: int, until: int, stretch: Stretch, manner: _Manner) -> int:
    series, row = stretch.ahead.series, int(stretch.ahead.rows(place, 1)[0])
    is_as_before = case.still_since == from_us(int(series.still_us[row]))
    if not (is_as_before and not manner.watcher.excuses(case)):
        return stretch.begin
    if case.box.iou(series.box(row)) < SAME_PLACE_IOU:
        return stretch.begin
    if manner.watcher.waives(case):
        return until if needed_s(case, manner.watcher.rule) > CLOCK_GRAIN_S else stretch.begin
    due = max(_dwell_met(case, stretch, manner), _sure_enough(case, place, until, stretch, manner))
    while due < until and not manner.alerts_of(case):
        row = int(stretch.ahead.rows(place + due - stretch.begin, 1)[0])
        if manner.watcher.is_inside(series.box(row), stretch.shape):
            break
        due += 1
    return min(until, due)


def _dwell_met(case: Case, stretch: Stretch, manner: _Manner) -> int:
    """When it may first have been there for long enough, for the rule or an alert."""
    dwell_s = needed_s(case, manner.watcher.rule)
    if manner.alert_after_s is not None and manner.alerts_of(case):
        dwell_s = min(dwell_s, manner.alert_after_s)
    least_us = round((dwell_s - CLOCK_GRAIN_S) * SECOND_US)
    return _when_observed(case.observed - case.waived, least_us, stretch)


def _sure_enough(case: Case, place: int, until: int, stretch: Stretch, manner: _Manner) -> int:
    """When its confidence may first reach the rule's."""
    ahead = stretch.ahead
    names = {*case.votes, *ahead.series.labels}
    least = min(manner.watcher.rule.threshold(name) for name in names)
    if case.confidence >= least:
        return stretch.begin
    rows = ahead.rows(place, until - stretch.begin)
    sure = np.flatnonzero(ahead.series.confidence[rows] >= least)
    return stretch.begin + int(sure[0]) if len(sure) else until


def _when_observed(observed: timedelta, least_us: int, stretch: Stretch) -> int:
    return stretch.first_at(stretch.before_us + least_us - span_us(observed) - EARLY_US)


def _inside(ahead: Ahead, rows: Ints, watcher: Watcher) -> Mask:
    inside = watcher.surely_inside(ahead.series.boxes[rows], ahead.shape)
    for index in np.flatnonzero(~inside).tolist():
        inside[index] = watcher.is_inside(ahead.series.box(int(rows[index])), ahead.shape)
    return inside


def _votes(case: Case, ahead: Ahead, rows: Ints) -> dict[str, int]:
    votes = dict(case.votes)
    for code in ahead.series.label[rows].tolist():
        label = ahead.series.labels[code]
        votes[label] = votes.get(label, 0) + 1
    return votes


def _window(
    case: Case, passed_us: Ints, sighted_us: Ints, rule: Rule
) -> tuple[timedelta, timedelta]:
    """As :func:`zones.case.seen` does look by look: both are halved when the window is long."""
    longest_s = WINDOW_DWELLS * rule.dwell_s
    window, sighted, done, taken = span_us(case.window), span_us(case.sighted), 0, 0
    first = 0
    while True:
        past = passed_us[first:] + (window - done)
        long = int(np.searchsorted(past / SECOND_US, longest_s, side="right"))
        last = min(first + long, len(passed_us) - 1)
        window += int(passed_us[last]) - done
        sighted += int(sighted_us[last]) - taken
        done, taken, is_over = int(passed_us[last]), int(sighted_us[last]), long < len(past)
        if is_over:
            window, sighted = _half(window), _half(sighted)
        first = last + 1
        if first >= len(passed_us):
            return window * MICROSECOND, sighted * MICROSECOND


def _half(us: int) -> int:
    """Half of it, as :class:`datetime.timedelta` divides: to the even one of two."""
    half, odd = divmod(us, 2)
    return half + (half & odd)
