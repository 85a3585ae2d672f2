"""From the moment a parked car's dwell has passed to the webhook that tells of it.

The daemon, the dispatch service, the receiver of its signed webhooks and the RTSP server are
processes of their own; the daemon has a core for itself, the others share another. Some cameras
watch a street in which a car arrives at a known moment, the others fill the load up to a share of
what the core carries (:mod:`benchmarks.capacity`). The threshold is the film's truth, not what the
daemon took it for: the wait for the next key frame counts.

    python -m benchmarks.latency [--cameras 30 | --capacity FILE] [--seconds 240] [--json]

``--capacity``: what ``benchmarks.capacity --json`` printed. Results go to ``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.arrivals import DWELL_S, LOOP_S, PHASES, Arrival, Played, write_arrival
from benchmarks.latency_plot import write_plot
from benchmarks.latency_site import OTHER_CORE, Site, Told, on_core, site
from benchmarks.streams import FPS, GOP, SCENES, write_scene
from detector.training.latency import machine

SHARES = (0.1, 0.5, 0.9)
RESULTS = Path(__file__).with_name("results")
WARM_UP_S, PER_CAMERA_S = 15.0, 0.4
EARLY_S = 1.0
"""A look's tolerance may let an incident open a little before the whole dwell has passed."""
DRIFT_S = 0.02
"""A stream whose beginning moved by more was opened anew meanwhile: it is not counted."""
TARGET_P95_S = 1.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """How to measure."""

    shares: tuple[float, ...]
    seconds: float
    films: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One arrival that was told of; seconds."""

    latency_s: float
    look_s: float
    """Of that: until the picture was taken in which the daemon confirmed it."""
    daemon_s: float
    """From there to the order in the dispatch service: decoding, looking, evidence, outbox."""
    delivery_s: float
    """From there to the verified webhook."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """How it went at one share of the capacity."""

    share: float
    cameras: int
    watching: int
    """Cameras in whose street cars arrive."""
    expected: int
    samples: tuple[Sample, ...]
    daemon_cpu: float
    """CPU-seconds a second."""

    def percentile(self, share: float, part: str = "latency_s") -> float | None:
        values = sorted(getattr(sample, part) for sample in self.samples)
        return round(values[math.ceil(share * len(values)) - 1], 3) if values else None

    def summary(self) -> dict[str, Any]:
        parts = ("look_s", "daemon_s", "delivery_s")
        return {
            "share": self.share,
            "cameras": self.cameras,
            "watching": self.watching,
            "expected": self.expected,
            "told": len(self.samples),
            "latency_s": {f"p{p}": self.percentile(p / 100) for p in (50, 95, 99)},
            "parts_s": {
                part: {f"p{p}": self.percentile(p / 100, part) for p in (50, 95)} for part in parts
            },
            "daemon_cpu": round(self.daemon_cpu, 3),
        }


def latencies(
    told: Sequence[Told], arrival: Arrival, begins_s: float, begin: float, end: float
) -> tuple[int, list[Sample]]:
    """How many dwells passed in a time, and of those the ones that were told of.

    ``begins_s``: a beginning of the film; ``begin``, ``end``: the time; seconds since the epoch.
    """
    first = math.ceil((begin - begins_s - arrival.stands_s - DWELL_S) / LOOP_S)
    passed = []
    while (at := begins_s + first * LOOP_S + arrival.stands_s + DWELL_S) < end:
        passed.append(at)
        first += 1
    samples = []
    for at in passed:
        heard = [each for each in told if -EARLY_S <= each.opened_s - at < LOOP_S - EARLY_S]
        if heard:
            first_told = min(heard, key=lambda each: each.heard_s)
            samples.append(
                Sample(
                    latency_s=first_told.heard_s - at,
                    look_s=first_told.opened_s - at,
                    daemon_s=first_told.filed_s - first_told.opened_s,
                    delivery_s=first_told.heard_s - first_told.filed_s,
                )
            )
    return len(passed), samples


def spread(count: int) -> list[int]:
    """Phases for so many watching cameras, evenly over all."""
    if count == 1:
        return [PHASES[len(PHASES) // 2]]
    return [PHASES[round(n * (len(PHASES) - 1) / (count - 1))] for n in range(count)]


def measured(site: Site, arrivals: Sequence[Arrival], seconds: float, share: float) -> Level:
    """Wait until all is at work, then listen."""
    time.sleep(WARM_UP_S + PER_CAMERA_S * len(site.urls))
    played = [Played(arrival.path) for arrival in arrivals]
    watching = site.urls[: len(arrivals)]
    begins = [film.began_at(url) for film, url in zip(played, watching, strict=True)]
    begin, cpu_s = time.time(), site.daemon_cpu_s()
    time.sleep(seconds)
    site.check()
    end, cpu_s = time.time(), site.daemon_cpu_s() - cpu_s
    time.sleep(LOOP_S)  # what passed at the last moment is told of later
    expected, samples = 0, []
    for number, arrival in enumerate(arrivals):
        if _moved(played[number], watching[number], begins[number]):
            print(f"# camera {number} was opened anew: left out", file=sys.stderr)
            continue
        own = site.told(number)
        count, found = latencies(own, arrival, begins[number], begin, end)
        expected += count
        samples += found
    return Level(
        share=share,
        cameras=len(site.urls),
        watching=len(arrivals),
        expected=expected,
        samples=tuple(samples),
        daemon_cpu=cpu_s / (end - begin),
    )


def _moved(film: Played, url: str, before: float) -> bool:
    change = (film.began_at(url) - before) % film.loop_s
    return min(change, film.loop_s - change) > DRIFT_S


def run_level(
    share: float, capacity: int, scene: Path, films: Mapping[int, Arrival], wanted: Wanted
) -> Level:
    """Let everything run at a share of the capacity."""
    cameras = cameras_at(share, capacity)
    arrivals = [films[phase] for phase in spread(min(len(PHASES), cameras))]
    clips = [arrival.path for arrival in arrivals] + [scene] * (cameras - len(arrivals))
    with (
        tempfile.TemporaryDirectory() as folder,
        site(clips, len(arrivals), Path(folder), films=wanted.films) as running,
    ):
        level = measured(running, arrivals, wanted.seconds, share)
    print(f"# {level.summary()}", file=sys.stderr, flush=True)
    return level


def cameras_at(share: float, capacity: int) -> int:
    return max(1, round(share * capacity))


def run_all(carried: Mapping[str, int], wanted: Wanted) -> dict[str, list[Level]]:
    """All shares of each scene's capacity."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        films = {phase: write_arrival(folder, phase) for phase in PHASES}
        levels = {}
        for scene, capacity in carried.items():
            clip = write_scene(scene, folder)
            levels[scene] = [
                run_level(share, capacity, clip, films, wanted) for share in wanted.shares
            ]
    return levels


