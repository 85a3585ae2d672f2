"""Films in which a car arrives at a known moment, and when that moment is on the wall clock.

A real RTSP server plays a film over and over; a second client of the same stream recognises frames
by their bytes, and so tells when the film began. Nothing is asked of the server or of the daemon.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.streams import CLIP, FPS, GOP, MAIN, NOISE
from models.seeing import Image
from tests.support.clips import access_units

SHOWN_S = ((0.0, 4.2), (6.0, 14.8))
"""What of the clip is shown: an empty street, a car that comes, and from the picture on in which it
stands (``stationary_from_s`` of the ground truth). That it brakes is left out: a car that rolls the
last metre stands for the daemon, but not yet for the truth."""
STANDS_AT_S = 4.2
"""From the film's beginning."""
PHASES = (2, 7, 12, 17, 22)
"""Frames that are moved from the beginning of the film to its end, one film each: so the car comes
to stand at five moments, evenly spread, between two key frames."""
DWELL_S = 4.0
LOOP_S = sum(end - begin for begin, end in SHOWN_S)
HALF_A_FRAME_S = 0.5 / FPS
WATCH_S = 3.0
"""Of a stream, to find out when it began: packets that waited for the client come late."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A film, and when its car stands."""

    path: Path
    stands_s: float
    """From the film's beginning."""


def write_arrival(folder: Path, phase: int) -> Arrival:
    """Encode the film whose car stands ``phase`` frames before a key frame."""
    path = folder / f"arrival-{phase}.mp4"
    frames = list(_frames())
    frames = frames[phase:] + frames[:phase]
    random = np.random.default_rng(phase)
    shape = (MAIN.size[1], MAIN.size[0], 3)
    grains = [random.normal(0, NOISE, shape).astype(np.int16) for _ in range(3)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *MAIN.size, "yuv420p"
        stream.bit_rate, stream.gop_size = MAIN.bits_per_s, GOP
        stream.options = {"bf": "0", "sc_threshold": "0", "preset": "superfast"}
        for number, image in enumerate(frames):
            large = cv2.resize(image, MAIN.size)
            noisy = cv2.add(large, grains[number % len(grains)], dtype=cv2.CV_8U)
            picture = av.VideoFrame.from_ndarray(noisy, format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return Arrival(path=path, stands_s=STANDS_AT_S - phase / FPS)


def _frames() -> Iterator[Image]:
    with av.open(str(CLIP)) as container:
        stream = container.streams.video[0]
        repeat = round(FPS / float(stream.average_rate))
        for frame in container.decode(stream):
            if any(begin <= frame.time + HALF_A_FRAME_S < end for begin, end in SHOWN_S):
                image = frame.to_ndarray(format="bgr24")
                yield from [image] * repeat


class Played:
    """Recognises a film's frames in a stream of it."""

    def __init__(self, film: Path) -> None:
        self._numbers = {_mark(unit): number for number, unit in enumerate(access_units(film))}
        self.loop_s = len(self._numbers) / FPS

    def began_at(self, url: str) -> float:
        """When the film began that runs now: seconds since the epoch, up to whole loops.

        Packets that waited come late, never early: the earliest beginning of all is right.
        """
        found = [at - number / FPS for at, number in self._seen(url)]
        if not found:
            raise SystemExit(f"{url} does not show its film")
        first = found[0]
        # compared within a loop, since the film may have begun anew meanwhile
        late = [(each - first + self.loop_s / 2) % self.loop_s for each in found]
        return first + min(late) - self.loop_s / 2

    def _seen(self, url: str) -> Iterator[tuple[float, int]]:
        until = time.monotonic() + WATCH_S
        with av.open(url, options={"rtsp_transport": "tcp"}, timeout=10) as container:
            for packet in container.demux(video=0):
                number = self._numbers.get(_mark(bytes(packet)))
                if number is not None:
                    yield time.time(), number
                if time.monotonic() > until:
                    return


def _mark(unit: bytes) -> str:
    """Of the picture data of an access unit: what stands around it, servers write anew."""
    largest = max(unit.split(b"\0\0\1"), key=len)
    return hashlib.sha1(largest.rstrip(b"\0"), usedforsecurity=False).hexdigest()
