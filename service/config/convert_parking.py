"""What a parking rule gets from its form and from the zone it is in."""

from __future__ import annotations

from typing import Any

from models.parking import QueuePolicy
from models.zone import IllegalParkingRule
from service.config.forms import ZoneForm
from service.config.rule_forms import IllegalParkingForm


def to_parking_rule(
    form: IllegalParkingForm, zone: ZoneForm, shared: dict[str, Any]
) -> IllegalParkingRule:
    """The rule; ``shared`` is what all kinds of rules have."""
    return IllegalParkingRule(
        min_coverage_ratio=form.min_coverage,
        queue=QueuePolicy(form.queue or QueuePolicy.IGNORE),
        queue_zone_id=form.queue_zone,
        longest_queue_s=form.longest_queue,
        longest_red_s=zone.longest_red if zone.traffic_light else None,
        **shared,
    )
