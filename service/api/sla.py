"""Gives orders their due times, and tells once of each warning and breach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime

from models.zone import Priority
from service.api.deps import ApiDeps
from service.decisions.sla import DueTimes, due_times, next_look

_TIMES = [field.name for field in fields(DueTimes)]


def due_columns(
    deps: ApiDeps, category: str, priority: Priority, created_at: datetime
) -> Mapping[str, datetime | None]:
    """Due times of a new order as its columns; empty if it has no limits."""
    times = due_times(deps.categories, category, priority, created_at)
    if times is None:
        return {}
    by_name = {name: getattr(times, name) for name in _TIMES}
    return {**by_name, "sla_next_at": next_look(times, created_at)}
