"""Reading a ``categories.yaml``: the packaged one, or a city's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from models.calendar import Calendar
from models.category import (
    Category,
    CategoryCode,
    CategoryTable,
    ClockKind,
    CodeKind,
    Escalation,
    Limits,
)
from models.errors import ConfigError
from models.zone import Priority, Schedule
from service.config.category_forms import (
    CategoriesFile,
    CategoryForm,
    LimitsForm,
    PrioritiesForm,
    WorkingHoursForm,
)
from service.config.convert_schedule import to_window
from service.config.document import Finding, read_document
from service.config.messages import findings
from service.config.scalars import did_you_mean

PACKAGED = Path(__file__).with_name("categories.yaml")


def load_categories(
    path: Path = PACKAGED,
    timezone: str = "UTC",
    departments: frozenset[str] | None = None,
) -> CategoryTable:
    """The table in a file; raises :class:`ConfigError` with every problem of it.

    ``timezone`` is that of working hours that name none; ``departments``: the ids that may be
    named, ``None``: they are not known, so none may be.
    """
    document = read_document(path)
    form, found = _validate(document.data)
    if form is not None:
        found += _checks(form, departments or frozenset())
    problems = {document.problem(each) for each in found}.union(document.problems)
    if problems or form is None:
        raise ConfigError(sorted(problems))
    return _to_table(form, timezone)


@cache
def packaged_keys() -> frozenset[str]:
    """Keys of the packaged table."""
    return frozenset(read_document(PACKAGED).data["categories"])


def _validate(data: object) -> tuple[CategoriesFile | None, list[Finding]]:
    # Returned, not raised on: a chained pydantic error would carry the values it refused.
    try:
        return CategoriesFile.model_validate(data), []
    except ValidationError as error:
        return None, list(findings(error, CategoriesFile))


def _checks(form: CategoriesFile, departments: frozenset[str]) -> Iterator[Finding]:
    """What one value alone cannot show to be wrong."""
    seen: dict[str, str] = {}
    for key, category in form.categories.items():
        code = category.service_code or key
        first = seen.setdefault(code, key)
        if first != key:
            loc = ("categories", key, "service_code")
            yield Finding(loc=loc, message=f"'{code}' is the service_code of '{first}' already")
        yield from _orderly(form, key, category)
    for name in Priority:
        limits: LimitsForm = getattr(form.sla, name)
        for field in ("accept", "resolve"):
            if getattr(limits, field) is None:
                yield Finding(loc=("sla", name.value, field), message="is missing", absent=True)
    wanted = form.escalation.department
    if wanted is not None and wanted not in departments:
        hint = did_you_mean(wanted, departments)
        message = f"unknown department '{wanted}'{hint}: departments are those of the city's file"
        yield Finding(loc=("escalation", "department"), message=message)


def _orderly(form: CategoriesFile, key: str, category: CategoryForm) -> Iterator[Finding]:
    for name in Priority:
        limits = _limits(form.sla, category, name)
        if limits is not None and limits.accept_s > limits.resolve_s:
            message = f"with priority {name} it must be resolved before it must be accepted"
            yield Finding(loc=("categories", key, "sla"), message=message)
            return


def _to_table(form: CategoriesFile, timezone: str) -> CategoryTable:
    general = ((name, _limits(form.sla, None, name)) for name in Priority)
    escalation = form.escalation
    return CategoryTable(
        categories={key: _to_category(form, key, each) for key, each in form.categories.items()},
        limits={name: limits for name, limits in general if limits is not None},
        working_hours=_to_hours(form.working_hours, timezone),
        warn_ratio=form.warn_at,
        escalation=Escalation(
            department_id=escalation.department,
            priority=None if escalation.priority is None else Priority(escalation.priority),
        ),
        contact=form.open311.contact,
        duplicate_radius_m=form.open311.duplicate_radius_m,
        duplicate_days=form.open311.duplicate_days,
    )


def _to_category(form: CategoriesFile, key: str, row: CategoryForm) -> Category:
    return Category(
        key=key,
        name=row.name.en,
        name_zh=row.name.zh,
        codes=tuple(
            CategoryCode(kind=CodeKind(code.kind), scheme=code.scheme, code=code.code)
            for code in row.codes
        ),
        service_code=row.service_code or key,
        is_public=row.public,
        group=row.group,
        description=row.description,
        keywords=tuple(row.keywords),
        priority=Priority(row.priority),
        limits=_all_limits(form.sla, row),
    )


def _all_limits(general: PrioritiesForm, row: CategoryForm) -> Mapping[Priority, Limits]:
    by_priority = ((name, _limits(general, row, name)) for name in Priority)
    return {name: limits for name, limits in by_priority if limits is not None}


def _limits(general: PrioritiesForm, row: CategoryForm | None, name: Priority) -> Limits | None:
    """The most particular of each value; ``None`` while the general ones are incomplete."""
    layers: list[LimitsForm] = [getattr(general, name)]
    if row is not None:
        layers = [getattr(row.sla, name), row.sla.any, *layers]
    accept = next((each.accept for each in layers if each.accept is not None), None)
    resolve = next((each.resolve for each in layers if each.resolve is not None), None)
    clock = next((each.clock for each in layers if each.clock is not None), "working")
    if accept is None or resolve is None:
        return None
    is_general = row is None or all(each.accept is None for each in layers[:2])
    # A category that is due sooner than its priority usually is must be accepted sooner too.
    accept = min(accept, resolve) if is_general else accept
    return Limits(accept_s=accept, resolve_s=resolve, clock=ClockKind(clock))


def _to_hours(form: WorkingHoursForm, timezone: str) -> Schedule:
    calendar = Calendar(
        holidays=frozenset(day for days in form.holidays for day in days),
        workdays=frozenset(day for days in form.workdays for day in days),
    )
    return Schedule(
        timezone=form.timezone or timezone,
        windows=tuple(to_window(each) for each in form.windows),
        calendar=calendar,
    )
