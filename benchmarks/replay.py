"""How many recorded camera-hours a minute one core replays, and that it decides as the rules did.

Streets made up deterministically (idle, a few parked cars, a busy one with a bus lane), a look a
second; with ``--clips`` also what the real detector and tracker make of clips, looped. Measured is
the process' own processor time, from the recording's file to the incidents.

    python -m benchmarks.replay --json [--hours 4] [--clips ../shared/clips]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.recordings import BEGIN, STREETS, looped, record, street_looks, watched_camera
from detector.training.latency import machine
from models.incident import IncidentChange
from models.seeing import Look
from models.zone import Camera
from service.recording.reader import CameraRecording, Span
from service.recording.replaying import changes_of

CLIP_LOOKS = 120
REPEATS = 3


def timed(folder: Path, camera: Camera) -> tuple[list[IncidentChange], float]:
    """What a replay says, and the processor time of the quickest of a few."""
    span = Span(begin=BEGIN, end=BEGIN + timedelta(days=30))
    best = float("inf")
    for _ in range(REPEATS):
        began = time.process_time()
        said = list(changes_of(camera, CameraRecording(folder, camera.camera_id), span))
        best = min(best, time.process_time() - began)
    return said, best


def measured(name: str, camera: Camera, looks: Iterable[Look], hours: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        live = record(Path(folder), camera, looks)
        said, took_s = timed(Path(folder), camera)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    if said != live:
        raise SystemExit(f"{name}: the replay decided otherwise than the rules did")
    return {
        "recording": name,
        "camera_hours": hours,
        "cpu_s": round(took_s, 3),
        "camera_hours_per_minute": round(60 * hours / took_s, 1),
        "us_per_look": round(took_s / (hours * 3600) * 1e6, 1),
        "changes": len(said),
        "incidents": len({change.incident.incident_id for change in said}),
        "mb_per_day": round(size / hours * 24 / 1e6, 2),
    }


def clip_looks(path: Path) -> tuple[Camera, list[Look]]:
    """A clip through the real detector and tracker, a look a second, with a zone over all of it."""
    from detector.backends import load_detector, model_facts
    from detector.readers import read_file
    from models.city import ModelChoice
    from service.pipeline import Seeing

    detector = load_detector(ModelChoice())
    labels = model_facts(ModelChoice(), detector)
    del labels
    camera = watched_camera()
    whole = ((0.02, 0.3), (0.98, 0.3), (0.98, 0.99), (0.02, 0.99))
    zone = replace(camera.zones[0], polygon=whole)
    camera = replace(camera, zones=(zone,), source=str(path), redetect_every_s=15.0)
    seeing, looks = Seeing(camera, detector), []
    try:
        for frame in read_file(camera):
            looks.append(seeing.look(frame).look)
            if len(looks) >= CLIP_LOOKS:
                break
    finally:
        detector.close()
    return camera, looks


def rows(hours: float, names: Sequence[str], clips: Path | None) -> Iterator[dict[str, Any]]:
    for name in names:
        yield measured(name, watched_camera(), street_looks(STREETS[name], hours), hours)
    for path in sorted(clips.glob("*.mp4")) if clips is not None and clips.is_dir() else ():
        camera, looks = clip_looks(path)
        if looks:
            yield measured(path.stem, camera, looped(looks, hours), hours)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument("--streets", default=",".join(STREETS))
    parser.add_argument("--clips", type=Path, help="folder of clips to loop, too")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = []
    for row in rows(arguments.hours, arguments.streets.split(","), arguments.clips):
        found.append(row)
        if not arguments.json:
            print(row, flush=True)
    if arguments.json:
        print(json.dumps({"cores": 1, "machine": machine(), "replay": found}, indent=2))


if __name__ == "__main__":
    main()
