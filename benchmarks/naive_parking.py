"""Two rules for parked vehicles that common scripts use, against ours, on the same detections.

``same spot``: a vehicle is parked if its box overlaps one that was there ``dwell`` seconds ago.
``IoU timer``: boxes of successive looks that overlap are one vehicle; it is parked if that has been
in the zone for ``dwell`` seconds and its box still overlaps the one at which the timer began, else
the timer begins anew.

    python benchmarks/naive_parking.py FOLDER [FOLDER …] [--dwell 5,10] [--look-interval 0.2]

A folder holds clips with ground truth; only zones for vehicles count. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from detector.backends import Detector, load_detector, model_facts
from detector.readers import read_file
from models.city import ModelChoice
from models.geometry import Box
from models.incident import Incident
from models.labels import VEHICLES
from models.seeing import Detection, Frame
from models.zone import RuleKind
from service.evaluation import Row, Terms
from service.evaluation.cameras import camera_of
from service.evaluation.evaluating import score
from service.evaluation.report import sum_up
from service.evaluation.truth import ClipTruth, load_truths
from service.evaluation.watching import Trial, Watched, starts_at
from service.pipeline import Seeing
from zones.polygon import ZoneShape

SAME_SPOT_IOU = 0.5
LINKED_IOU = 0.3
"""Usual in IoU trackers, also for boxes of successive looks."""
LOST_AFTER = timedelta(seconds=1.5)


@dataclass(kw_only=True)
class Naive:
    """What both rules share: one zone, one dwell, each place reported once while it lasts."""

    shape: ZoneShape
    dwell: timedelta
    reported: list[tuple[Box, datetime]] = field(default_factory=list)
    opened: list[Incident] = field(default_factory=list)

    def look(self, frame: Frame, detections: Sequence[Detection]) -> None:
        """Judge the vehicles of a frame that stand on the zone."""
        inside = [
            each
            for each in detections
            if each.label in VEHICLES and self.shape.holds(each.box.anchor)
        ]
        for each, since in self.parked(frame.captured_at, inside):
            self._report(frame, each, since)

    def parked(
        self, at: datetime, inside: Sequence[Detection]
    ) -> Iterator[tuple[Detection, datetime]]:
        """Those that are parked, and since when."""
        raise NotImplementedError

    def _report(self, frame: Frame, found: Detection, since: datetime) -> None:
        at = frame.captured_at
        for index, (box, seen_at) in enumerate(self.reported):
            if box.iou(found.box) >= LINKED_IOU and at - seen_at <= self.dwell:
                self.reported[index] = (found.box, at)
                return
        self.reported.append((found.box, at))
        self.opened.append(_incident(frame, found, since, len(self.opened)))


@dataclass(kw_only=True)
class SameSpot(Naive):
    """Compares with the boxes of ``dwell`` seconds ago."""

    past: list[tuple[datetime, tuple[Box, ...]]] = field(default_factory=list)

    def parked(
        self, at: datetime, inside: Sequence[Detection]
    ) -> Iterator[tuple[Detection, datetime]]:
        """Those that overlap a box of the latest look that is old enough."""
        old = [boxes for seen_at, boxes in self.past if at - seen_at >= self.dwell]
        self.past.append((at, tuple(each.box for each in inside)))
        for each in inside:
            if any(each.box.iou(box) >= SAME_SPOT_IOU for box in (old[-1] if old else ())):
                yield each, at - self.dwell


@dataclass(kw_only=True)
class Timed:
    """A vehicle of the IoU tracker."""

    box: Box
    seen_at: datetime
    anchor: Box
    since: datetime


@dataclass(kw_only=True)
class IouTimer(Naive):
    """Follows boxes from look to look."""

    tracks: list[Timed] = field(default_factory=list)

    def parked(
        self, at: datetime, inside: Sequence[Detection]
    ) -> Iterator[tuple[Detection, datetime]]:
        """Those whose timer has reached the dwell."""
        self.tracks = [track for track in self.tracks if at - track.seen_at <= LOST_AFTER]
        free = list(self.tracks)
        for each in inside:
            track = max(free, key=lambda known: known.box.iou(each.box), default=None)
            if track is None or track.box.iou(each.box) < LINKED_IOU:
                self.tracks.append(Timed(box=each.box, seen_at=at, anchor=each.box, since=at))
                continue
            free.remove(track)
            track.box, track.seen_at = each.box, at
            if track.anchor.iou(each.box) < SAME_SPOT_IOU:
                track.anchor, track.since = each.box, at
            if at - track.since >= self.dwell:
                yield each, track.since


def _incident(frame: Frame, found: Detection, since: datetime, number: int) -> Incident:
    return Incident(
        incident_id=str(number),
        camera_id=frame.camera_id,
        zone_id="",
        rule_id="",
        kind=RuleKind.ILLEGAL_PARKING,
        category="illegal_parking",
        label=found.label,
        box=found.box,
        width_px=frame.width_px,
        height_px=frame.height_px,
        confidence=found.confidence,
        started_at=since,
        opened_at=frame.captured_at,
        last_seen_at=frame.captured_at,
        observed_s=(frame.captured_at - since).total_seconds(),
    )


def compare(clip: ClipTruth, detector: Detector, dwells_s: Sequence[float], terms: Terms) -> Rows:
    """Rows of each rule for one clip: one pass over it, the same detections for all."""
    vehicles = tuple(each for each in clip.zones if each.kind is RuleKind.ILLEGAL_PARKING)
    parking = replace(clip, zones=vehicles)
    trials = [
        Trial.of(parking, zone, dwell_s, terms)
        for zone in vehicles
        for dwell_s in dwells_s
        if zone.expected(dwell_s) is not None
    ]
    rules: dict[str, list[Naive]] = {name: [] for name in NAIVE}
    seeing, last_s = Seeing(camera_of(parking, terms), detector), 0.0
    for frame in read_file(camera_of(parking, terms), starts_at(clip)) if trials else ():
        if not rules["same spot"]:
            rules = {name: [_naive(kind, t, frame) for t in trials] for name, kind in NAIVE.items()}
        seen = seeing.look(frame)
        for trial in trials:
            trial.look(seen.look, seeing.closer(frame))
        for rule in (each for some in rules.values() for each in some):
            rule.look(frame, seen.detections)
        last_s = frame.stream_s
    watched = Watched(seconds=last_s + terms.look_interval_s)
    rows = {OURS: [score(parking, trial, watched) for trial in trials]}
    for name, some in rules.items():
        judged = [replace(t, opened=rule.opened) for t, rule in zip(trials, some, strict=True)]
        rows[name] = [score(parking, trial, watched) for trial in judged]
    return rows


OURS = "streetwarden"
NAIVE: dict[str, type[Naive]] = {"same spot": SameSpot, "IoU timer": IouTimer}
Rows = dict[str, list[Row]]


def _naive(kind: type[Naive], trial: Trial, frame: Frame) -> Naive:
    camera = trial.camera
    shape = ZoneShape.of(camera.zones[0], camera.resolution, frame.width_px, frame.height_px)
    return kind(shape=shape, dwell=timedelta(seconds=trial.dwell_s))


def _table(title: str, rows: Rows, dwells_s: Sequence[float]) -> None:
    for name, some in rows.items():
        for dwell_s in dwells_s:
            total = sum_up(row for row in some if row.dwell_s == dwell_s)
            counts = (total.expected, total.matched, total.missed, total.false_alarms)
            print(f"| {title} | {name} | {dwell_s:g} | " + " | ".join(map(str, counts)) + " |")


def main() -> None:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--dwell", default="5,10")
    parser.add_argument("--look-interval", type=float, default=0.2)
    parser.add_argument("--each", action="store_true", help="a row for each clip too")
    args = parser.parse_args()
    dwells_s = tuple(float(part) for part in args.dwell.split(","))
    choice = ModelChoice()
    detector = load_detector(choice)
    terms = Terms(look_interval_s=args.look_interval, facts=model_facts(choice, detector))
    print(f"{platform.machine()}, a look every {args.look_interval:g} s\n")
    print("| clips | rule | dwell s | expected | found | missed | false |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for folder in args.folders:
        whole: Rows = {}
        for clip in load_truths(folder):
            if clip.starts_at is not None or clip.outages or clip.upkeep:
                continue  # another truth of a clip that is judged anyway, or not about vehicles
            rows = compare(clip, detector, dwells_s, terms)
            if args.each and any(rows.values()):
                _table(clip.name, rows, dwells_s)
            for name, some in rows.items():
                whole.setdefault(name, []).extend(some)
        _table(folder.name, whole, dwells_s)
    detector.close()


if __name__ == "__main__":
    main()
