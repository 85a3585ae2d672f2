"""Thresholds that would have avoided the false alarms and kept the true ones: a grid, by replay.

All settings of a rule are tried at once, each as a rule of its own in the same zone: so the
recording is read once, and each setting decides exactly as it would have by itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from models.incident import Incident
from models.intervals import needed_for
from models.zone import Camera, IllegalParkingRule, LitterRule, Rule, Zone
from service.recording.comparing import Made, RuleKey, Share, Verdict, compare, key_of
from service.recording.reader import CameraRecording, Span
from service.recording.replaying import replay_camera

DWELL_FACTORS = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
CONFIDENCES = (0.3, 0.4, 0.5, 0.6, 0.7)
COVERAGES = (0.3, 0.5, 0.7, 0.9)
COUNTS = (1, 2, 3, 5)
AREAS = (0.01, 0.03, 0.1)
MOST_CHANGES = 2
"""More values changed at once would be fitted to the few verdicts there are."""

SURE_OF_KEEPING = 0.75
NEEDED_CONFIRMED = needed_for(SURE_OF_KEEPING)
"""With so many confirmed orders, all of them kept, at least three quarters of those to come are
kept too, at 95 %: with fewer, every third true one may be lost and nothing here shows it."""
NEEDED_FALSE = 5
"""With fewer false alarms, thresholds would be fitted to single scenes."""

Setting = Mapping[str, float]
"""Values by the names of rule fields; empty: as the file has it."""

YAML_NAMES = {
    "dwell_s": "dwell",
    "min_confidence": "min_confidence",
    "min_coverage_ratio": "min_coverage",
    "min_count": "min_count",
    "min_area_ratio": "min_area",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RulePlace:
    """A rule of the configuration, with where it holds."""

    camera: Camera
    zone: Zone
    rule: Rule

    @property
    def key(self) -> RuleKey:
        """What verdicts of its orders are found by."""
        return RuleKey(
            camera_id=self.camera.camera_id, zone_id=self.zone.zone_id, kind=self.rule.kind
        )

    @property
    def path(self) -> str:
        """Camera, zone and rule, as people name it."""
        return f"{self.camera.camera_id}/{self.zone.zone_id}/{self.rule.rule_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a setting would have done to the orders that people judged."""

    setting: Setting
    changes: int
    """How many values differ from the file's."""
    kept: Share
    """Confirmed orders that it makes too."""
    false: Share
    """False alarms that it makes too."""
    unjudged: int
    """Other incidents it makes, of which nobody knows what they are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """What came of trying all settings of one kind of rule."""

    rules: tuple[str, ...]
    confirmed: int
    false_alarms: int
    outcomes: tuple[Outcome, ...]
    """The first is the file's own."""
    best: Outcome | None
    """``None``: too few verdicts, or nothing better than what is."""

    @property
    def lacking(self) -> str:
        """What is missing before advice can be given; empty if nothing is."""
        needs = (
            (NEEDED_CONFIRMED - self.confirmed, "confirmed orders"),
            (NEEDED_FALSE - self.false_alarms, "false alarms"),
        )
        return " and ".join(f"{count} more {what}" for count, what in needs if count > 0)


def settings_for(rules: Sequence[Rule]) -> list[Setting]:
    """The grid of settings to try on rules of one kind; the first changes nothing."""
    first = rules[0]
    axes: dict[str, Sequence[float]] = {
        "dwell_s": sorted({_neat(first.dwell_s * factor) for factor in DWELL_FACTORS}),
        "min_confidence": CONFIDENCES,
    }
    if isinstance(first, IllegalParkingRule):
        axes["min_coverage_ratio"] = COVERAGES
    if isinstance(first, LitterRule) and first.accumulated is None:
        axes |= {"min_count": COUNTS, "min_area_ratio": AREAS}
    options = [[{}, *({name: value} for value in values)] for name, values in axes.items()]
    merged = [_merge(parts, first) for parts in itertools.product(*options)]
    merged = [setting for setting in merged if len(setting) <= MOST_CHANGES]
    return list({tuple(sorted(setting.items())): setting for setting in merged}.values())


