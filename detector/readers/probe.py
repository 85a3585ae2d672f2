"""Looks at a source for some seconds and says what it is like."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise

from detector.readers.address import SourceKind, kind_of
from detector.readers.capture import Capture
from detector.readers.keyframes import decoder_for, holds_picture
from detector.readers.live import key_pictures_suffice
from detector.readers.opening import open_reader
from models.errors import SourceReadError
from models.zone import Camera, DecodeMode

WATCH_S = 8.0
"""Long enough for two key pictures of nearly every camera."""
ENOUGH_KEYS = 3
ENOUGH_PACKETS = 30
"""To measure a frame rate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceReport:
    """What a source is like."""

    kind: SourceKind
    open_s: float
    """Time to connect."""
    first_frame_s: float
    """Time from the beginning to the first decoded picture."""
    width_px: int
    height_px: int
    decode: DecodeMode
    """How it will be decoded at its look interval."""
    codec: str = ""
    fps: float | None = None
    """As measured, or announced by a file."""
    key_gap_s: float | None = None
    """Longest time between key pictures; ``None``: there were not two of them."""
    has_times: bool = True
    """Whether the stream carries its own time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Packets:
    positions_s: tuple[float, ...]
    arrivals_s: tuple[float, ...]
    keys: tuple[int, ...]

    @property
    def has_times(self) -> bool:
        return len(set(self.positions_s)) > 2

    @property
    def times_s(self) -> tuple[float, ...]:
        return self.positions_s if self.has_times else self.arrivals_s

    @property
    def fps(self) -> float | None:
        times_s = self.times_s[1:]  # the first packet of a connection often has no time yet
        span_s = max(times_s, default=0.0) - min(times_s, default=0.0)
        return (len(times_s) - 1) / span_s if span_s > 0 else None

    @property
    def key_gap_s(self) -> float | None:
        times_s = [self.times_s[index] for index in self.keys]
        return max((later - earlier for earlier, later in pairwise(times_s)), default=None)


def probe(camera: Camera) -> SourceReport:
    """Open a source and watch it for some seconds; raises :class:`SourceError`."""
    kind = kind_of(camera.source)
    began_s = time.monotonic()
    with open_reader(camera) as reader:
        opened_s = time.monotonic() - began_s
        frame = reader.read()
        first_frame_s = time.monotonic() - began_s
        mode = reader.mode
    report = SourceReport(
        kind=kind,
        open_s=opened_s,
        first_frame_s=first_frame_s,
        width_px=frame.width_px,
        height_px=frame.height_px,
        decode=mode,
    )
    if kind in {SourceKind.IMAGES, SourceKind.USB}:
        return report
    return _with_packets(report, camera)


def _with_packets(report: SourceReport, camera: Camera) -> SourceReport:
    capture = Capture(camera.source, raw=True, transport=camera.rtsp_transport)
    try:
        codec, is_file = capture.codec, report.kind is SourceKind.FILE
        packets = _watch(capture, codec)
        announced_fps = capture.fps or None
    finally:
        capture.close()
    gap_s = packets.key_gap_s
    decode = report.decode
    if camera.decode is DecodeMode.AUTO and not is_file:
        suffices = gap_s is not None and key_pictures_suffice(gap_s, camera.look_interval_s)
        decode = DecodeMode.KEYFRAMES if suffices else DecodeMode.FULL
    return SourceReport(
        kind=report.kind,
        open_s=report.open_s,
        first_frame_s=report.first_frame_s,
        width_px=report.width_px,
        height_px=report.height_px,
        decode=decode,
        codec=codec,
        fps=announced_fps if is_file else packets.fps,
        key_gap_s=gap_s,
        has_times=packets.has_times,
    )


def _watch(capture: Capture, codec: str) -> _Packets:
    decoder = decoder_for(codec)
    began_s = time.monotonic()
    positions: list[float] = []
    arrivals: list[float] = []
    keys: list[int] = []
    while time.monotonic() - began_s < WATCH_S:
        if len(keys) >= ENOUGH_KEYS and len(positions) >= ENOUGH_PACKETS:
            break
        if not capture.grab():
            break
        positions.append(capture.position_s)
        arrivals.append(time.monotonic() - began_s)
        if decoder and capture.is_key and holds_picture(capture.packet(), decoder):
            keys.append(len(positions) - 1)
    if not positions:
        raise SourceReadError(f"{capture.name}: sent nothing")
    return _Packets(positions_s=tuple(positions), arrivals_s=tuple(arrivals), keys=tuple(keys))
