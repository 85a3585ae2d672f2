"""How single values are written: durations, times of day, days of the week, ids."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Iterable, Set
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from models.calendar import DayKind

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_DAY_NAMES = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_DAY_NUMBERS = {
    name: number for names in (DAY_NAMES, _LONG_DAY_NAMES) for number, name in enumerate(names)
}

_UNITS_S = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION_PART = r"(\d+(?:\.\d+)?)\s*(ms|sec|s|min|m|h|d)"
_DURATION = re.compile(rf"\s*(?:{_DURATION_PART}\s*)+", re.ASCII)
_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)

MAX_DURATION_S = 31 * 86400.0
MINUTES_A_DAY = 24 * 60
MAX_DATES = timedelta(days=366)
_DAY_KINDS = frozenset(kind.value for kind in DayKind)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the closest known word, else nothing."""
    close = difflib.get_close_matches(word.lower(), sorted(known), n=1, cutoff=0.6)
    return f" (did you mean '{close[0]}'?)" if close else ""


def parse_duration(value: Any) -> float:
    """Seconds from a number of seconds or from text such as ``90s``, ``5min``, ``1h30m``."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("should be seconds or a duration such as '90s', '5min' or '1h30m'")
    seconds = _spelled_duration(value) if isinstance(value, str) else float(value)
    if not 0 <= seconds <= MAX_DURATION_S:
        raise ValueError(f"should be between 0 and 31 days, got {value}")
    return seconds


def _spelled_duration(text: str) -> float:
    if not _DURATION.fullmatch(text):
        raise ValueError(f"no duration: '{text}' (write '90s', '5min', '1h30m' or seconds)")
    parts = re.findall(_DURATION_PART, text, re.ASCII)
    units = [_UNITS_S[unit] for _, unit in parts]
    if units != sorted(set(units), reverse=True):
        raise ValueError(f"no duration: '{text}' (each unit once, the largest first)")
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("should be longer than 0")
    return seconds


def parse_share(value: Any) -> Any:
    """A share of a whole, from a ratio or from text such as ``3%``; other values as they are."""
    if not isinstance(value, str):
        return value
    match = _PERCENT.fullmatch(value)
    if match is None:
        raise ValueError(f"no share: '{value}' (write '3%' or 0.03)")
    return float(match[1]) / 100


def parse_clock(value: Any) -> int:
    """Minutes since midnight from ``HH:MM``, up to ``24:00``."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"no time of day: '{value}' (write it as '07:00')")
    hours, minutes = int(match[1]), int(match[2])
    total = hours * 60 + minutes
    if minutes > 59 or total > MINUTES_A_DAY:
        raise ValueError(f"no time of day: '{value}' (00:00 to 24:00)")
    return total


def parse_days(value: Any) -> frozenset[int | DayKind]:
    """Days of the week from names, ranges such as ``mon-fri``, kinds of days, or a list of them."""
    words = value if isinstance(value, list) else [value]
    if not words:
        raise ValueError("needs at least one day; leave 'days' out for all seven")
    days: set[int | DayKind] = set()
    for word in words:
        if not isinstance(word, str):
            raise ValueError(f"unknown day '{word}' (write mon, tue, wed, thu, fri, sat or sun)")
        for part in word.split(","):
            days |= _day_range(part.strip().lower())
    return frozenset(days)


def _day_range(text: str) -> Set[int | DayKind]:
    if text in _DAY_KINDS:
        return {DayKind(text)}
    first, dash, last = (part.strip() for part in text.partition("-"))
    start, end = _day(first), _day(last if dash else first)
    return {(start + offset) % 7 for offset in range((end - start) % 7 + 1)}


def _day(name: str) -> int:
    if name not in _DAY_NUMBERS:
        hint = (
            did_you_mean(name, {*_DAY_NUMBERS, *_DAY_KINDS}) or f" (write {', '.join(DAY_NAMES)})"
        )
        raise ValueError(f"unknown day '{name}'{hint}")
    return _DAY_NUMBERS[name]


def parse_dates(value: Any) -> tuple[date, ...]:
    """The days of ``2026-05-01`` or of ``2026-10-01 to 2026-10-08``, both included."""
    try:
        first, _, last = value.partition(" to ")
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except (AttributeError, ValueError) as error:
        example = "'2026-05-01' or '2026-10-01 to 2026-10-08'"
        raise ValueError(f"no date: '{value}' (write {example})") from error
    if not start <= end <= start + MAX_DATES:
        raise ValueError(f"no range of dates: '{value}' (the earlier one first, at most a year)")
    return tuple(start + timedelta(days=number) for number in range((end - start).days + 1))


@cache
def _timezone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _timezone(name: str) -> str:
    if name not in _timezone_names():
        by_lower = {known.lower(): known for known in _timezone_names()}
        close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
        hint = f" (did you mean '{by_lower[close[0]]}'?)" if close else ""
        raise ValueError(f"unknown time zone '{name}'{hint}")
    return name


def _identifier(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", text):
        raise ValueError("should be 1 to 64 letters a-z, digits, '-', '_' or '.'")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


_DURATION_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0, "description": "Seconds."},
        {"type": "string", "examples": ["90s", "5min", "1h30m"]},
    ]
}
_CLOCK_SCHEMA = {
    "type": "string",
    "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$|^24:00$",
    "examples": ["07:00"],
}
_DAYS_SCHEMA = {
    "anyOf": [
        {"type": "string", "examples": ["mon-fri"]},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
    ]
}

_DATES_SCHEMA = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}( to \d{4}-\d{2}-\d{2})?$",
    "examples": ["2026-05-01", "2026-10-01 to 2026-10-08"],
}

Duration = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema(_DURATION_SCHEMA)]
"""Seconds, zero or more."""
Positive = Annotated[
    float,
    AfterValidator(_positive),
    BeforeValidator(parse_duration),
    WithJsonSchema(_DURATION_SCHEMA),
]
"""Seconds, more than zero."""
Clock = Annotated[int, BeforeValidator(parse_clock), WithJsonSchema(_CLOCK_SCHEMA)]
"""Minutes since midnight."""
Days = Annotated[
    frozenset[int | DayKind], BeforeValidator(parse_days), WithJsonSchema(_DAYS_SCHEMA)
]
"""Days of the week, Monday is 0, and kinds of days."""
DateRange = Annotated[tuple[date, ...], BeforeValidator(parse_dates), WithJsonSchema(_DATES_SCHEMA)]
"""The days of a date or of a range of dates."""
TimeZone = Annotated[str, AfterValidator(_timezone), Field(examples=["Asia/Shanghai"])]
"""IANA name."""
Identifier = Annotated[
    str,
    AfterValidator(_identifier),
    Field(json_schema_extra={"pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"}),
]
"""Goes into addresses and file names, so letters a-z, digits and ``-_.`` only."""
Text = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_not_blank)]
"""What people read; not blank."""
Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""0 to 1."""
Share = Annotated[
    Ratio,
    BeforeValidator(parse_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "examples": ["3%"]},
            ]
        }
    ),
]
"""0 to 1, or so many percent."""
