"""From the forms of litter rules to the values that the program works with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from models.labels import UNKNOWN_OBJECT
from models.litter import Accumulation
from models.zone import CloserLook, LitterRule
from service.config.rule_forms import AccumulatedForm, LitterForm


def to_litter_rule(form: LitterForm, shared: dict[str, Any]) -> LitterRule:
    """The rule; ``shared`` is what all kinds of rules have."""
    rule = LitterRule(
        min_count=form.min_count,
        min_area_ratio=form.min_area,
        accumulated=None if form.accumulated is None else _accumulation(form.accumulated),
        **shared,
    )
    # Pieces that are only counted are not looked at one by one, and no network knows the unknown.
    if rule.accumulated is not None or UNKNOWN_OBJECT in rule.labels:
        return replace(rule, closer_look=CloserLook.OFF)
    return rule


def _accumulation(form: AccumulatedForm) -> Accumulation:
    count, area = form.count, form.area
    half_count = 0 if count is None else count // 2
    half_area = 0.0 if area is None else area / 2
    return Accumulation(
        count=count,
        clear_count=half_count if form.clear_count is None else form.clear_count,
        area_ratio=area,
        clear_area_ratio=half_area if form.clear_area is None else form.clear_area,
    )
