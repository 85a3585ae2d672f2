"""From the forms of routing to the values that the dispatch service routes by."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models.city import Route
from models.zone import Schedule
from service.config.forms import RouteForm
from service.config.rule_forms import ScheduleForm

ScheduleOf = Callable[[str | ScheduleForm], Schedule]
"""The schedule of a name, or of a form."""


def to_routing(
    form: Mapping[str, str | list[str | RouteForm]], schedule_of: ScheduleOf
) -> dict[str, str | tuple[Route, ...]]:
    """Departments and routes by category."""
    return {key: _routes(each, schedule_of) for key, each in form.items()}


def _routes(form: str | list[str | RouteForm], schedule_of: ScheduleOf) -> str | tuple[Route, ...]:
    if isinstance(form, str):
        return form
    return tuple(_route(each, schedule_of) for each in form)


def _route(form: str | RouteForm, schedule_of: ScheduleOf) -> Route:
    if isinstance(form, str):
        return Route(department_id=form)
    return Route(
        department_id=form.department,
        camera_ids=tuple(form.cameras),
        zone_ids=tuple(form.zones),
        schedule=None if form.schedule is None else schedule_of(form.schedule),
    )
