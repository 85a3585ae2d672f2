"""A camera stream that plays frames from memory, for tests of what comes after reading."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from detector.backends import ScriptedDetector
from detector.readers import CameraStream, StreamStats
from models.geometry import Box
from models.seeing import Detection, Frame, Image
from models.zone import Camera, IllegalParkingRule, Zone

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SIZE_PX = (160, 120)
CAR = Box(40, 60, 100, 100)


def street(seed: int = 7) -> Image:
    """A picture with texture, the same for the same seed."""
    rng = np.random.default_rng(seed)
    image: Image = rng.integers(0, 255, (SIZE_PX[1], SIZE_PX[0], 3), dtype=np.uint8)
    return image


def car(box: Box = CAR, confidence: float = 0.9) -> Detection:
    return Detection(label="car", confidence=confidence, box=box)


def camera(camera_id: str = "gate", dwell_s: float = 5.0, **changes: object) -> Camera:
    """A camera whose whole picture is one no-parking zone."""
    rule = IllegalParkingRule(
        rule_id="parking",
        labels=frozenset({"car"}),
        dwell_s=dwell_s,
        clear_after_s=5.0,
        category="illegal_parking",
    )
    zone = Zone(
        zone_id="kerb",
        name="Kerb",
        polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
        in_pixels=False,
        rules=(rule,),
    )
    made = Camera(
        camera_id=camera_id,
        name=camera_id.title(),
        source="played",
        legal_basis="test",
        zones=(zone,),
        paced=False,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class PlayedStream(CameraStream):
    """Hands out a frame of each of these seconds, as fast as they are taken."""

    def __init__(self, camera: Camera, seconds: Sequence[int], image: Image) -> None:
        super().__init__(camera)
        self._frames = list(seconds)
        self._image = image
        self._beat_s = time.monotonic()
        self._lock = threading.Lock()
        self.stopped = False

    @property
    def stats(self) -> StreamStats:
        state = "ended" if self.ended else "online"
        return StreamStats(state=state, beat_monotonic_s=self._beat_s, width_px=160, height_px=120)

    @property
    def ended(self) -> bool:
        return not self._frames

    def start(self) -> None:
        """Nothing to read."""

    def stop(self, timeout_s: float) -> None:
        self.stopped = True

    def freeze(self, beat_s: float) -> None:
        """Pretend that the reader last showed a sign of life then."""
        self._beat_s = beat_s

    def take(self, timeout_s: float) -> Frame | None:
        with self._lock:
            if not self._frames:
                return None
            number = self._frames.pop(0)
        self.on_news()
        return Frame(
            camera_id=self._camera.camera_id,
            sequence=number,
            image=self._image,
            captured_at=START + timedelta(seconds=number),
            stream_s=float(number),
        )


def plays(
    frames: Iterable[int], image: Image | None = None, made: list[PlayedStream] | None = None
) -> Callable[[Camera], CameraStream]:
    """A maker of streams that all play the seconds ``frames``."""
    seconds = list(frames)
    picture = street() if image is None else image

    def make(camera: Camera) -> CameraStream:
        stream = PlayedStream(camera, seconds, picture)
        if made is not None:
            made.append(stream)
        return stream

    return make


def sees(*detections: Detection) -> ScriptedDetector:
    """A detector that always sees the same."""
    answer: Sequence[Detection] = detections
    return ScriptedDetector(lambda _: answer, labels=("car", "person"))
