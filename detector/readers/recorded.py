"""Readers of recordings: video files and folders of images.

A paced recording behaves as a camera does, in real time. An unpaced one is read as fast as somebody
takes its frames, and gives the same frames with the same times at every run.
"""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import structlog

from detector.readers.address import IMAGE_SUFFIXES, kind_of, local_path
from detector.readers.base import Shot, SteppingReader
from detector.readers.cadence import Cadence
from detector.readers.capture import Capture
from detector.readers.keyframes import KeyDecoder, decoder_for
from detector.readers.live import key_pictures_suffice
from detector.readers.packets import Packet, PacketRing
from models.errors import SourceEnded, SourceOpenError, SourceReadError
from models.seeing import Image
from models.zone import Camera, DecodeMode

FALLBACK_FPS = 25.0
"""For a recording that tells neither times nor a frame rate."""
LONGEST_SLEEP_S = 0.25
"""A paced reader comes back this often, to show that it lives."""
TRUNCATED_RATIO = 0.9
TRUNCATED_S = 1.0
"""A recording that ends earlier than announced, by this share and by this time, is cut off."""

log = structlog.get_logger(__name__)


class _Pace:
    """Holds a picture back until its time has come."""

    def __init__(self, paced: bool) -> None:
        self._paced = paced
        self._began_s = time.monotonic()

    def wait(self, stream_s: float) -> bool:
        """Wait a little; whether the time has come."""
        if not self._paced:
            return True
        early_s = self._began_s + stream_s - time.monotonic()
        time.sleep(min(max(early_s, 0.0), LONGEST_SLEEP_S))
        return early_s <= LONGEST_SLEEP_S


class FileReader(SteppingReader):
    """Reads a video file, or one that an HTTP server offers as a file."""

    def __init__(self, camera: Camera, start_at: datetime) -> None:
        super().__init__(camera.camera_id)
        self._camera, self._start_at = camera, start_at
        self._mode = file_mode(camera)
        by_keys = self._mode is DecodeMode.KEYFRAMES
        self._capture = Capture(camera.source, raw=by_keys, transport=camera.rtsp_transport)
        self._decoder = _key_decoder(self._capture) if by_keys else None
        self._cadence = Cadence(camera.look_interval_s, on_grid=not by_keys)
        self._period_s = 1 / (self._capture.fps or FALLBACK_FPS)
        self._pace = _Pace(camera.paced)
        self._grabbed = 0
        self._pass_began_s = self._pass_first_s = self._pass_latest_s = self._stream_s = 0.0
        self._held: Shot | None = None
        self._ring: PacketRing | None = None

    @property
    def mode(self) -> DecodeMode:
        """Chosen when the file was opened."""
        return self._mode

    def record_into(self, ring: PacketRing) -> None:
        """Put every packet into the ring, where only key pictures are decoded."""
        if self._decoder is None:
            super().record_into(ring)
            return
        ring.start(decoder_for(self._capture.codec) or "", self._capture.extradata)
        self._ring = ring

    def advance(self) -> Shot | None:
        """Go one frame on, or wait for the time of the frame that is due."""
        if self._held is None:
            if not self._capture.grab():
                self._end()
                return None
            self._held = self._due_shot()
        if self._held is None or not self._pace.wait(self._held.stream_s):
            return None
        shot, self._held = self._held, None
        return shot

    def close(self) -> None:
        """Close the file."""
        self._capture.close()

    def _due_shot(self) -> Shot | None:
        self._stream_s = self._time_of_grabbed()
        captured_at = self._start_at + timedelta(seconds=self._stream_s)
        if self._ring is not None:
            packet, is_key = self._capture.packet(), self._capture.is_key
            self._ring.add(Packet(data=packet, captured_at=captured_at, is_key=is_key))
        if self._decoder is not None and not self._capture.is_key:
            return None
        if not self._cadence.is_due(self._stream_s):
            return None
        if self._decoder is None:
            image = self._capture.retrieve()
            develop = partial(_same, image)
        else:
            develop = partial(self._decoder.decode, self._capture.packet())
        return Shot(
            captured_at=captured_at,
            stream_s=self._stream_s,
            develop=develop,
        )

    def _time_of_grabbed(self) -> float:
        """Stream time, over all passes; a file without times of its own goes by frame rate."""
        position_s, index = self._capture.position_s, self._grabbed
        self._grabbed += 1
        if index == 0:
            self._pass_first_s = position_s
        has_times = index == 0 or position_s != self._pass_first_s
        passed_s = position_s - self._pass_first_s if has_times else index * self._period_s
        self._pass_latest_s = max(self._pass_latest_s, passed_s)
        return self._pass_began_s + passed_s

    def _end(self) -> None:
        if self._grabbed == 0:
            raise SourceReadError(f"{self._capture.name}: holds no picture that can be decoded")
        self._check_complete()
        if not self._camera.loop:
            raise SourceEnded(f"{self._capture.name}: has come to its end")
        self._capture.close()
        self._capture = Capture(
            self._camera.source,
            raw=self._decoder is not None,
            transport=self._camera.rtsp_transport,
        )
        self._pass_began_s += max(self._pass_s, self._announced_s)
        self._grabbed, self._pass_latest_s = 0, 0.0

    @property
    def _pass_s(self) -> float:
        return self._pass_latest_s + self._period_s

    @property
    def _announced_s(self) -> float:
        return self._capture.frame_count * self._period_s

    def _check_complete(self) -> None:
        got_s, announced_s = self._pass_s, self._announced_s
        if got_s < min(TRUNCATED_RATIO * announced_s, announced_s - TRUNCATED_S):
            raise SourceReadError(
                f"{self._capture.name}: is cut off: ends after {got_s:.1f} s of {announced_s:.1f} s"
            )


