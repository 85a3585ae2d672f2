"""How the outcome of a replay is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from models.incident import Incident
from service.recording.comparing import Comparison, Made, Pair, Score, Share, Verdict, scores
from service.recording.incidents import incident_values
from service.recording.reader import Span
from service.recording.replaying import Replayed

PIPED_WIDTH = 140


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """All that a replay is told by."""

    span: Span
    results: Sequence[Replayed]
    limits: Sequence[str]
    """What it could not try."""
    comparison: Comparison
    took_s: float

    @property
    def watched(self) -> timedelta:
        """Camera time that was replayed."""
        return sum((result.watched for result in self.results), timedelta(0))


def as_json(done: Replay) -> Mapping[str, Any]:
    """Everything, as plain values."""
    found = done.comparison
    return {
        "from": done.span.begin.isoformat(),
        "to": done.span.end.isoformat(),
        "cameras": [
            {
                "camera": result.camera_id,
                "looks": result.looks,
                "watched_s": round(result.watched.total_seconds(), 3),
            }
            for result in done.results
        ],
        "took_s": round(done.took_s, 3),
        "limits": list(done.limits),
        "new": [incident_values(incident) for incident in found.new],
        "gone": [_made_values(made) for made in found.gone],
        "changed": [_pair_values(pair) for pair in found.changed],
        "same": [_made_values(pair.before) for pair in found.same],
        "rules": [_score_values(score) for score in scores(found)],
    }


def print_replay(done: Replay, timezone: str) -> None:
    """Tables for people; times are the city's."""
    console = make_console()
    zone = ZoneInfo(timezone)
    found = done.comparison
    console.print(
        f"{len(found.new)} new, {len(found.gone)} gone, {len(found.changed)} changed,"
        f" {len(found.same)} the same",
        style="bold",
    )
    rows = [*_rows(found, zone)]
    if rows:
        table = Table("", "camera", "zone", "rule", "what", "since", "confirmed", "people said")
        for row in sorted(rows, key=lambda row: row[5]):
            table.add_row(*row)
        console.print(table)
    _print_scores(console, scores(found))
    hours = done.watched.total_seconds() / 3600
    console.print(f"{hours:.1f} camera-hours in {done.took_s:.1f} s", style="dim", highlight=False)
    for limit in done.limits:
        console.print(f"not tried: {limit}", style="yellow", highlight=False)


def make_console() -> Console:
    """Standard output; wide where no terminal says how wide it is, as in a log or a file."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPED_WIDTH)


def share_text(share: Share) -> str:
    """Such as ``0.92 (0.65-0.99) 11/12``."""
    interval = share.interval
    if interval is None:
        return "-"
    low, high = interval
    return f"{share.part / share.whole:.2f} ({low:.2f}-{high:.2f}) {share.part}/{share.whole}"


def _print_scores(console: Console, found: Sequence[Score]) -> None:
    judged = [score for score in found if score.precision_before.whole]
    if not judged:
        return
    table = Table(title="Against what people said (95 % intervals)")
    for name in ("camera", "zone", "rule", "precision before", "precision", "recall", "unjudged"):
        table.add_column(name)
    for score in judged:
        table.add_row(
            score.rule.camera_id,
            score.rule.zone_id,
            score.rule.kind,
            share_text(score.precision_before),
            share_text(score.precision),
            share_text(score.recall),
            str(score.unjudged),
        )
    console.print(table)


def _rows(found: Comparison, zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    for incident in found.new:
        yield ("new", *_cells(incident, zone), "")
    for made in found.gone:
        yield ("gone", *_cells(made.incident, zone), _said(made))
    for pair in found.changed:
        yield ("changed", *_cells(pair.after, zone, pair), _said(pair.before))


def _cells(incident: Incident, zone: ZoneInfo, pair: Pair | None = None) -> tuple[str, ...]:
    confirmed = _clock(incident.opened_at, zone)
    if pair is not None:
        confirmed += f" ({pair.opened_shift_s:+.0f} s)"
    return (
        incident.camera_id,
        incident.zone_id,
        incident.rule_id,
        f"{incident.label} (shadow)" if incident.is_shadow else incident.label,
        _clock(incident.started_at, zone),
        confirmed,
    )


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _said(made: Made) -> str:
    order = "" if made.order is None else f"order {made.order}"
    said = "" if made.verdict is Verdict.UNDECIDED else made.verdict.replace("_", " ")
    return ": ".join(part for part in (order, said) if part)


def _made_values(made: Made) -> Mapping[str, Any]:
    incident = incident_values(made.incident)
    return {"incident": incident, "verdict": made.verdict.value, "order": made.order}


def _pair_values(pair: Pair) -> Mapping[str, Any]:
    return {
        "before": _made_values(pair.before),
        "after": incident_values(pair.after),
        "opened_shift_s": pair.opened_shift_s,
        "cleared_shift_s": pair.cleared_shift_s,
    }


def _score_values(score: Score) -> Mapping[str, Any]:
    return {
        **asdict(score.rule),
        "precision_before": share_values(score.precision_before),
        "precision": share_values(score.precision),
        "recall": share_values(score.recall),
        "unjudged": score.unjudged,
    }


def share_values(share: Share) -> Mapping[str, Any]:
    """A share as plain values."""
    value = None if share.whole == 0 else round(share.part / share.whole, 4)
    interval = share.interval and [round(bound, 4) for bound in share.interval]
    return {"part": share.part, "whole": share.whole, "value": value, "interval_95": interval}