def advise(
    places: Sequence[RulePlace],
    recordings: Mapping[str, CameraRecording],
    span: Span,
    made: Sequence[Made],
    on_progress: Callable[[timedelta], None] = lambda _: None,
) -> Advice:
    """Try all settings on these rules, all of one kind; ``made`` are the orders of the time."""
    keys = {place.key for place in places}
    judged = [order for order in made if key_of(order.incident) in keys]
    settings = settings_for([place.rule for place in places])
    found: list[list[Incident]] = [[] for _ in settings]
    for place in places:
        recording = recordings[place.camera.camera_id]
        for number, incident in _tried(place, settings, recording, span, on_progress):
            found[number].append(incident)
    outcomes = tuple(
        _outcome(setting, incidents, judged)
        for setting, incidents in zip(settings, found, strict=True)
    )
    verdicts = [order.verdict for order in judged]
    advice = Advice(
        rules=tuple(place.path for place in places),
        confirmed=verdicts.count(Verdict.CONFIRMED),
        false_alarms=verdicts.count(Verdict.FALSE_ALARM),
        outcomes=outcomes,
        best=None,
    )
    return advice if advice.lacking else replace(advice, best=_best(outcomes))


def frontier(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Settings that no other one beats in both, from fewest to most false alarms."""
    best: list[Outcome] = []
    for outcome in sorted(outcomes, key=lambda o: (o.false.part, -o.kept.part, o.changes)):
        if not best or outcome.kept.part > best[-1].kept.part:
            best.append(outcome)
    return tuple(best)


def yaml_lines(setting: Setting) -> list[str]:
    """The lines to write into the rule."""
    return [f"{YAML_NAMES[name]}: {_yaml_value(name, setting[name])}" for name in sorted(setting)]


def _merge(parts: Sequence[Setting], rule: Rule) -> Setting:
    """One setting out of single values, without those that the rule has anyway."""
    merged = {name: value for part in parts for name, value in part.items()}
    return {name: value for name, value in merged.items() if getattr(rule, name) != value}


def _tried(
    place: RulePlace,
    settings: Sequence[Setting],
    recording: CameraRecording,
    span: Span,
    on_progress: Callable[[timedelta], None],
) -> Iterator[tuple[int, Incident]]:
    """Incidents with the number of the setting that makes them."""
    values: list[dict[str, Any]] = [dict(setting) for setting in settings]
    rules = tuple(
        replace(place.rule, rule_id=str(number), **changed) for number, changed in enumerate(values)
    )
    # Rules may mind other zones, such as the lane beside theirs: those stay, without their rules.
    others = (z for z in place.camera.zones if z.zone_id != place.zone.zone_id)
    zones = (replace(place.zone, rules=rules), *(replace(other, rules=()) for other in others))
    camera = replace(place.camera, zones=zones)
    for incident in replay_camera(camera, recording, span, on_progress).incidents:
        yield int(incident.rule_id), incident


def _outcome(setting: Setting, incidents: Sequence[Incident], judged: Sequence[Made]) -> Outcome:
    comparison = compare(judged, incidents)
    kept = [pair.before.verdict for pair in comparison.pairs]
    verdicts = [order.verdict for order in judged]
    return Outcome(
        setting=setting,
        changes=len(setting),
        kept=_share(Verdict.CONFIRMED, kept, verdicts),
        false=_share(Verdict.FALSE_ALARM, kept, verdicts),
        unjudged=len(comparison.new) + kept.count(Verdict.UNDECIDED),
    )


def _share(verdict: Verdict, kept: list[Verdict], verdicts: list[Verdict]) -> Share:
    return Share(part=kept.count(verdict), whole=verdicts.count(verdict))


def _best(outcomes: Sequence[Outcome]) -> Outcome | None:
    """Of those that keep what the file's own setting keeps, the one with fewest false alarms."""
    current = outcomes[0]
    able = [outcome for outcome in outcomes if outcome.kept.part >= current.kept.part]
    best = min(able, key=lambda o: (o.false.part, o.changes, o.unjudged, _effort(o)))
    return best if best.false.part < current.false.part else None


def _effort(outcome: Outcome) -> tuple[float, ...]:
    # Of settings that do the same, the mildest: it will lose the least of what nobody has seen yet.
    return tuple(outcome.setting.get(name, 0.0) for name in YAML_NAMES)


def _neat(seconds: float) -> float:
    """Seconds as somebody would write them."""
    return float(round(seconds)) if seconds >= 10 else round(seconds, 1)


def _yaml_value(name: str, value: float) -> str:
    if name == "dwell_s":
        return f"{value:g}s"
    return f"{value:g}"
