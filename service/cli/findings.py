"""How ``detect`` and ``eval`` show what they found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from models.incident import ChangeKind, Incident, IncidentChange
from service.evaluation import Report, Row
from service.evaluation.figures import Figures, Middle

PIPED_WIDTH = 140
EXPLANATION = """\
expected   incidents that the ground truth names for the zone at this dwell
matched    of those, found; missed = expected - matched
false      incidents that nobody expected
delay      seconds from the moment the dwell was reached to the incident\
"""
FIGURES_EXPLANATION = """\
camera hours  each dwell of a clip counts as a camera of its own that watched it once
false a day   false orders per camera and day
once          expected incidents that became exactly one order, and their share
start error   median; how much too late an order says it began (below 0: too early)
delay         median; seconds from the moment the dwell was reached to the order\
"""


@dataclass(kw_only=True, slots=True)
class Tally:
    """Incidents of a recording as last known."""

    begins_at: datetime
    incidents: dict[str, Incident] = field(default_factory=dict)

    def add(self, changes: tuple[IncidentChange, ...]) -> None:
        """Take in the changes of one look."""
        for change in changes:
            if change.kind is ChangeKind.ALERTED:
                continue
            self.incidents[change.incident.incident_id] = change.incident

    def print(self) -> None:
        """A table of all incidents, times as in the recording."""
        table = Table(title=f"{len(self.incidents)} incident(s)")
        for name in ("zone", "rule", "what", "confidence", "since", "opened", "cleared"):
            table.add_column(name)
        for incident in self.incidents.values():
            cleared_at = incident.cleared_at
            table.add_row(
                incident.zone_id,
                incident.rule_id,
                incident.label,
                f"{incident.confidence:.2f}",
                self._clock(incident.started_at),
                self._clock(incident.opened_at),
                "still there" if cleared_at is None else self._clock(cleared_at),
            )
        _console().print(table)

    def _clock(self, at: datetime) -> str:
        seconds = (at - self.begins_at).total_seconds()
        minutes, rest = divmod(max(0.0, seconds), 60)
        return f"{int(minutes)}:{rest:04.1f}"


def print_changes(changes: tuple[IncidentChange, ...], begins_at: datetime) -> None:
    """One line of JSON for each incident that was alerted of, opened or cleared."""
    for change in changes:
        if change.kind is not ChangeKind.UPDATED:
            typer.echo(json.dumps(_as_json(change, begins_at), ensure_ascii=False))


def _console() -> Console:
    """Standard output; wide where no terminal says how wide it is, as in a log or a file."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPED_WIDTH)


def _as_json(change: IncidentChange, begins_at: datetime) -> Mapping[str, Any]:
    incident = change.incident
    return {
        "change": change.kind.value,
        "at": change.at.isoformat(),
        "video_s": round((change.at - begins_at).total_seconds(), 3),
        "incident_id": incident.incident_id,
        "zone": incident.zone_id,
        "rule": incident.rule_id,
        "category": incident.category,
        "label": incident.label,
        "confidence": round(incident.confidence, 3),
        "box_xyxy": [round(side, 1) for side in incident.box.xyxy],
        "started_at": incident.started_at.isoformat(),
        "opened_at": incident.opened_at.isoformat(),
        "cleared_at": incident.cleared_at.isoformat() if incident.cleared_at else None,
        "observed_s": round(incident.observed_s, 3),
        "object_count": incident.object_count,
    }


def print_report(report: Report) -> None:
    """A table of all rows, what its columns mean, and the totals."""
    table = Table(title="Incidents against the ground truth")
    for name in ("clip", "zone"):
        table.add_column(name, overflow="fold")
    for name in ("dwell", "expected", "found", "matched", "missed", "false", "delay s"):
        table.add_column(name, justify="right", no_wrap=True)
    clip = ""
    for row in report.rows:
        style = "red" if row.missed or row.false_alarms else None
        table.add_row("" if row.clip == clip else row.clip, *_cells(row), style=style)
        clip = row.clip
    totals = report.totals
    console = _console()
    console.print(table)
    console.print(EXPLANATION, style="dim", highlight=False)
    console.print(
        f"expected {totals.expected}, matched {totals.matched}, missed {totals.missed}, "
        f"false alarms {totals.false_alarms}; precision {totals.precision:.3f}, "
        f"recall {totals.recall:.3f}, F1 {totals.f1:.3f}"
    )
    misnamed = sum(row.misnamed for row in report.rows)
    if misnamed:
        console.print(f"{misnamed} of the matched ones call by another name what has happened")
    console.print(_figures(report.figures))
    console.print(FIGURES_EXPLANATION, style="dim", highlight=False)


def _figures(figures: Mapping[str, Figures]) -> Table:
    """What a city asks for, with 95 % intervals, for all clips and by their conditions."""
    table = Table(title="Figures with their 95 % intervals")
    table.add_column("clips", overflow="fold")
    for name in ("camera hours", "false a day", "once", "start error s", "delay s"):
        table.add_column(name, justify="right")
    for name, some in figures.items():
        table.add_row(
            name,
            f"{some.camera_days * 24:.3f}",
            _with_interval(some.false_per_camera_day, some.false_interval, ".1f"),
            f"{some.once}/{some.expected} "
            + _with_interval(some.once_ratio, some.once_interval, ".2f"),
            _middle(some.start_error),
            _middle(some.delay),
        )
    return table


def _with_interval(value: float | None, interval: tuple[float, float] | None, form: str) -> str:
    if value is None or interval is None:
        return "-"
    return f"{value:{form}} ({interval[0]:{form}} to {interval[1]:{form}})"


def _middle(middle: Middle | None) -> str:
    return "-" if middle is None else _with_interval(middle.median_s, middle.interval_s, ".1f")


def _cells(row: Row) -> tuple[str, ...]:
    counts = (row.expected, row.found, row.matched, row.missed, row.false_alarms)
    delays = " ".join(f"{delay:.1f}" for delay in row.delay_s)
    return (row.zone, f"{row.dwell_s:g}", *(str(count) for count in counts), delays)
