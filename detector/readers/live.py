"""Readers of live sources: RTSP, HTTP and USB cameras."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from detector.readers.address import SourceKind, kind_of
from detector.readers.base import Shot, SteppingReader
from detector.readers.cadence import Cadence
from detector.readers.capture import Capture
from detector.readers.clock import LiveClock, Stamp
from detector.readers.keyframes import KeyDecoder, decoder_for, holds_picture
from detector.readers.packets import Packet, PacketRing
from models.errors import SourceOpenError, SourceReadError
from models.zone import Camera, DecodeMode

GOP_SLACK_RATIO = 1.25
"""Key pictures may be so much rarer than looks are wanted before every frame is decoded."""
GOP_SLACK_S = 0.1
"""Time stamps of packets are a little uneven."""
LONGEST_LATE_S = 15.0
"""Pictures that are read later than this are of no use: a new connection gives fresh ones."""
LONGEST_KEY_GAP_S = 60.0
"""Without a key picture for so long nothing can be seen by key pictures."""

log = structlog.get_logger(__name__)


def key_pictures_suffice(gap_s: float, look_interval_s: float) -> bool:
    """Whether key pictures so far apart come often enough for one look in each interval."""
    return gap_s <= look_interval_s * GOP_SLACK_RATIO + GOP_SLACK_S


class NoKeyDecoderError(SourceOpenError):
    """The codec is none of which single key pictures can be decoded."""


class LiveReader(SteppingReader):
    """Decodes every frame, and converts those that are due."""

    def __init__(self, camera: Camera, clock: LiveClock | None = None) -> None:
        super().__init__(camera.camera_id)
        self._capture = Capture(camera.source, transport=camera.rtsp_transport)
        self._clock = clock or live_clock(camera, self._capture)
        self._cadence = Cadence(camera.look_interval_s, on_grid=True)

    @property
    def mode(self) -> DecodeMode:
        """Every frame."""
        return DecodeMode.FULL

    def advance(self) -> Shot | None:
        """Take one frame off the stream."""
        stamp = _next_stamp(self._capture, self._clock)
        if not self._cadence.is_due(stamp.stream_s):
            return None
        image = self._capture.retrieve()
        return Shot(captured_at=stamp.captured_at, stream_s=stamp.stream_s, develop=lambda: image)

    def close(self) -> None:
        """Give up the connection."""
        self._capture.close()


class LiveKeyReader(SteppingReader):
    """Takes packets off the stream and decodes key pictures, when somebody looks at them."""

    def __init__(self, camera: Camera) -> None:
        super().__init__(camera.camera_id)
        self._capture = Capture(camera.source, raw=True, transport=camera.rtsp_transport)
        decoder = decoder_for(self._capture.codec)
        if decoder is None:
            self._capture.close()
            raise NoKeyDecoderError(
                f"{self._capture.name}: codec {self._capture.codec or 'unknown'} cannot be decoded "
                "by key frames; set decode: full"
            )
        self._codec = decoder
        self._decoder = KeyDecoder(decoder, self._capture.extradata, self._capture.name)
        self.clock = live_clock(camera, self._capture)
        self._cadence = Cadence(camera.look_interval_s, on_grid=False)
        self._headers = b""
        self._ring: PacketRing | None = None
        self._latest_s = self._last_key_s = 0.0

    @property
    def mode(self) -> DecodeMode:
        """Key pictures only."""
        return DecodeMode.KEYFRAMES

    @property
    def since_key_s(self) -> float:
        """Stream time since the last key picture began."""
        return self._latest_s - self._last_key_s

    def record_into(self, ring: PacketRing) -> None:
        """Put every packet into the ring from now on."""
        ring.start(self._codec, self._capture.extradata)
        self._ring = ring

    def advance(self) -> Shot | None:
        """Take one packet off the stream."""
        stamp = _next_stamp(self._capture, self.clock)
        self._latest_s = stamp.stream_s
        if not self._capture.is_key:
            self._record(stamp, self._capture.packet, is_key=False)
            self._check_keys_come()
            return None
        packet = self._capture.packet()
        if not holds_picture(packet, self._codec):
            self._headers = packet
            return None
        self._record(stamp, lambda: self._headers + packet, is_key=True)
        self._last_key_s = stamp.stream_s
        if not self._cadence.is_due(stamp.stream_s):
            return None
        return Shot(
            captured_at=stamp.captured_at,
            stream_s=stamp.stream_s,
            develop=partial(self._decoder.decode, self._headers + packet),
        )

    def close(self) -> None:
        """Give up the connection."""
        self._capture.close()

    def _record(self, stamp: Stamp, data: Callable[[], bytes], *, is_key: bool) -> None:
        if self._ring is not None:
            self._ring.add(Packet(data=data(), captured_at=stamp.captured_at, is_key=is_key))

    def _check_keys_come(self) -> None:
        if self.since_key_s > LONGEST_KEY_GAP_S:
            raise SourceReadError(
                f"{self._capture.name}: sent no key frame for {LONGEST_KEY_GAP_S:g} s; "
                "set decode: full, or a shorter key frame interval at the camera"
            )


class AutoReader(SteppingReader):
    """Decodes key pictures as long as they come often enough, else every frame."""

    def __init__(self, camera: Camera) -> None:
        super().__init__(camera.camera_id)
        self._camera = camera
        self._inner: LiveKeyReader | LiveReader = _key_reader_or_full(camera)
        self._ring: PacketRing | None = None

    @property
    def mode(self) -> DecodeMode:
        """What it has settled for."""
        return self._inner.mode

    def record_into(self, ring: PacketRing) -> None:
        """Put packets into the ring as long as key pictures are decoded."""
        self._ring = ring
        self._inner.record_into(ring)

    def advance(self) -> Shot | None:
        """Take one step, and change over if key pictures are too rare."""
        inner = self._inner
        shot = inner.advance()
        if isinstance(inner, LiveKeyReader) and not key_pictures_suffice(
            inner.since_key_s, self._camera.look_interval_s
        ):
            log.info(
                "key frames are too rare, decoding every frame",
                camera=self._camera_id,
                look_interval_s=self._camera.look_interval_s,
                since_key_s=round(inner.since_key_s, 2),
            )
            inner.close()  # first: some cameras allow one connection
            self._inner = LiveReader(self._camera, inner.clock.for_new_connection())
            if self._ring is not None:
                self._inner.record_into(self._ring)
        return shot

    def close(self) -> None:
        """Give up the connection."""
        self._inner.close()


def _key_reader_or_full(camera: Camera) -> LiveKeyReader | LiveReader:
    try:
        return LiveKeyReader(camera)
    except NoKeyDecoderError:
        return LiveReader(camera)


def _next_stamp(capture: Capture, clock: LiveClock) -> Stamp:
    if not capture.grab():
        raise SourceReadError(f"{capture.name}: the stream broke off")
    stamp = clock.stamp(capture.position_s)
    if clock.late_s > LONGEST_LATE_S:
        raise SourceReadError(
            f"{capture.name}: pictures are read {clock.late_s:.0f} s late; the machine "
            "or the network is too slow for this stream"
        )
    return stamp


def live_clock(camera: Camera, capture: Capture) -> LiveClock:
    """A clock for this stream; MJPEG over HTTP and USB carry no time of their own."""
    kind = kind_of(camera.source)
    made_up = kind is SourceKind.USB or (
        kind is SourceKind.HTTP and decoder_for(capture.codec) == "mjpeg"
    )
    return LiveClock(uses_stream_time=not made_up)
