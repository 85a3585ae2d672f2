"""Processor time of a camera-hour by stage, and how it grows with the number of cameras.

Packets of 1080p25 cameras (:mod:`benchmarks.streams`) go through the daemon's own runtime: ring of
packets, decoding of key pictures, gate, detector, tracker, rules, evidence, recording and saving;
one look a second in simulated time, so that more cameras can be measured than the machine carries.
One thread works, so each stage is the processor time of the whole process while it lasts (inference
has threads of its own), without the stages within it. Not in it:
receiving packets from the network, and films (a few seconds once for each incident).

    python -m benchmarks.cost --json [--cameras 1,10,30,100] [--scenes idle,busy] [--plot cost.svg]
"""

from __future__ import annotations

import argparse
import functools
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import structlog

from benchmarks.carried import DWELL_S, EACH_NTH, FAR_ZONE, ZONE
from benchmarks.simulated import START, FedStream, assembled, simulated_camera
from benchmarks.streams import FPS, MAIN, SCENES, write_scene
from detector.backends import Detector, load_detector
from detector.gate import StillnessGate
from detector.readers.keyframes import KeyDecoder
from detector.readers.packets import Packet
from detector.tracking import CameraTracker
from detector.training.latency import machine
from models.city import ModelChoice
from models.geometry import Points
from models.seeing import Frame
from models.zone import Camera
from service.daemon.camera import CameraRuntime
from service.pipeline import Seeing
from zones.engine import ZoneEngine

STAGES: Mapping[str, tuple[type[Any], str]] = {
    "decode": (KeyDecoder, "decode"),
    "gate": (StillnessGate, "is_open"),
    "detect": (Seeing, "_detect"),
    "track": (CameraTracker, "update"),
    "rules": (ZoneEngine, "look"),
    "evidence": (CameraRuntime, "_file_evidence"),
    "latest picture": (CameraRuntime, "_keep_snapshot"),
    "record and save": (CameraRuntime, "_commit"),
}
REST = "rest"
LOOKS = 600
"""Of all cameras together, at least; and of each at least as many as its warm-up and this."""
LEAST_SECONDS, WARM_UP_S = 16, 16
HOUR_S = 3600
CONSTANT_WITHIN = 0.1
BEFORE_SHAPE = (960.0, 540.0)


@dataclass(frozen=True)
class Film:
    """A scene's packets, by second; each begins with its key packet."""

    extradata: bytes
    seconds: tuple[tuple[bytes, ...], ...]


class Meter:
    """Times stages by the processor time of the process, each without those within it."""

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._inner_s = [0.0]

    @contextmanager
    def fitted(self) -> Iterator[None]:
        """Measure each call of a stage's function."""
        before = {name: getattr(owner, call) for name, (owner, call) in STAGES.items()}
        for name, (owner, call) in STAGES.items():
            setattr(owner, call, self._timed(name, before[name]))
        try:
            yield
        finally:
            for name, (owner, call) in STAGES.items():
                setattr(owner, call, before[name])

    def _timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.process_time()
            self._inner_s.append(0.0)
            try:
                return call(*args, **kwargs)
            finally:
                took_s, inner_s = time.process_time() - began, self._inner_s.pop()
                self.spent_s[name] += took_s - inner_s
                self._inner_s[-1] += took_s

        return timed


class FilmStream(FedStream):
    """Gives a scene's packets, a second of them for each look."""

    def __init__(self, camera: Camera, film: Film, offset: int) -> None:
        super().__init__(camera)
        self._film, self._number, self._offset = film, 0, offset
        self._decoder = KeyDecoder("h264", film.extradata, camera.camera_id)
        self.packets.start("h264", film.extradata)

    def take(self, timeout_s: float) -> Frame:
        del timeout_s
        second = self._film.seconds[(self._number + self._offset) % len(self._film.seconds)]
        at = START + timedelta(seconds=self._number)
        for index, data in enumerate(second):
            captured_at = at + timedelta(seconds=index / FPS)
            self.packets.add(Packet(data=data, captured_at=captured_at, is_key=index == 0))
        self._number += 1
        return Frame(
            camera_id=self._camera.camera_id,
            sequence=self._number,
            image=self._decoder.decode(second[0]),
            captured_at=at,
            stream_s=float(self._number),
        )


def film_of(path: Path) -> Film:
    """Packets in the form that cameras send, with start codes."""
    from av.bitstream import BitStreamFilterContext

    seconds: list[list[bytes]] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        to_start_codes = BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in container.demux(stream):
            for filtered in to_start_codes.filter(packet):
                if filtered.is_keyframe:
                    seconds.append([])
                if seconds and filtered.size:
                    seconds[-1].append(bytes(filtered))
    return Film(extradata=b"", seconds=tuple(map(tuple, seconds)))


