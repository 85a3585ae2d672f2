"""Days that are not what their day of the week says: public holidays and make-up working days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_WORKING_WEEK = range(5)


class DayKind(StrEnum):
    """What a day is by a calendar."""

    WORKDAYS = "workdays"
    """Monday to Friday without holidays, and weekend days that are worked instead (调休)."""
    HOLIDAYS = "holidays"
    """Days that the calendar names as holidays."""
    RESTDAYS = "restdays"
    """All that is no working day: holidays and free weekend days."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """Holidays and make-up working days of a place, as published for each year."""

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    """Weekend days that are worked."""

    def kinds(self, day: date) -> frozenset[DayKind]:
        """What the day is; every day is either a working day or a day of rest."""
        is_holiday = day in self.holidays
        is_worked = day in self.workdays or (day.weekday() in _WORKING_WEEK and not is_holiday)
        kind = DayKind.WORKDAYS if is_worked else DayKind.RESTDAYS
        return frozenset({kind, DayKind.HOLIDAYS} if is_holiday else {kind})


BY_WEEKDAY = Calendar()
"""A calendar without holidays: Monday to Friday are worked."""
