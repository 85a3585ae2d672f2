"""Cameras in simulated time: streets drawn picture by picture, through the daemon's own runtime.

Everything after decoding is real: gate, tracker, rules, recording, evidence, outbox. Boxes are
scripted, packets are as many and as large as a 4 Mbit/s camera sends, and of orders the outbox is
emptied as a dispatch service that answers would.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from detector.backends import Detector, ScriptedDetector
from detector.readers import CameraStream, StreamStats
from detector.readers.packets import Packet
from models.city import City, RecordingChoice
from models.evidence import EvidencePolicy
from models.geometry import Box
from models.seeing import Detection, Frame, Image
from models.zone import Camera, IllegalParkingRule, Zone
from service.daemon.camera import CameraDeps, CameraRuntime
from service.daemon.desk import DeskDeps
from service.daemon.edge import EdgeStore
from service.daemon.filing import Seal
from service.daemon.metrics import DaemonMetrics
from service.daemon.recordings import recorders
from service.daemon.signing import Signer

START = datetime(2026, 11, 2, tzinfo=UTC)
SIZE = (640, 360)
CAR_PX = (90, 56)
SLOTS = 5
PACKETS_PER_S, PACKET_BYTES, GOP = 25, 20_000, 25
NOISES = 5
STAYS_S, EMPTY_S = (60.0, 2400.0), (10.0, 600.0)
KEPT_S = 16.0
"""Older packets would be dropped again at once."""
DRAIN_EVERY = 50


@dataclass
class Script:
    """What the detector says of the picture that was taken last."""

    boxes: Sequence[Detection] = ()


@dataclass
class _Slot:
    """A place at the kerb: who stands there, and until when."""

    x: int
    look: int
    until_s: float
    is_taken: bool


@dataclass
class DrawnStreet:
    """Vehicles that come, stand and go."""

    seed: int
    slots: list[_Slot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.slots = [
            _Slot(x=30 + n * 120, look=0, until_s=0.0, is_taken=False) for n in range(SLOTS)
        ]

    def at(self, second: float) -> tuple[Image, list[Detection]]:
        """The picture at a time, and the boxes in it."""
        image = background(self.rng.randrange(NOISES)).copy()
        found = []
        for slot in self.slots:
            if second >= slot.until_s:
                slot.is_taken = not slot.is_taken
                slot.look = self.rng.randrange(200)
                slot.until_s = second + self.rng.uniform(*(STAYS_S if slot.is_taken else EMPTY_S))
            if slot.is_taken:
                y = 180
                image[y : y + CAR_PX[1], slot.x : slot.x + CAR_PX[0]] = paint(slot.look)
                box = Box(slot.x, y, slot.x + CAR_PX[0], y + CAR_PX[1])
                found.append(Detection(label="car", confidence=0.8, box=box))
        return image, found


@cache
def background(noise: int) -> Image:
    coarse = np.random.default_rng(1).normal(110, 25, (SIZE[1] // 12, SIZE[0] // 12, 3))
    smooth = cv2.resize(coarse.astype(np.float32), SIZE, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(noise).normal(0, 2, smooth.shape)
    return np.asarray(np.clip(smooth + grain, 0, 255), np.uint8)


def paint(look: int) -> Image:
    coarse = np.random.default_rng(look).normal(130, 60, (5, 7, 3)).astype(np.float32)
    large = cv2.resize(coarse, CAR_PX, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(large, 0, 255), np.uint8)


class FedStream(CameraStream):
    """A camera that is always there; who extends it makes up its pictures."""

    @property
    def stats(self) -> StreamStats:
        return StreamStats(state="online", beat_monotonic_s=time.monotonic())

    @property
    def ended(self) -> bool:
        return False

    def start(self) -> None:
        """Nothing to read."""

    def stop(self, timeout_s: float) -> None:
        """Nothing to stop."""


class SimulatedStream(FedStream):
    """A picture for each look, and the packets that came since the one before."""

    def __init__(self, camera: Camera, number: int, script: Script) -> None:
        super().__init__(camera)
        self._street, self._script = DrawnStreet(number), script
        self._next = 0
        self.packets.start("h264")

    def take(self, timeout_s: float) -> Frame:
        del timeout_s
        interval_s = self._camera.look_interval_s
        second = self._next * interval_s
        at = START + timedelta(seconds=second)
        for number in range(round(min(interval_s, KEPT_S) * PACKETS_PER_S)):
            data = bytes(PACKET_BYTES)
            self.packets.add(Packet(data=data, captured_at=at, is_key=number % GOP == 0))
        image, self._script.boxes = self._street.at(second)
        self._next += 1
        return Frame(
            camera_id=self._camera.camera_id,
            sequence=self._next,
            image=image,
            captured_at=at,
            stream_s=second,
        )


def simulated_camera(number: int, look_interval_s: float) -> Camera:
    rule = IllegalParkingRule(
        rule_id="parking", labels=frozenset({"car"}), dwell_s=180.0, category="illegal_parking"
    )
    whole = ((0.0, 0.3), (1.0, 0.3), (1.0, 0.9), (0.0, 0.9))
    zone = Zone(zone_id="kerb", name="Kerb", polygon=whole, in_pixels=False, rules=(rule,))
    return Camera(
        camera_id=f"camera-{number}",
        name=f"Camera {number}",
        source="rtsp://simulated/1",
        legal_basis="a benchmark",
        zones=(zone,),
        look_interval_s=look_interval_s,
        redetect_every_s=15.0,
        closer_looks=False,
        evidence=EvidencePolicy(),
    )


@dataclass
class Simulation:
    """Cameras that a loop steps."""

    runtimes: list[CameraRuntime]
    store: EdgeStore
    look_interval_s: float
    seconds: float = 0.0
    sent: int = 0
    """Requests that the outbox gave."""

    def run(self, until_s: float) -> None:
        """Go on to a simulated time."""
        looks = 0
        while self.seconds < until_s:
            for runtime in self.runtimes:
                runtime.step()
            self.seconds += self.look_interval_s
            looks += 1
            if looks % DRAIN_EVERY == 0:
                self._drain()

    def kept_bytes(self) -> int:
        """Pictures and packets that the cameras keep for evidence."""
        return sum(runtime._desk.size_bytes for runtime in self.runtimes)

    def _drain(self) -> None:
        while (entry := self.store.next_due(time.time())) is not None:
            self.store.sent(entry.seq)
            self.sent += 1


@contextmanager
def simulation(folder: Path, cameras: int, look_interval_s: float) -> Iterator[Simulation]:
    """So many cameras, ready to be stepped."""
    script = Script()
    detector = ScriptedDetector(lambda _: script.boxes, labels=("car", "person"))
    watched = [simulated_camera(n, look_interval_s) for n in range(cameras)]

    def stream(camera: Camera) -> CameraStream:
        return SimulatedStream(camera, int(camera.camera_id.split("-")[1]), script)

    with assembled(folder, watched, detector, stream) as running:
        yield running


@contextmanager
def assembled(
    folder: Path,
    cameras: Sequence[Camera],
    detector: Detector,
    make_stream: Callable[[Camera], CameraStream],
) -> Iterator[Simulation]:
    """The daemon's cameras without its threads: a loop steps them."""
    watched = tuple(cameras)
    city = City(
        name="Benchmark",
        timezone="UTC",
        cameras=watched,
        departments=(),
        recording=RecordingChoice(max_mb_per_camera=4000),
    )
    metrics = DaemonMetrics()
    with EdgeStore(folder / "edge.sqlite3") as store:
        deps = CameraDeps(
            detector=detector,
            store=store,
            metrics=metrics,
            wake_sender=lambda: None,
            make_stream=make_stream,
            make_recorder=recorders(folder / "recordings", city, metrics, "benchmark"),
            desk=DeskDeps(store=store, metrics=metrics, seal=Seal(signer=Signer.new())),
        )
        runtimes = [CameraRuntime(camera, deps) for camera in watched]
        try:
            interval_s = watched[0].look_interval_s
            yield Simulation(runtimes=runtimes, store=store, look_interval_s=interval_s)
        finally:
            for runtime in runtimes:
                runtime.close(1.0)
