"""What other rules would have changed: new, gone, changed and same incidents; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models.geometry import Box
from models.incident import Incident
from models.intervals import wilson
from models.zone import RuleKind
from zones.labels import family

SAME_THING_IOU = 0.3
"""Boxes of one and the same thing, at the moments at which two rules confirmed it."""
TOUCHING = timedelta(seconds=5)
"""Incidents that miss each other by less may still be of one thing."""
NOTABLE_S = 1.0
"""A smaller shift of times, about a look, is no change."""


class Verdict(StrEnum):
    """What people said of an order."""

    CONFIRMED = "confirmed"
    FALSE_ALARM = "false_alarm"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """An incident that was, or an order that was made of it."""

    incident: Incident
    verdict: Verdict = Verdict.UNDECIDED
    order: int | None = None
    """The order's number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """One thing, by the rules that were and by the others."""

    before: Made
    after: Incident

    @property
    def opened_shift_s(self) -> float:
        """How much later it is confirmed now."""
        return (self.after.opened_at - self.before.incident.opened_at).total_seconds()

    @property
    def cleared_shift_s(self) -> float | None:
        """How much later it is cleared now; ``None`` where one of them has not ended."""
        before, after = self.before.incident.cleared_at, self.after.cleared_at
        return None if before is None or after is None else (after - before).total_seconds()

    @property
    def is_changed(self) -> bool:
        """Whether somebody would notice."""
        shifts = (self.opened_shift_s, self.cleared_shift_s or 0.0)
        other_rule = self.before.incident.rule_id != self.after.rule_id
        return other_rule or any(abs(shift) >= NOTABLE_S for shift in shifts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two sets of incidents, side by side."""

    new: tuple[Incident, ...]
    gone: tuple[Made, ...]
    pairs: tuple[Pair, ...]

    @property
    def changed(self) -> tuple[Pair, ...]:
        """The same thing, told otherwise."""
        return tuple(pair for pair in self.pairs if pair.is_changed)

    @property
    def same(self) -> tuple[Pair, ...]:
        """The same thing, told alike."""
        return tuple(pair for pair in self.pairs if not pair.is_changed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A part of a whole, with its 95 % interval."""

    part: int
    whole: int

    @property
    def interval(self) -> tuple[float, float] | None:
        """By Wilson; ``None`` where nothing was counted."""
        return wilson(self.part, self.whole)


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class RuleKey:
    """Rules are compared by what they are about: their ids may change."""

    camera_id: str
    zone_id: str
    kind: RuleKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """How one rule does against people's verdicts."""

    rule: RuleKey
    precision_before: Share
    """Of the orders with a verdict, those that were right."""
    precision: Share
    """Of those of them that the new rules would make too, those that were right."""
    recall: Share
    """Of the right ones, those that the new rules would make too."""
    unjudged: int
    """Incidents of the new rules that nobody has judged: new ones, and orders without verdict."""


def compare(before: Sequence[Made], after: Sequence[Incident]) -> Comparison:
    """Pair incidents by camera, zone, kind of rule, label, time and place; likest first."""
    left, right = list(before), list(after)
    pairs = [*_same_ids(left, right)]
    groups: dict[tuple[object, ...], tuple[list[Made], list[Incident]]]
    groups = defaultdict(lambda: ([], []))
    for made in left:
        groups[_group(made.incident)][0].append(made)
    for incident in right:
        groups[_group(incident)][1].append(incident)
    for mades, incidents in groups.values():
        pairs += _likest(mades, incidents)
    paired = {id(item) for pair in pairs for item in (pair.before, pair.after)}
    return Comparison(
        new=tuple(incident for incident in after if id(incident) not in paired),
        gone=tuple(made for made in before if id(made) not in paired),
        pairs=tuple(sorted(pairs, key=lambda pair: pair.before.incident.opened_at)),
    )


def scores(comparison: Comparison) -> tuple[Score, ...]:
    """Precision and recall of each rule that people have said anything of."""
    kept = [pair.before for pair in comparison.pairs]
    judged = {key_of(made.incident) for made in (*kept, *comparison.gone)}
    return tuple(_score(key, kept, comparison) for key in sorted(judged))


def key_of(incident: Incident) -> RuleKey:
    """The rule that an incident comes from."""
    return RuleKey(camera_id=incident.camera_id, zone_id=incident.zone_id, kind=incident.kind)


def _score(key: RuleKey, kept: Sequence[Made], comparison: Comparison) -> Score:
    still = _verdicts(made for made in kept if key_of(made.incident) == key)
    lost = _verdicts(made for made in comparison.gone if key_of(made.incident) == key)
    right, wrong = still[Verdict.CONFIRMED], still[Verdict.FALSE_ALARM]
    all_right, all_wrong = right + lost[Verdict.CONFIRMED], wrong + lost[Verdict.FALSE_ALARM]
    return Score(
        rule=key,
        precision_before=Share(part=all_right, whole=all_right + all_wrong),
        precision=Share(part=right, whole=right + wrong),
        recall=Share(part=right, whole=all_right),
        unjudged=still[Verdict.UNDECIDED]
        + sum(key_of(incident) == key for incident in comparison.new),
    )


def _verdicts(mades: Iterable[Made]) -> Mapping[Verdict, int]:
    counts = dict.fromkeys(Verdict, 0)
    for made in mades:
        counts[made.verdict] += 1
    return counts


def _same_ids(left: list[Made], right: list[Incident]) -> list[Pair]:
    """Pairs with the same id, taken out of both lists."""
    by_id = {incident.incident_id: incident for incident in right}
    pairs = [
        Pair(before=made, after=by_id.pop(made.incident.incident_id))
        for made in left
        if made.incident.incident_id in by_id
    ]
    found = {pair.after.incident_id for pair in pairs}
    left[:] = [made for made in left if made.incident.incident_id not in found]
    right[:] = [incident for incident in right if incident.incident_id not in found]
    return pairs


def _group(incident: Incident) -> tuple[object, ...]:
    # All litter of a zone is one incident, whatever its surest piece is called.
    label = "" if incident.kind is RuleKind.LITTER else family(incident.label)
    return (incident.camera_id, incident.zone_id, incident.kind, label)


def _likest(mades: Sequence[Made], incidents: Sequence[Incident]) -> list[Pair]:
    scored = [
        (likeness, i, j)
        for i, made in enumerate(mades)
        for j, incident in enumerate(incidents)
        if (likeness := _likeness(made.incident, incident)) > 0
    ]
    pairs, used_left, used_right = [], set[int](), set[int]()
    for _, i, j in sorted(scored, key=lambda item: (-item[0], item[1], item[2])):
        if i not in used_left and j not in used_right:
            pairs.append(Pair(before=mades[i], after=incidents[j]))
            used_left.add(i)
            used_right.add(j)
    return pairs


def _likeness(one: Incident, other: Incident) -> float:
    """How likely both are of one thing; 0: they are not."""
    if max(one.started_at, other.started_at) > min(_end(one), _end(other)) + TOUCHING:
        return 0.0
    overlap = _unit_box(one).iou(_unit_box(other))
    if one.kind is RuleKind.LITTER:
        return 1.0 + overlap
    return overlap if overlap >= SAME_THING_IOU else 0.0


def _end(incident: Incident) -> datetime:
    return incident.cleared_at or max(incident.opened_at, incident.last_seen_at)


def _unit_box(incident: Incident) -> Box:
    return incident.box.scaled(1 / incident.width_px, 1 / incident.height_px)