class ImageFolderReader(SteppingReader):
    """Reads the images of a folder in natural order, one look interval apart."""

    def __init__(self, camera: Camera, start_at: datetime) -> None:
        super().__init__(camera.camera_id)
        self._camera, self._start_at = camera, start_at
        self._paths = image_paths(local_path(camera.source))
        self._pace = _Pace(camera.paced)
        self._next = 0
        self._unreadable: set[Path] = set()
        self._held: Shot | None = None

    @property
    def mode(self) -> DecodeMode:
        """Images have no key frames."""
        return DecodeMode.FULL

    def advance(self) -> Shot | None:
        """Load one image, or wait for its time."""
        if self._held is None:
            self._held = self._load_next()
        if self._held is None or not self._pace.wait(self._held.stream_s):
            return None
        shot, self._held = self._held, None
        return shot

    def close(self) -> None:
        """Nothing is kept open."""

    def _load_next(self) -> Shot | None:
        index, count = self._next, len(self._paths)
        if index >= count and (not self._camera.loop or len(self._unreadable) >= count):
            self._end()
        self._next += 1
        path = self._paths[index % count]
        image = load_image(path)
        if image is None:
            self._unreadable.add(path)
            log.warning("image cannot be read", camera=self._camera_id, file=path.name)
            return None
        stream_s = index * self._camera.look_interval_s
        return Shot(
            captured_at=self._start_at + timedelta(seconds=stream_s),
            stream_s=stream_s,
            develop=partial(_same, image),
        )

    def _end(self) -> None:
        if len(self._unreadable) >= len(self._paths):
            raise SourceReadError(f"{self._camera.source}: none of its images can be read")
        raise SourceEnded(f"{self._camera.source}: has come to its last image")


def image_paths(path: Path) -> tuple[Path, ...]:
    """The images of a folder (or the one image) in natural order: ``2.jpg`` before ``10.jpg``."""
    if not path.exists():
        raise SourceOpenError(f"{path}: there is no such file or folder")
    candidates = [path] if path.is_file() else list(path.iterdir())
    images = [p for p in candidates if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()]
    if not images:
        raise SourceOpenError(f"{path}: the folder holds no images")
    return tuple(sorted(images, key=_natural))


def load_image(path: Path) -> Image | None:
    """A picture, BGR, or ``None`` if it cannot be read; any name works, Chinese ones too."""
    try:
        data = np.fromfile(path, np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if image is None else np.asarray(image, np.uint8)


def file_mode(camera: Camera) -> DecodeMode:
    """How to decode a file: ``AUTO`` looks through it for its key pictures, which is cheap.

    Not over a network, where it would mean to fetch the file twice.
    """
    if camera.decode is not DecodeMode.AUTO:
        return camera.decode
    if kind_of(camera.source).is_network:
        return DecodeMode.FULL
    gap_s = longest_key_gap_s(camera.source)
    suffices = gap_s is not None and key_pictures_suffice(gap_s, camera.look_interval_s)
    return DecodeMode.KEYFRAMES if suffices else DecodeMode.FULL


def longest_key_gap_s(source: str) -> float | None:
    """Longest time between key pictures of a file; ``None`` if they cannot be decoded alone."""
    capture = Capture(source, raw=True)
    try:
        if decoder_for(capture.codec) is None:
            return None
        last_key_s, longest_s, latest_s = 0.0, 0.0, 0.0
        while capture.grab():
            latest_s = max(latest_s, capture.position_s)
            if capture.is_key:
                longest_s, last_key_s = max(longest_s, latest_s - last_key_s), latest_s
        return max(longest_s, latest_s - last_key_s) if latest_s > 0 else None
    finally:
        capture.close()


def _key_decoder(capture: Capture) -> KeyDecoder:
    decoder = decoder_for(capture.codec)
    if decoder is None:
        capture.close()
        raise SourceOpenError(
            f"{capture.name}: codec {capture.codec or 'unknown'} cannot be decoded by key frames; "
            "set decode: full"
        )
    return KeyDecoder(decoder, capture.extradata, capture.name)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p]


def _same(image: Image) -> Image:
    return image
