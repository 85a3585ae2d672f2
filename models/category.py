"""What a case is about (类别): names, the standards' codes, and how soon it must be handled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from models.zone import Priority, Schedule


class CodeKind(StrEnum):
    """Events and facilities share numbers: a code means something only with its kind."""

    EVENT = "event"
    """事件, 事项: what happens in the street."""
    FACILITY = "facility"
    """部件: what stands in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CategoryCode:
    """A code of a national standard, unique by all three."""

    kind: CodeKind
    scheme: str
    """The standard, such as ``GB/T 30428.2-2013``."""
    code: str


class ClockKind(StrEnum):
    """Which time counts for a limit."""

    URGENT = "urgent"
    """Round the clock."""
    WORKING = "working"
    """Only working hours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How soon a crew must take an order on and have it done, both from its creation."""

    accept_s: float
    resolve_s: float
    clock: ClockKind = ClockKind.WORKING


@dataclass(frozen=True, kw_only=True, slots=True)
class Category:
    """One row of the table of categories."""

    key: str
    """The ``category`` of rules and orders."""
    name: str
    name_zh: str
    codes: tuple[CategoryCode, ...] = ()
    service_code: str = ""
    """What Open311 calls it."""
    is_public: bool = True
    """Whether citizens may report it, and see it, by Open311."""
    group: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    priority: Priority = Priority.NORMAL
    """Of citizens' reports; detectors say their rule's."""
    limits: Mapping[Priority, Limits] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Escalation:
    """What becomes of an order whose time has run out; ``None`` leaves it as it is."""

    department_id: str | None = None
    priority: Priority | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CategoryTable:
    """All categories of a city, and what holds for all of them."""

    categories: Mapping[str, Category] = field(default_factory=dict)
    limits: Mapping[Priority, Limits] = field(default_factory=dict)
    """Of categories that are not in the table."""
    working_hours: Schedule = field(default_factory=Schedule)
    warn_ratio: float = 0.75
    """Share of a limit after which somebody is warned."""
    escalation: Escalation = field(default_factory=Escalation)
    contact: str = ""
    """Whom Open311's clients can ask."""
    duplicate_radius_m: float = 50.0
    """A report no further from an open order of its category may be about the same thing."""
    duplicate_days: int = 30
    """If that order was made so many days ago or later."""

    def get(self, key: str) -> Category | None:
        """A category, or ``None`` for one that the table does not have."""
        return self.categories.get(key)

    def by_service_code(self, code: str) -> Category | None:
        """The public category with this Open311 code."""
        return next((c for c in self.public() if c.service_code == code), None)

    def public(self) -> tuple[Category, ...]:
        """What citizens may report."""
        return tuple(c for c in self.categories.values() if c.is_public)

    def limits_of(self, category: str, priority: Priority) -> Limits | None:
        """The times for an order; ``None``: it may take as long as it takes."""
        known = self.get(category)
        return (self.limits if known is None else known.limits).get(priority)
