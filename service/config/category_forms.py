"""The shape of ``categories.yaml``: names, codes, Open311 services and times of categories."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from service.config.rule_forms import Form, WindowForm
from service.config.scalars import DateRange, Identifier, Positive, Text, TimeZone


class NamesForm(Form):
    """The name in both languages of the product."""

    en: Text
    """English."""
    zh: Text
    """简体中文."""


class CodeForm(Form):
    """A code of a standard; events and facilities share numbers, so all three are needed."""

    kind: Literal["event", "facility"]
    """event: 事件, 事项; facility: 部件."""
    scheme: Text
    """The standard, such as GB/T 30428.2-2013."""
    code: Text
    """Write it in quotes."""


class LimitsForm(Form):
    """How soon; what is left out comes from the general limits."""

    accept: Positive | None = None
    """Time until a crew has accepted."""
    resolve: Positive | None = None
    """Time until it is resolved, from its creation too."""
    clock: Literal["working", "urgent"] | None = None
    """working: only working hours count; urgent: round the clock."""


class PrioritiesForm(Form):
    """Limits by priority."""

    low: LimitsForm = LimitsForm()
    """Of low priority."""
    normal: LimitsForm = LimitsForm()
    """Of normal priority."""
    high: LimitsForm = LimitsForm()
    """Of high priority."""
    urgent: LimitsForm = LimitsForm()
    """Of urgent priority."""


class CategoryLimitsForm(PrioritiesForm):
    """Limits of a category: for all priorities, and what differs for one of them."""

    any: LimitsForm = LimitsForm()
    """Of every priority that does not say otherwise."""


class CategoryForm(Form):
    """One category; its key is the ``category`` of rules and orders."""

    name: NamesForm
    """What people read."""
    codes: list[CodeForm] = Field(default_factory=list)
    """Codes of standards."""
    service_code: Identifier | None = None
    """What Open311 calls it; left out: its key."""
    public: bool = True
    """Whether citizens may report it and see it by Open311."""
    group: str = ""
    """Open311's group of services."""
    description: str = ""
    """For citizens: what belongs here."""
    keywords: list[Text] = Field(default_factory=list)
    """By which citizens find it."""
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    """Of citizens' reports; detectors say that of their rule."""
    sla: CategoryLimitsForm = CategoryLimitsForm()
    """Where it differs from the general limits."""


class WorkingHoursForm(Form):
    """What counts for limits by working hours."""

    timezone: TimeZone | None = None
    """IANA name; left out: that of the city's file, else UTC."""
    windows: Annotated[list[WindowForm], Field(min_length=1)]
    """Hours that are worked; days may be workdays."""
    holidays: list[DateRange] = Field(default_factory=list)
    """Public holidays: dates, or ranges such as 2026-10-01 to 2026-10-08."""
    workdays: list[DateRange] = Field(default_factory=list)
    """Weekend days that are worked instead (调休)."""


class EscalationForm(Form):
    """What becomes of an order whose time has run out."""

    department: Identifier | None = None
    """It is handed to this department of the city's file."""
    priority: Literal["low", "normal", "high", "urgent"] | None = None
    """It gets this priority."""


class Open311Form(Form):
    """What Open311's clients are told."""

    contact: str = ""
    """Whom they can ask: an address people read."""
    duplicate_radius_m: Annotated[float, Field(ge=0, le=5000, allow_inf_nan=False)] = 50.0
    """A report this near to an open order of its category may be about the same thing."""
    duplicate_days: Annotated[int, Field(ge=1, le=3660)] = 30
    """If that order is not older than so many days."""


class CategoriesFile(Form):
    """The whole of a categories.yaml."""

    sla: PrioritiesForm
    """Times by priority, for all that does not say otherwise."""
    warn_at: Annotated[float, Field(gt=0, lt=1)] = 0.75
    """Share of a time after which somebody is warned."""
    working_hours: WorkingHoursForm
    """What counts for limits by working hours."""
    escalation: EscalationForm = EscalationForm()
    """What becomes of an order whose time has run out."""
    open311: Open311Form = Open311Form()
    """What Open311's clients are told."""
    categories: Annotated[dict[str, CategoryForm], Field(min_length=1)]
    """By the ``category`` of rules and orders."""