def capacities(arguments: argparse.Namespace, scenes: Sequence[str]) -> dict[str, int]:
    """How many cameras are all, by scene."""
    if arguments.cameras:
        return dict.fromkeys(scenes, arguments.cameras)
    if not arguments.capacity:
        raise SystemExit("say what all of the load is: --cameras N, or --capacity FILE")
    found = json.loads(arguments.capacity.read_text(encoding="utf-8"))["cameras"]["keyframes"]
    return {scene: int(found[scene]) for scene in scenes}


def result_of(levels: Mapping[str, Sequence[Level]], wanted: Wanted) -> dict[str, Any]:
    """Everything, as plain values."""
    loaded = [level for some in levels.values() for level in some if level.share == max(SHARES)]
    worst = [level.percentile(0.95) for level in loaded]
    known = [value for value in worst if value is not None]
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "dwell_s": DWELL_S,
        "key_frame_interval_s": GOP / FPS,
        "films": wanted.films,
        "seconds": wanted.seconds,
        "levels": {scene: [each.summary() for each in some] for scene, some in levels.items()},
        "p95_at_full_load_s": max(known) if known else None,
        "target_p95_s": TARGET_P95_S,
        "machine": machine(),
        "samples": {
            scene: [[asdict(sample) for sample in each.samples] for each in some]
            for scene, some in levels.items()
        },
    }


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cameras", type=int, help="what a core carries")
    parser.add_argument("--capacity", type=Path, help="output of benchmarks.capacity --json")
    parser.add_argument("--scenes", default=",".join(SCENES))
    parser.add_argument("--shares", default=",".join(map(str, SHARES)))
    parser.add_argument("--seconds", type=float, default=240.0, help="of each share")
    parser.add_argument("--films", action="store_true", help="make films of incidents too")
    parser.add_argument("--out", type=Path, default=RESULTS / "latency.json")
    parser.add_argument("--note", default="", help="kept with the figures")
    parser.add_argument("--json", action="store_true", help="print all of it")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("needs two cores: one to measure on, one for the cameras")
    scenes = arguments.scenes.split(",")
    wanted = Wanted(
        shares=tuple(map(float, arguments.shares.split(","))),
        seconds=arguments.seconds,
        films=arguments.films,
    )
    carried = capacities(arguments, scenes)
    with on_core(OTHER_CORE):
        levels = run_all(carried, wanted)
    result = result_of(levels, wanted) | {"note": arguments.note}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    write_plot(result, arguments.out.with_suffix(".svg"))
    if arguments.json:
        print(json.dumps(result, indent=1))
        return
    for scene, some in result["levels"].items():
        for level in some:
            print(
                f"{scene:5} {level['share']:4.0%} {level['cameras']:3} cameras {level['latency_s']}"
            )


if __name__ == "__main__":
    main()
