"""Some seconds of a camera as packets: taken off a stream, read from a file, or made.

Kept in memory, so that it can be decoded over and over without a camera or a disk in between.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from typing import Any

import av
import cv2
import numpy as np

from detector.clip import encoder
from detector.readers.address import SourceKind, kind_of
from detector.readers.capture import Capture
from detector.readers.keyframes import KeyDecoder, decoder_for, holds_picture
from detector.readers.live import key_pictures_suffice
from models.errors import SourceReadError
from models.seeing import Image
from models.urls import redact_url
from models.zone import Camera, DecodeMode

RECORD_S = 8.0
"""Long enough for two key pictures of nearly every camera."""
ENOUGH_KEYS = 5
RECEIVE_RATIO = 0.0065
"""CPU-seconds a second for receiving 4 Mbit/s over RTSP and TCP, measured; where a stream is not
received here, but read from a file or made."""
FPS, GOP = 25, 25
SENSOR_NOISE = 2.0
"""Grey levels: without noise a still picture would cost a decoder next to nothing."""
SUB_STREAM_PX = (640, 360)
BITS_PER_PIXEL = 4_000_000 / (1920 * 1080)
"""Of a camera's stream, a second: 4 Mbit/s at 1080p."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilmPacket:
    """One packet as the camera sent it."""

    data: bytes
    is_key: bool
    at_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Film:
    """Some seconds of a stream."""

    name: str
    decoder: str
    """PyAV's name of the codec."""
    extradata: bytes
    packets: tuple[FilmPacket, ...]
    receive_ratio: float = RECEIVE_RATIO
    """CPU-seconds a second that it takes to receive it."""

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Its key pictures, each decodable by itself."""
        return tuple(packet.data for packet in self.packets if packet.is_key)

    @property
    def span_s(self) -> float:
        """Time from the first packet to the last."""
        return self.packets[-1].at_s - self.packets[0].at_s if self.packets else 0.0

    @property
    def fps(self) -> float | None:
        """Pictures a second, as measured."""
        return (len(self.packets) - 1) / self.span_s if self.span_s > 0 else None

    @property
    def key_gap_s(self) -> float | None:
        """Longest time between key pictures; ``None``: there are not two of them."""
        times = [packet.at_s for packet in self.packets if packet.is_key]
        return max((later - earlier for earlier, later in pairwise(times)), default=None)

    @property
    def bits_per_s(self) -> float:
        """Bit rate, as measured."""
        size = 8 * sum(len(packet.data) for packet in self.packets)
        return size / self.span_s if self.span_s > 0 else 0.0

    def mode(self, camera: Camera) -> DecodeMode:
        """How the daemon would decode it."""
        if camera.decode is not DecodeMode.AUTO:
            return camera.decode
        gap_s = self.key_gap_s
        suffices = gap_s is not None and key_pictures_suffice(gap_s, camera.look_interval_s)
        return DecodeMode.KEYFRAMES if suffices else DecodeMode.FULL

    def key_decoder(self) -> KeyDecoder:
        """What decodes its key pictures."""
        return KeyDecoder(self.decoder, self.extradata, self.name)

    def first_picture(self) -> Image:
        """Its first key picture; raises :class:`SourceReadError`."""
        if not self.keys:
            raise SourceReadError(f"{self.name}: sent no key picture within {RECORD_S:g} s")
        return self.key_decoder().decode(self.keys[0])

    def full_decode_s(self) -> float:
        """CPU-seconds that decoding each of its pictures takes, per second of it."""
        context = av.CodecContext.create(self.decoder, "r")
        context.thread_count = 1
        began_s = time.thread_time()
        for packet in self.packets:
            try:
                context.decode(av.Packet(packet.data))
            except av.error.FFmpegError:
                continue  # before the first key picture nothing can be decoded
        return (time.thread_time() - began_s) / self.span_s if self.span_s > 0 else 0.0


def record(camera: Camera) -> Film:
    """Take some seconds off a source; raises :class:`~models.errors.SourceError`."""
    capture = Capture(camera.source, raw=True, transport=camera.rtsp_transport)
    name = redact_url(camera.source)
    try:
        decoder = decoder_for(capture.codec)
        if decoder is None:
            raise SourceReadError(f"{name}: {capture.codec or 'its codec'} has no key pictures")
        is_file = kind_of(camera.source) is SourceKind.FILE
        extradata = capture.extradata
        began_s = time.thread_time()
        packets = tuple(_packets(capture, decoder, is_file=is_file))
        used_s = time.thread_time() - began_s
    finally:
        capture.close()
    film = Film(name=name, decoder=decoder, extradata=extradata, packets=packets)
    if is_file or film.span_s <= 0:
        return film
    return Film(
        name=name,
        decoder=decoder,
        extradata=extradata,
        packets=packets,
        receive_ratio=used_s / film.span_s,
    )


def _packets(capture: Capture, decoder: str, *, is_file: bool) -> Iterator[FilmPacket]:
    began_s, keys = time.monotonic(), 0
    first_s: float | None = None
    while time.monotonic() - began_s < RECORD_S and keys < ENOUGH_KEYS and capture.grab():
        data = capture.packet()
        is_key = capture.is_key and holds_picture(data, decoder)
        # Live packets are timed by their arrival: many a camera's stream carries no time.
        at_s = capture.position_s if is_file else time.monotonic() - began_s
        first_s = at_s if first_s is None else first_s
        if at_s - first_s > RECORD_S:
            return
        keys += is_key
        yield FilmPacket(data=data, is_key=is_key, at_s=at_s)


def made(
    name: str, pictures: Sequence[Image], size: tuple[int, int], gop: int = GOP
) -> Film | None:
    """A stream as a camera would send it, with a sensor's noise, 25 pictures a second.

    Each picture is shown for one group of pictures. ``None``: there is no encoder here.
    """
    codec = encoder()
    if codec is None:
        return None
    context = av.CodecContext.create(codec, "w")
    context.width, context.height = size
    context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, FPS), FPS
    context.bit_rate, context.gop_size = int(size[0] * size[1] * BITS_PER_PIXEL), gop
    if codec == "libx264":
        context.options = {"bf": "0", "sc_threshold": "0", "preset": "superfast"}
    packets = [
        FilmPacket(data=bytes(packet), is_key=packet.is_keyframe, at_s=float(packet.pts) / FPS)
        for packet in _encoded(context, _noisy(pictures, size, gop))
    ]
    return Film(
        name=name,
        decoder="h264",
        extradata=bytes(context.extradata or b""),
        packets=tuple(packets),
        receive_ratio=RECEIVE_RATIO * size[0] * size[1] / (1920 * 1080),
    )


def _noisy(pictures: Sequence[Image], size: tuple[int, int], gop: int) -> Iterator[Image]:
    random = np.random.default_rng(1)
    shape = (size[1], size[0], 3)
    grains = [random.normal(0, SENSOR_NOISE, shape).astype(np.int16) for _ in range(3)]
    for picture in pictures:
        large = cv2.resize(picture, size)
        for number in range(gop):
            noisy = cv2.add(large, grains[number % len(grains)], dtype=cv2.CV_8U)
            yield np.asarray(noisy, np.uint8)


def _encoded(context: Any, pictures: Iterable[Image]) -> Iterator[Any]:
    for number, image in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        yield from context.encode(frame)
    yield from context.encode(None)


def key_pictures(film: Film, most: int) -> list[Image]:
    """Its first key pictures, decoded."""
    decoder = film.key_decoder()
    return [decoder.decode(key) for key in islice(film.keys, most)]
