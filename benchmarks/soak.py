"""The whole product on looped films with ground truth, for as long as you like, with outages.

An RTSP server loops the films; a real daemon watches them and posts to a real dispatch service.
Every few minutes the RTSP server is killed and comes back; half way the daemon is killed and begun
again. What orders there are in the end is compared with what the ground truth asks of each pass.

    python -m benchmarks.soak --minutes 30 --json [--clips FOLDER…] [--only NAME…]

Films are looped by a hard cut: whatever moved jumps. No street does, and it is not smoothed over.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.soak_films import Street, street_of
from benchmarks.soak_site import Run, Site, soak
from benchmarks.soak_truth import Found, Pass, events_of, passes_of, rows_of
from detector.training.latency import machine
from models.geometry import Box
from service.demo.processes import Children
from service.evaluation.figures import by_condition
from service.evaluation.row import Row
from service.evaluation.truth import ClipTruth, load_conditions, load_truths

CONDITIONS = Path(__file__).with_name("conditions.yaml")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """All that is needed to judge a run, as it is kept."""

    run: Run
    notes: list[str]
    orders: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Kept:
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(run=Run(**data["run"]), notes=data["notes"], orders=data["orders"])

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def judged(streets: Sequence[Street], kept: Kept, dwell_s: float) -> list[Row]:
    """Rows of all passes."""
    rows: list[Row] = []
    for street in streets:
        own = [order for order in kept.orders if order["camera_id"] == street.name]
        breaks = [outage[0] for outage in kept.run.outages] + kept.run.restarts
        passes = passes_of(kept.notes, street.name, breaks, kept.run.ended_at)
        rows += _judged_street(street, passes, own, dwell_s)
    return rows


def _judged_street(
    street: Street, passes: Sequence[Pass], orders: Sequence[Mapping[str, Any]], dwell_s: float
) -> list[Row]:
    events = [
        event
        for zone, things in street.zones
        for event in events_of(zone, things, passes, dwell_s, street.seconds)
    ]
    found = [_found(order, street.clip) for order in orders]
    return rows_of(street.clip, passes, events, found, dwell_s, street.conditions)


def _found(order: Mapping[str, Any], clip: ClipTruth) -> Found:
    width_px, height_px = clip.size_px or (order["width_px"], order["height_px"])
    box = Box(*order["box_xyxy"]).scaled(
        width_px / order["width_px"], height_px / order["height_px"]
    )
    return Found(
        zone=order["zone_id"],
        box=box,
        started_at=_seconds(order["started_at"]),
        opened_at=_seconds(order["opened_at"]),
        created_at=_seconds(order["created_at"]),
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def streets_in(
    folders: Sequence[Path], films: Path, dwell_s: float, only: Sequence[str]
) -> list[Street]:
    """All clips of the folders that can be looped, with the words for their conditions."""
    words = load_conditions(CONDITIONS)
    streets = []
    for clip in (clip for folder in folders for clip in load_truths(folder)):
        if only and clip.video.stem not in only:
            continue
        street = street_of(clip, films, dwell_s)
        if street is not None:
            street.conditions = (*clip.conditions, *words.get(clip.name, ()))
            streets.append(street)
    return streets


def result(
    streets: Sequence[Street], run: Run, rows: Sequence[Row], orders: int, dwell_s: float
) -> dict[str, Any]:
    """The figures of a run, as plain data."""
    watched_s = sum(row.watched_s for row in rows)
    return {
        "began_at": datetime.fromtimestamp(run.began_at, UTC).isoformat(timespec="seconds"),
        "hours": round((run.ended_at - run.began_at) / 3600, 3),
        "camera_hours": round(watched_s / 3600, 3),
        "dwell_s": dwell_s,
        "films": {s.name: [zone.name for zone, _ in s.zones] for s in streets},
        "passes": len(rows),
        "stream_outages": len(run.outages),
        "daemon_kills": len(run.restarts),
        "too_busy_to_look_ratio": round(run.blind_s / max(1.0, watched_s), 4),
        "orders": orders,
        "figures": {name: f.as_json() for name, f in by_condition(rows).items()},
        "machine": machine(),
        "rows": [asdict(row) for row in rows if row.expected or row.false_alarms],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--clips", type=Path, nargs="+", default=[Path("sample_videos")])
    parser.add_argument("--only", nargs="*", default=[], help="names of films; default: all")
    parser.add_argument("--dwell", type=float, default=10.0, help="seconds")
    parser.add_argument("--outage-every", type=float, default=240.0, help="seconds")
    parser.add_argument("--outage", type=float, default=12.0, help="seconds")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for logs and orders; default: none")
    parser.add_argument(
        "--again", action="store_true", help="judge what lies in --keep, run nothing"
    )
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = wanted.keep or Path(temporary)
        (folder / "films").mkdir(parents=True, exist_ok=True)
        streets = streets_in(wanted.clips, folder / "films", wanted.dwell, wanted.only)
        if not wanted.again:
            with Children(folder=folder) as children:
                site = Site(children, folder, streets)
                site.start(wanted.dwell)
                run = soak(site, wanted.minutes, wanted.outage_every, wanted.outage)
                kept = Kept(run=run, notes=site.notes(), orders=site.orders())
            kept.write(folder / "kept.json")
        kept = Kept.read(folder / "kept.json")
    rows = judged(streets, kept, wanted.dwell)
    told = result(streets, kept.run, rows, len(kept.orders), wanted.dwell)
    if not wanted.json:
        del told["rows"]
    sys.stdout.write(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
