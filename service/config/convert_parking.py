"""What a rule gets from the zone it is in, and the rest of a parking rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.labels import UNKNOWN_OBJECT
from models.parking import AlreadyThere, QueuePolicy, ZoneKind
from models.zone import IllegalParkingRule
from service.config.forms import ZoneForm
from service.config.rule_forms import (
    DamagedFacilityForm,
    IllegalParkingForm,
    LitterForm,
    LitteringForm,
)
from service.config.vocabulary import (
    ACCUMULATED_LITTER,
    DEFAULT_DWELL_S,
    EXEMPT,
    NON_MOTOR,
    NON_MOTOR_PARKING,
    OVERFLOWING_BIN,
    URGENCY,
    WITHOUT_QUEUES,
)

AnyRule = IllegalParkingForm | LitterForm | LitteringForm | DamagedFacilityForm


@dataclass(frozen=True, kw_only=True, slots=True)
class Usual:
    """What holds for a rule in its zone: what it says itself, else what is usual there."""

    category: str
    dwell_s: float
    priority: str
    exempt: frozenset[str] = frozenset()


def usual_of(form: AnyRule, zone: ZoneForm) -> Usual:
    """What a rule gets where it says nothing; kinds of zones mean something to parking only."""
    kind = zone.kind if isinstance(form, IllegalParkingForm) else None
    category = form.category or _own_category(form) or kind or form.kind
    usual_s = DEFAULT_DWELL_S[kind or form.kind]
    return Usual(
        category=category,
        dwell_s=DEFAULT_DWELL_S.get(category, usual_s),
        priority=_usual_priority(form, kind),
        exempt=_exempt(form, zone) if isinstance(form, IllegalParkingForm) else frozenset(),
    )


def _own_category(form: AnyRule) -> str | None:
    """The category that a rule has by what it looks for; ``None``: that of its zone or kind."""
    labels = frozenset(form.labels or ())
    if isinstance(form, IllegalParkingForm):
        return NON_MOTOR_PARKING if labels and labels <= NON_MOTOR else None
    if isinstance(form, LitterForm):
        if form.accumulated is not None:
            return ACCUMULATED_LITTER
        return next((c for c in (OVERFLOWING_BIN, UNKNOWN_OBJECT) if labels == {c}), None)
    return None


def _usual_priority(form: AnyRule, kind: str | None) -> str:
    if form.labels == [UNKNOWN_OBJECT]:
        return "low"
    return "normal" if kind is None else URGENCY.get(ZoneKind(kind), "normal")


def _exempt(form: IllegalParkingForm, zone: ZoneForm) -> frozenset[str]:
    if form.exempt is not None:
        return frozenset(form.exempt)
    if form.labels or zone.kind is None:
        return frozenset()
    return EXEMPT.get(ZoneKind(zone.kind), frozenset())


def _usual_queue(zone: ZoneForm) -> QueuePolicy:
    is_without = zone.kind is not None and ZoneKind(zone.kind) in WITHOUT_QUEUES
    return QueuePolicy.COUNT if is_without else QueuePolicy.IGNORE


def to_parking_rule(
    form: IllegalParkingForm, zone: ZoneForm, shared: dict[str, Any]
) -> IllegalParkingRule:
    """The rule; ``shared`` is what all kinds of rules have."""
    return IllegalParkingRule(
        min_coverage_ratio=form.min_coverage,
        queue=QueuePolicy(form.queue or _usual_queue(zone)),
        queue_zone_id=form.queue_zone,
        longest_queue_s=form.longest_queue,
        longest_red_s=zone.longest_red if zone.traffic_light else None,
        alert_after_s=form.alert_after,
        already_there=AlreadyThere(form.already_there),
        loading_s=None if form.loading is None else form.loading.grace,
        beside_zone_id=zone.beside,
        **shared,
    )