def cameras_of(count: int) -> list[Camera]:
    """Cameras as in the benchmark of capacity: in each tenth one's zone a car parks."""
    return [_watching(simulated_camera(n, 1.0), n) for n in range(count)]


def _watching(camera: Camera, number: int) -> Camera:
    corners: Points = tuple((x, y) for x, y in (ZONE if number % EACH_NTH == 0 else FAR_ZONE))
    zone = camera.zones[0]
    rule = replace(zone.rules[0], dwell_s=DWELL_S)
    zone = replace(zone, polygon=corners, in_pixels=True, rules=(rule,))
    size = (round(BEFORE_SHAPE[0]), round(BEFORE_SHAPE[1]))
    return replace(camera, zones=(zone,), resolution=size, closer_looks=True)


def cost(film: Film, cameras: int, detector: Detector) -> dict[str, Any]:
    """CPU-seconds of a camera-hour, with so many cameras taking turns."""
    offsets = iter(range(cameras))
    meter = Meter()
    measured_s = max(LEAST_SECONDS, -(-LOOKS // cameras))
    with (
        tempfile.TemporaryDirectory() as folder,
        assembled(
            Path(folder),
            cameras_of(cameras),
            detector,
            lambda c: FilmStream(c, film, next(offsets)),
        ) as running,
    ):
        running.run(WARM_UP_S)
        with meter.fitted():
            began = time.process_time()
            running.run(WARM_UP_S + measured_s)
            total_s = time.process_time() - began
    factor = HOUR_S / (cameras * measured_s)
    stages = {name: round(meter.spent_s[name] * factor, 1) for name in STAGES}
    stages[REST] = round((total_s - sum(meter.spent_s.values())) * factor, 1)
    return {
        "cameras": cameras,
        "looks": cameras * measured_s,
        "cpu_s_per_camera_hour": round(total_s * factor, 1),
        "stages": stages,
    }


def spread(rows: list[dict[str, Any]]) -> float | None:
    """Largest difference of the cost from 10 cameras on, as a share of that of the fewest."""
    costs: list[float] = [row["cpu_s_per_camera_hour"] for row in rows if row["cameras"] >= 10]
    if len(costs) < 2:
        return None
    return round(max(abs(cost - costs[0]) for cost in costs) / costs[0], 3)


def write_plot(found: Mapping[str, list[dict[str, Any]]], path: Path) -> None:
    """A bar for each number of cameras, by stage; a panel for each scene."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(
        1, len(found), figsize=(5 * len(found), 3.8), squeeze=False, sharey=True
    )
    for panel, (scene, rows) in zip(panels[0], found.items(), strict=True):
        names = [str(row["cameras"]) for row in rows]
        bottom = [0.0] * len(rows)
        for stage in (*STAGES, REST):
            heights = [max(0.0, row["stages"][stage]) for row in rows]
            panel.bar(names, heights, bottom=bottom, label=stage)
            bottom = [low + high for low, high in zip(bottom, heights, strict=True)]
        panel.set_title(f"{scene} scene, 1080p25, a look a second")
        panel.set_xlabel("cameras")
    panels[0][0].set_ylabel("CPU-seconds of a camera-hour")
    panels[0][-1].legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def measured(counts: list[int], scenes: list[str]) -> dict[str, list[dict[str, Any]]]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    detector = load_detector(ModelChoice())
    found: dict[str, list[dict[str, Any]]] = {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            for scene in scenes:
                film = film_of(write_scene(scene, Path(folder)))
                found[scene] = [cost(film, count, detector) for count in counts]
    finally:
        detector.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cameras", default="1,10,30,100")
    parser.add_argument("--scenes", default=",".join(SCENES))
    parser.add_argument("--plot", type=Path, help="write an SVG or PNG there")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    counts = [int(count) for count in arguments.cameras.split(",")]
    found = measured(counts, arguments.scenes.split(","))
    result = {
        "machine": machine(),
        "picture": list(MAIN.size),
        "cost": found,
        "spread_from_10": {scene: spread(rows) for scene, rows in found.items()},
        "constant_within": CONSTANT_WITHIN,
    }
    if arguments.plot is not None:
        write_plot(found, arguments.plot)
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        for scene, rows in found.items():
            for row in rows:
                print(scene, row)
        print("spread from 10 cameras on:", result["spread_from_10"])


if __name__ == "__main__":
    main()
