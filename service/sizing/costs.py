"""Measures what cameras cost on this machine: all cores look at once, as in the daemon."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import cycle

import cv2
import numpy as np

from detector.backends import Detector
from models.errors import StreetwardenError
from models.seeing import Frame, Image
from models.zone import Camera, DecodeMode
from service.daemon.camera import SNAPSHOT_INTERVAL_S
from service.daemon.pictures import Studio, snapshot
from service.pipeline import CameraPipeline
from service.sizing.estimate import StreamCost, memory_of
from service.sizing.film import SENSOR_NOISE, Film
from service.sizing.host import busy_s, resident_bytes

CAMERAS_A_CORE = 3
"""Each with its own state, so that not all of it stays in a core's cache."""
DECODES_S = 0.4
FULLY_USED = 0.95
BEGAN_AT = datetime(2026, 1, 1, tzinfo=UTC)

Step = Callable[[], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """How it went when all cores looked at once."""

    looks: int
    cpu_s: float
    parallel_ratio: float
    """Of what was left by other programs, the share that was used."""


class Looker:
    """One camera that is looked at over and over; its clock goes on by a look interval a look."""

    def __init__(self, camera: Camera, film: Film, detector: Detector, still: Sequence[Image]):
        """``still``: pictures in which nothing changes; empty: each look asks the detector."""
        every_s = camera.redetect_every_s if still else 0.0
        self._pipeline = CameraPipeline(replace(camera, redetect_every_s=every_s), detector)
        self._decoder = film.key_decoder()
        self._keys = cycle(film.keys)
        self._still = cycle(still) if still else None
        self._interval = timedelta(seconds=camera.look_interval_s)
        self._studio = Studio(camera=camera)
        self._snapshot_each = max(1, round(SNAPSHOT_INTERVAL_S / camera.look_interval_s))
        self._camera_id = camera.camera_id
        self._looks = 0

    def step(self) -> None:
        """Decode a key picture and look at it, or at one in which nothing has changed.

        Now and then there is a picture for the page, as in the daemon.
        """
        image = self._decoder.decode(next(self._keys))
        if self._still is not None:
            image = next(self._still)
        frame = Frame(
            camera_id=self._camera_id,
            sequence=self._looks,
            image=image,
            captured_at=BEGAN_AT + self._looks * self._interval,
            stream_s=self._looks * self._interval.total_seconds(),
        )
        self._looks += 1
        processed = self._pipeline.process(frame)
        if self._looks % self._snapshot_each == 0:
            snapshot(processed, self._studio)


def stream_cost(
    film: Film, camera: Camera, detector: Detector, cores: int, seconds: float
) -> StreamCost:
    """Measure a stream for so long each with and without change in its pictures."""
    picture = film.first_picture()
    mode = film.mode(camera)
    decode_s = key_decode_s(film)
    still = _still(picture)
    idle_lookers = [Looker(camera, film, detector, still) for _ in range(cores * CAMERAS_A_CORE)]
    before = resident_bytes()
    for looker in idle_lookers:
        looker.step()
    private_bytes = max(0, resident_bytes() - before) / len(idle_lookers)
    idle = saturate(idle_lookers, cores, seconds)
    busy_lookers = [Looker(camera, film, detector, ()) for _ in idle_lookers]
    busy = saturate(busy_lookers, cores, seconds)
    return StreamCost(
        name=film.name,
        codec=film.decoder,
        width_px=picture.shape[1],
        height_px=picture.shape[0],
        fps=film.fps,
        key_gap_s=film.key_gap_s,
        bits_per_s=film.bits_per_s,
        mode=mode,
        look_interval_s=camera.look_interval_s,
        receive_ratio=film.receive_ratio,
        decode_s=decode_s,
        full_decode_ratio=film.full_decode_s() if mode is DecodeMode.FULL else None,
        idle_look_s=max(0.0, idle.cpu_s / idle.looks - decode_s),
        busy_look_s=max(0.0, busy.cpu_s / busy.looks - decode_s),
        parallel_ratio=min(idle.parallel_ratio, busy.parallel_ratio),
        memory_bytes=memory_of(private_bytes + picture.nbytes, film.bits_per_s),
    )


def saturate(lookers: Sequence[Looker], cores: int, seconds: float) -> Run:
    """Let as many threads as cores look as often as they can; one camera has one thread."""
    shares = [lookers[number::cores] for number in range(cores)]
    counts: list[int] = []
    errors: list[StreetwardenError] = []

    def work(own: Sequence[Looker], until_s: float) -> None:
        looks = 0
        try:
            while time.monotonic() < until_s:
                for looker in own:
                    looker.step()
                    looks += 1
        except StreetwardenError as error:  # told by whoever waits for the threads
            errors.append(error)
        counts.append(looks)

    wall_s, cpu_s, all_s = time.monotonic(), time.process_time(), busy_s()
    threads = [threading.Thread(target=work, args=(own, wall_s + seconds)) for own in shares if own]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall_s, cpu_s, all_s = (
        time.monotonic() - wall_s,
        time.process_time() - cpu_s,
        busy_s() - all_s,
    )
    if errors:
        raise errors[0]
    left_s = max(wall_s * len(threads) - max(0.0, all_s - cpu_s), cpu_s)
    used = cpu_s / left_s if left_s > 0 else 1.0
    return Run(looks=sum(counts), cpu_s=cpu_s, parallel_ratio=1.0 if used > FULLY_USED else used)


def key_decode_s(film: Film) -> float:
    """CPU-seconds for decoding one of its key pictures."""
    decoder, keys, count = film.key_decoder(), cycle(film.keys), 0
    decoder.decode(next(keys))
    began_s = time.thread_time()
    until_s = time.monotonic() + DECODES_S
    while count == 0 or time.monotonic() < until_s:
        decoder.decode(next(keys))
        count += 1
    return (time.thread_time() - began_s) / count


def _still(picture: Image) -> list[Image]:
    """A picture in which nothing changes but a sensor's noise."""
    random = np.random.default_rng(1)
    grains = [random.normal(0, SENSOR_NOISE, picture.shape).astype(np.int16) for _ in range(3)]
    noisy = [cv2.add(picture, grain, dtype=cv2.CV_8U) for grain in grains]
    return [np.asarray(each, np.uint8) for each in noisy]
