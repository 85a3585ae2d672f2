"""What an evaluation found, row by row and in total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from service.evaluation.figures import Figures, by_condition
from service.evaluation.row import Row


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """All rows together. Ratios are 1 where there was nothing to get wrong."""

    expected: int
    matched: int
    missed: int
    false_alarms: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The result of an evaluation."""

    rows: tuple[Row, ...]

    @property
    def totals(self) -> Totals:
        """All rows together."""
        return sum_up(self.rows)

    @property
    def figures(self) -> Mapping[str, Figures]:
        """What all rows say (``all``), and those of each condition, with intervals."""
        return by_condition(self.rows)

    def as_json(self) -> Mapping[str, Any]:
        """Plain data: ``rows``, ``totals`` and ``figures``."""
        rows = [_row(row) for row in self.rows]
        for row in rows:
            row["dwell_s"] = _plain(row["dwell_s"])
        figures = {name: of_rows.as_json() for name, of_rows in self.figures.items()}
        return {"rows": rows, "totals": asdict(self.totals), "figures": figures}


def sum_up(rows: Iterable[Row]) -> Totals:
    """Totals of the rows."""
    kept = tuple(rows)
    matched = sum(row.matched for row in kept)
    missed = sum(row.missed for row in kept)
    false_alarms = sum(row.false_alarms for row in kept)
    precision = _share(matched, matched + false_alarms)
    recall = _share(matched, matched + missed)
    harmonic = 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
    return Totals(
        expected=sum(row.expected for row in kept),
        matched=matched,
        missed=missed,
        false_alarms=false_alarms,
        precision=round(precision, 4),
        recall=round(recall, 4),
        f1=round(harmonic, 4),
    )


def _row(row: Row) -> dict[str, Any]:
    values = {**asdict(row), "watched_s": round(row.watched_s, 2)}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _plain(seconds: float) -> int | float:
    return int(seconds) if seconds == int(seconds) else seconds
