"""Streams to measure on: 1080p25, H.264, a key frame each second, from a real RTSP server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from models.seeing import Image
from tests.support.gst_rtsp import gst_rtsp

CLIP = Path(__file__).resolve().parents[1] / "sample_videos" / "parking_double_yellow.mp4"
FPS, GOP = 25, 25
NOISE = 2.0
"""Grey levels of a sensor's noise: without it a still scene would cost a decoder nothing."""
IDLE_AT_S, IDLE_S = 20.0, 10.0
"""A moment at which the car has parked and nothing moves."""
SCENES = ("idle", "busy")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How a camera encodes one of its streams."""

    size: tuple[int, int]
    bits_per_s: int


MAIN = Profile(size=(1920, 1080), bits_per_s=4_000_000)
SUB = Profile(size=(640, 360), bits_per_s=500_000)
"""The second stream that cameras offer beside it."""


def scene_frames(scene: str, size: tuple[int, int]) -> Iterator[Image]:
    """Pictures of a scene, 25 a second: a street where nothing moves, or the whole clip."""
    with av.open(str(CLIP)) as container:
        stream = container.streams.video[0]
        repeat = round(FPS / float(stream.average_rate))
        pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(stream)]
    at = int(IDLE_AT_S * FPS / repeat)
    if scene == "idle":
        pictures = [pictures[at]] * int(IDLE_S * FPS / repeat)
    for picture in pictures:
        scaled = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
        for _ in range(repeat):
            yield scaled


def write_scene(scene: str, folder: Path, profile: Profile = MAIN) -> Path:
    """Encode a scene as a camera would send it."""
    width, height = profile.size
    path = folder / f"{scene}-{height}p.mp4"
    random = np.random.default_rng(1)
    grains = [random.normal(0, NOISE, (height, width, 1)) for _ in range(5)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate, stream.gop_size = profile.bits_per_s, GOP
        stream.options = {"bf": "0", "sc_threshold": "0", "preset": "superfast"}
        for number, image in enumerate(scene_frames(scene, profile.size)):
            noisy = np.clip(image + grains[number % len(grains)], 0, 255).astype(np.uint8)
            picture = av.VideoFrame.from_ndarray(noisy, format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


@contextmanager
def served(clip: Path, count: int, folder: Path, core: int) -> Iterator[list[str]]:
    """Addresses of so many cameras that show a clip; the server keeps to one core."""
    names = {f"camera-{number}": clip for number in range(count)}
    with gst_rtsp(names, folder, transport="tcp") as server:
        os.sched_setaffinity(server.process.pid, {core})
        yield [server.url(name) for name in names]
