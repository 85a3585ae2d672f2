"""The shape of rules and schedules in ``city.yaml``, and the base of all forms."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from models.calendar import DayKind
from models.labels import UNKNOWN_OBJECT, VEHICLES
from models.parking import LONGEST_QUEUE_S
from service.config.scalars import (
    MINUTES_A_DAY,
    Clock,
    DateRange,
    Days,
    Duration,
    Identifier,
    Positive,
    Ratio,
    Share,
    TimeZone,
)


class Form(BaseModel):
    """Base of all parts: no unknown keys, no silent conversion, no values in error messages."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class WindowForm(Form):
    """A part of the day on some days of the week, in local time."""

    days: Days = frozenset(range(7))
    """Names, ranges such as mon-fri, workdays, holidays or restdays, or a list of them; left out:
    every day."""
    start: Clock = 0
    """HH:MM."""
    end: Clock = MINUTES_A_DAY
    """HH:MM, up to 24:00; earlier than start: goes on past midnight, as part of its first day."""

    @model_validator(mode="after")
    def _is_clear(self) -> WindowForm:
        if self.start == MINUTES_A_DAY:
            raise ValueError("start should be earlier than 24:00")
        if self.start == self.end:
            raise ValueError(
                "start and end are the same; for the whole day write start: '00:00', end: '24:00'"
            )
        return self


class CalendarForm(Form):
    """Days that are not what their day of the week says."""

    holidays: list[DateRange] = Field(default_factory=list)
    """Public holidays: dates, or ranges such as 2026-10-01 to 2026-10-08."""
    workdays: list[DateRange] = Field(default_factory=list)
    """Weekend days that are worked instead."""

    @model_validator(mode="after")
    def _is_clear(self) -> CalendarForm:
        holidays = {day for days in self.holidays for day in days}
        both = sorted(holidays & {day for days in self.workdays for day in days})
        if both:
            raise ValueError(f"{both[0]} is both a holiday and a working day")
        return self


class ScheduleForm(Form):
    """When a rule holds."""

    timezone: TimeZone | None = None
    """IANA name; left out: the city's."""
    windows: Annotated[list[WindowForm], Field(min_length=1)]
    """The rule holds in each of them."""
    calendar: str | None = None
    """Name of one of the file's calendars, which says what workdays, holidays and restdays are."""

    @model_validator(mode="after")
    def _knows_its_days(self) -> ScheduleForm:
        if self.calendar is None:
            for window in self.windows:
                kinds = sorted(str(day) for day in window.days if isinstance(day, DayKind))
                if kinds:
                    raise ValueError(
                        f"'{kinds[0]}' needs a 'calendar' that says which days they are"
                    )
        return self


def _schedule_tag(value: Any) -> str:
    return "name" if isinstance(value, str) else "inline"


ScheduleChoice = Annotated[
    Annotated[str, Tag("name")] | Annotated[ScheduleForm, Tag("inline")],
    Discriminator(_schedule_tag),
]
"""Name of one of the file's schedules, or a schedule of the rule's own."""


PriorityName = Literal["low", "normal", "high", "urgent"]


class PriorityWhenForm(Form):
    """A priority for orders to which all of this applies."""

    priority: PriorityName
    """How urgent those work orders are."""
    schedule: ScheduleChoice | None = None
    """When it was confirmed."""
    width: Annotated[float, Field(gt=0, le=100)] | None = None
    """Metres on the ground, at least; needs the camera's `ground`."""
    count: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Pieces of one incident, at least."""

    @model_validator(mode="after")
    def _asks_something(self) -> PriorityWhenForm:
        if self.schedule is None and self.width is None and self.count is None:
            raise ValueError("say when: schedule, width or count")
        return self


class RuleForm(Form):
    """What all rules share."""

    id: Identifier | None = None
    """Unique in its zone; left out: the kind."""
    labels: Annotated[list[str], Field(min_length=1)] | None = None
    """Classes it looks for; left out: those that its kind is about."""
    dwell: Positive | None = None
    """How long something must have been there; left out: what is usual for the category."""
    grace: Duration | None = None
    """Absence tolerated before a candidate is forgotten; left out: 5 s, at least two looks."""
    clear_after: Positive | None = None
    """Absence that ends an incident; left out: 30 s, at least four looks."""
    min_confidence: Ratio | None = None
    """Boxes below it do not count; left out: the operating threshold of each class."""
    min_seen_ratio: Ratio = 0.5
    """Share of the looks during the dwell at which it must really have been seen."""
    schedule: ScheduleChoice | None = None
    """Name of a schedule, or one written here; left out: always."""
    category: Identifier | None = None
    """Key of the category table; left out: the zone's kind for parking, else the rule's."""
    department: str | None = None
    """Id of the department; left out: what routing says."""
    priority: PriorityName | None = None
    """How urgent its work orders are; left out: what is usual for the zone's kind, else normal."""
    priority_when: list[PriorityWhenForm] = Field(default_factory=list)
    """Other priorities by time, size and number; the first that fits."""
    allow_experimental: bool = False
    """Whether it may look for classes that the model's registry calls experimental."""
    closer_look: Literal["require", "record", "off"] | None = None
    """Whether a candidate is looked at by itself, enlarged, before it is confirmed. require: what
    is not found there is not confirmed; record: the order says how it went; left out: record for
    litter and damage, off for parking."""


