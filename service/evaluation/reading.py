"""Takes values out of a ground truth, or says on which line one is not what it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models.errors import ConfigError
from models.geometry import Box, Points
from service.config.document import Document, Finding, Loc

EVENTS = "expected_events_by_dwell_s"


class TruthReader:
    """Reads one document; everything it refuses is a :class:`ConfigError` with its line."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def box(self, loc: Loc) -> Box:
        """A box of four sides in pixels."""
        return Box(*(self.number((*loc, side)) for side in range(4)))

    def corners(self, loc: Loc) -> Points:
        """A polygon in pixels."""
        count = len(self.at(loc))
        return tuple(
            (self.number((*loc, corner, 0)), self.number((*loc, corner, 1)))
            for corner in range(count)
        )

    def expected(self, loc: Loc) -> dict[float, int]:
        """How many incidents by dwell."""
        events = self.at((*loc, EVENTS))
        return {self.dwell(loc, key): int(self.number((*loc, EVENTS, key))) for key in events}

    def words(self, loc: Loc) -> tuple[str, ...]:
        """A list of words; empty where there is none."""
        value = self.find(loc)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(loc, "should be a list of words")
        return tuple(value)

    def settings(self, loc: Loc) -> Mapping[str, Any]:
        """Keys with values, as a city.yaml has them; empty where there are none."""
        value = self.find(loc)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self.wrong(loc, "should be keys with values")
        return value

    def moment(self, loc: Loc) -> datetime | None:
        """A time with its offset; ``None`` where there is none."""
        value = self.find(loc)
        if value is None:
            return None
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            raise self.wrong(loc, "should be a time such as 2026-06-01T21:59:50+08:00") from None
        if at.tzinfo is None:
            raise self.wrong(loc, "needs its offset from UTC, such as +08:00")
        return at

    def dwell(self, loc: Loc, key: object) -> float:
        """The threshold that a key names, in seconds."""
        try:
            return float(str(key))
        except ValueError:
            raise self.wrong((*loc, EVENTS), "needs seconds") from None

    def number(self, loc: Loc, default: float | None = None) -> float:
        """A number; ``default`` where there is nothing."""
        value = self.find(loc)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(loc, "should be a number")
        return float(value)

    def at(self, loc: Loc) -> Any:
        """What is there, which must be."""
        value = self.find(loc)
        if value is None:
            raise self.wrong(loc, "is missing")
        return value

    def find(self, loc: Loc) -> Any:
        """What is there, or ``None``."""
        value = self._document.data
        for part in loc:
            if isinstance(value, Mapping):
                value = value.get(part)
            elif isinstance(value, Sequence) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def wrong(self, loc: Loc, message: str) -> ConfigError:
        """What is wrong with a value, to be raised."""
        return ConfigError([self._document.problem(Finding(loc=loc, message=message, absent=True))])
