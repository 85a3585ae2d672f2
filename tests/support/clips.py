"""Small H.264 clips whose every frame says which one it is."""

from __future__ import annotations

import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from models.seeing import Image
from models.zone import Camera

CODE_BITS = 12
"""The frame's number, in black and white squares along the top."""


def make_camera(source: str | Path, **changes: Any) -> Camera:
    """A camera with this source."""
    camera = Camera(camera_id="gate", name="Gate", source=str(source), legal_basis="test", zones=())
    return replace(camera, **changes)


def coded_image(number: int, size: tuple[int, int] = (320, 240)) -> Image:
    """A picture that carries a number which survives compression."""
    width, height = size
    image = np.full((height, width, 3), 90, np.uint8)
    image[height // 3 :, :, 1] = np.linspace(60, 200, width, dtype=np.uint8)
    side = width // CODE_BITS
    for bit in range(CODE_BITS):
        image[0:side, bit * side : (bit + 1) * side] = 235 if number >> bit & 1 else 20
    return image


def read_code(image: Image) -> int:
    """Number of a picture made by :func:`coded_image`."""
    side = image.shape[1] // CODE_BITS
    middles = [image[side // 2, bit * side + side // 2].mean() for bit in range(CODE_BITS)]
    return sum(1 << bit for bit, value in enumerate(middles) if value > 127)


def write_clip(
    path: Path,
    *,
    frames: int = 100,
    fps: int = 25,
    gop: int = 25,
    b_frames: int = 0,
    size: tuple[int, int] = (320, 240),
    codec: str = "libx264",
    first: int = 0,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a clip; its container follows the name's ending."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.gop_size = gop
        if codec == "libx264":
            stream.options = {"bf": str(b_frames), "sc_threshold": "0", "preset": "ultrafast"}
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(coded_image(first + number, size), format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def access_units(clip: Path) -> list[bytes]:
    """The H.264 access units of a clip, in decoding order, each with start codes."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        annex_b = av.bitstream.BitStreamFilterContext("h264_mp4toannexb", stream)
        return [
            bytes(unit)
            for packet in container.demux(stream)
            if packet.size
            for unit in annex_b.filter(packet)
        ]


def write_units(clip: Path, target: Path) -> Path:
    """Write the access units of a clip as the GStreamer server reads them."""
    units = access_units(clip)
    target.write_bytes(b"".join(struct.pack("!I", len(unit)) + unit for unit in units))
    return target