class LoadingForm(Form):
    """Loading and unloading."""

    grace: Positive
    """How long a vehicle may stand while somebody works at it."""


class IllegalParkingForm(RuleForm):
    """A vehicle that stands still in the zone; one incident for each vehicle."""

    kind: Literal["illegal_parking"]
    """Which logic judges the zone."""
    min_coverage: Ratio = 0.5
    """Share of the vehicle's foot strip (lowest fifth of its box) that must lie in the zone."""
    queue: Literal["ignore", "count"] | None = None
    """ignore: a vehicle that stands because its lane stands is not parked until the queue has moved
    off; count: it is parked like any other; left out: ignore, but count on pavements and in fire
    lanes."""
    queue_zone: str | None = None
    """Id of a zone of the same camera: vehicles there queue with those of this zone."""
    longest_queue: Positive = LONGEST_QUEUE_S
    """Vehicles that stand together for longer are no queue."""
    alert_after: Positive | None = None
    """Dwell after which it is logged, recorded and counted as an alert, before there is an order;
    left out: never."""
    already_there: Literal["count", "ignore"] = "count"
    """What stood there when the camera came up: count from the first look; or ignore, until it has
    moved."""
    loading: LoadingForm | None = None
    """Left out: nobody may load here for longer than the dwell."""
    exempt: list[str] | None = None
    """Classes that may stand here; left out: bus at a bus stop, unless labels say otherwise."""

    @model_validator(mode="after")
    def _alerts_in_time(self) -> IllegalParkingForm:
        if self.dwell and self.alert_after and self.alert_after >= self.dwell:
            raise ValueError("'alert_after' should be shorter than 'dwell'")
        return self

    @model_validator(mode="after")
    def _looks_for_something(self) -> IllegalParkingForm:
        if not set(self.labels or VEHICLES) - set(self.exempt or ()):
            raise ValueError("every class it looks for is in 'exempt' too: nothing is left")
        return self


class AccumulatedForm(Form):
    """How much litter in the zone is too much, and how little is little enough."""

    count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """So many pieces are too many."""
    clear_count: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """So many are few enough; left out: half of count."""
    area: Share | None = None
    """Share of the zone, such as 3%, that is too much to be covered."""
    clear_area: Share | None = None
    """Share of the zone that is little enough; left out: half of area."""

    @model_validator(mode="after")
    def _is_clear(self) -> AccumulatedForm:
        if not self.count and not self.area:
            raise ValueError("needs 'count', 'area' or both, more than 0")
        for name in ("count", "area"):
            high, low = getattr(self, name), getattr(self, f"clear_{name}")
            if low is not None and (high is None or low >= high):
                raise ValueError(f"'clear_{name}' should be less than '{name}'")
        return self


class LitterForm(RuleForm):
    """Litter that lies in the zone; one incident for a zone however many pieces."""

    kind: Literal["litter"]
    """Which logic judges the zone."""
    min_count: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Fewest pieces; must be met together with min_area."""
    min_area: Ratio = 0.0
    """Smallest share of the zone that the pieces' boxes cover together."""
    accumulated: AccumulatedForm | None = None
    """Instead of min_count and min_area: filed when there is too much for the dwell, cleared when
    there is little enough for clear_after."""

    @model_validator(mode="after")
    def _counts_one_way(self) -> LitterForm:
        if self.accumulated is not None:
            for name in ("min_count", "min_area"):
                if name in self.model_fields_set:
                    raise ValueError(f"'accumulated' takes the place of '{name}': leave that out")
            if self.closer_look not in (None, "off"):
                raise ValueError("'accumulated' counts pieces: there is no 'closer_look' at each")
        return self

    @model_validator(mode="after")
    def _keeps_unknown_apart(self) -> LitterForm:
        if self.labels and UNKNOWN_OBJECT in self.labels and len(self.labels) > 1:
            raise ValueError(f"write a rule of its own for '{UNKNOWN_OBJECT}'")
        return self


class LitteringForm(RuleForm):
    """Something that is dropped while somebody is there, and left; one incident for each thing."""

    kind: Literal["littering"]
    """Which logic judges the zone."""


class DamagedFacilityForm(RuleForm):
    """Damage seen at the same place; one incident for each damaged thing."""

    kind: Literal["damaged_facility"]
    """Which logic judges the zone."""


AnyRuleForm = Annotated[
    IllegalParkingForm | LitterForm | LitteringForm | DamagedFacilityForm,
    Field(discriminator="kind"),
]
