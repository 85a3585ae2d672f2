"""Rules at their zones: which judge each has, and which looks of a series it need not judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.incident import Incident, IncidentChange
from models.times import to_us
from models.zone import (
    Camera,
    DamagedFacilityRule,
    IllegalParkingRule,
    LitteringRule,
    LitterRule,
    Rule,
    Stage,
    Zone,
)
from zones.accumulated import AccumulatedJudge
from zones.ahead import Ahead, Terrain
from zones.case import Case, OpenIncident, Scene
from zones.damage import DamageJudge
from zones.incidents import Site
from zones.litter import LitterJudge
from zones.littering import LitteringJudge
from zones.notes import Notes
from zones.parking import ParkingJudge
from zones.polygon import ZoneShape
from zones.schedule import constant_until, is_active, time_zone
from zones.series import LookSeries
from zones.state import RuleMemory
from zones.steady import Stretch
from zones.watching import Watcher


class Judge(Protocol):
    """One rule in one zone."""

    @property
    def cases(self) -> tuple[Case, ...]:
        """What is being watched."""

    @property
    def open(self) -> OpenIncident | None:
        """The incident of all cases together, where the rule makes only one."""

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Open incidents."""

    @property
    def is_idle(self) -> bool:
        """Whether it remembers nothing that looks at an empty street could change."""

    @property
    def notes(self) -> Notes:
        """What else it remembers."""

    def look(self, scene: Scene) -> list[IncidentChange]:
        """Judge a look."""

    @property
    def watcher(self) -> Watcher:
        """Who follows the things."""

    def steady_until(self, stretch: Stretch) -> int:
        """First look of a stretch that must be judged; its first one if nothing is sure."""

    def pass_steady(self, stretch: Stretch, end: int) -> None:
        """Take in a stretch's looks before ``end``, which change nothing but times."""

    def rescale(self, x_factor: float, y_factor: float, width_px: int, height_px: int) -> None:
        """The pictures have another size from now on."""


@dataclass(kw_only=True, slots=True)
class Post:
    """A rule at its zone, with the judge that holds its memory."""

    zone: Zone
    rule: Rule
    judge: Judge
    active_since: datetime | None = None
    ahead: Ahead | None = None
    """What it may meet in the series of looks that is judged."""
    steady_from: int = 0
    """Looks of that series from here on ..."""
    steady_until: int = 0
    """... to before here change nothing but times, and have not been taken in yet."""

    def plan(self, begin: int, limit: int) -> None:
        """Find out which looks from ``begin`` on need not be judged: ``limit`` at the most."""
        self.steady_from = self.steady_until = begin
        if self.ahead is None or begin >= limit:
            return
        stretch, at = self._stretch(self.ahead), self.ahead.series.at(begin)
        if stretch.is_active != is_active(self.rule.schedule, at):
            return
        holds_until = constant_until(self.rule.schedule, at)
        if holds_until is not None:
            limit = min(limit, stretch.first_at(to_us(holds_until)))
        self.steady_until = max(begin, min(limit, self.judge.steady_until(stretch)))

    def catch_up(self, index: int) -> None:
        """Take in the looks before this one that need not be judged."""
        end = min(index, self.steady_until)
        if self.ahead is not None and end > self.steady_from:
            self.judge.pass_steady(self._stretch(self.ahead), end)
            self.steady_from = end

    def _stretch(self, ahead: Ahead) -> Stretch:
        return Stretch(
            ahead=ahead,
            begin=self.steady_from,
            before_us=int(ahead.series.at_us[self.steady_from - 1]),
            is_active=self.active_since is not None,
        )


class LookAhead:
    """Tells which rules need not judge which looks of a series."""

    def __init__(self, series: LookSeries, posts: Sequence[Post]) -> None:
        self._series, self._posts = series, posts
        self._terrain: Terrain | None = None
        for post in posts:
            post.ahead = None
            post.steady_from = post.steady_until = 0

    def due(self, index: int) -> list[Post]:
        """Rules that must judge a look, ready to do so."""
        due = [post for post in self._posts if post.steady_until <= index]
        for post in due:
            post.catch_up(index)
        return due

    def next_due(
        self, due: Sequence[Post], index: int, until: int, shapes: Mapping[str, ZoneShape]
    ) -> int:
        """The next look that must be judged by any rule: ``until`` at the latest.

        ``due``: the rules that judged the look before ``index``; ``shapes``: all zones.
        """
        if index < until and self._terrain is None:
            self._terrain = Terrain(self._series)
            for post in self._posts:
                shape = shapes[post.zone.zone_id]
                post.ahead = Ahead(self._terrain, shape, post.rule, post.judge.watcher.follows)
        for post in due:
            post.plan(index, until)
        return min((post.steady_until for post in self._posts), default=until)

    def finish(self) -> None:
        """Take in what has not been judged to the end of the series."""
        for post in self._posts:
            post.catch_up(len(self._series))
            post.ahead = None


def lane_id(rule: Rule) -> str:
    """The zone whose vehicles queue with those of the rule; empty: none."""
    return (rule.queue_zone_id or "") if isinstance(rule, IllegalParkingRule) else ""


def beside_id(rule: Rule) -> str:
    """The zone of the parked row beside the rule's; empty: none."""
    return (rule.beside_zone_id or "") if isinstance(rule, IllegalParkingRule) else ""


def make_post(camera: Camera, zone: Zone, rule: Rule, memory: RuleMemory | None) -> Post:
    """A rule at its zone, going on from what is known."""
    time_zone(rule.schedule.timezone)  # a wrong one must show now, not when its hour comes
    is_shadow = zone.stage is Stage.SHADOW
    site = Site(camera_id=camera.camera_id, zone_id=zone.zone_id, is_shadow=is_shadow)
    known = memory or RuleMemory(zone_id=zone.zone_id, rule_id=rule.rule_id, kind=rule.kind)
    return Post(zone=zone, rule=rule, judge=_judge(site, rule, known))


def _judge(site: Site, rule: Rule, known: RuleMemory) -> Judge:
    match rule:
        case IllegalParkingRule():
            return ParkingJudge(site, rule, known.cases)
        case LitterRule(accumulated=None):
            return LitterJudge(site, rule, known.cases, known.open)
        case LitterRule():
            return AccumulatedJudge(site, rule, known)
        case LitteringRule():
            return LitteringJudge(site, rule, known)
        case DamagedFacilityRule():
            return DamageJudge(site, rule, known.cases)
        case _:
            raise TypeError(f"no judge for {type(rule).__name__}")
