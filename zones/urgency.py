"""How urgent an order is: by its rule, the time, the size of the thing and how many there are."""

from __future__ import annotations

from datetime import datetime

from models.urgency import PriorityStep
from models.zone import Priority, Rule
from zones.schedule import is_active


def priority_of(rule: Rule, at: datetime, count: int, width_m: float | None) -> Priority:
    """The priority of the first step of a rule that fits, else the rule's own.

    ``at``: when the incident was confirmed; ``width_m``: of the thing, ``None`` if unknown.
    """
    fitting = (step.priority for step in rule.priority_when if _fits(step, at, count, width_m))
    return next(fitting, rule.priority)


def _fits(step: PriorityStep, at: datetime, count: int, width_m: float | None) -> bool:
    if step.schedule is not None and not is_active(step.schedule, at):
        return False
    if step.least_count is not None and count < step.least_count:
        return False
    return step.least_width_m is None or (width_m is not None and width_m >= step.least_width_m)
