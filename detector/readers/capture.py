"""``cv2.VideoCapture`` with bounded times and with errors a person understands.

What OpenCV does not say by itself, measured: a hung server blocks an open and each read for 30 s
unless told otherwise; after a read time-out ``read()`` may return True with an old frame, and the
capture stays "opened". So a read that took as long as the limit is a failure whatever it returned.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from detector.readers.address import SourceKind, kind_of, local_path
from detector.readers.diagnosis import explain
from detector.readers.ffmpeg_options import capture_options
from models.errors import SourceOpenError, SourceReadError
from models.seeing import Image
from models.urls import redact_url

OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 5.0
TIMEOUT_SHARE = 0.98
"""A read that took this share of the limit has timed out."""
DECODER_THREADS = 1
"""Many cameras share the machine: more threads for one only make it wait for others."""
UNDECODED = -1
"""Value of ``CAP_PROP_FORMAT`` that asks for packets instead of pictures."""


class Capture:
    """One open source: pictures, or packets as the camera sent them if ``raw``."""

    def __init__(self, source: str, *, raw: bool = False, transport: str = "tcp") -> None:
        self.name = redact_url(source)
        kind = kind_of(source)
        # Asked for each packet of each camera: what can be known before is.
        self._too_long_s = READ_TIMEOUT_S * TIMEOUT_SHARE if kind.is_network else float("inf")
        started_s = time.monotonic()
        self._video = _open(source, kind, raw, transport)
        if not self._video.isOpened():
            self._video.release()
            took_s = time.monotonic() - started_s
            reason = explain(source, transport, timed_out=took_s >= OPEN_TIMEOUT_S * TIMEOUT_SHARE)
            raise SourceOpenError(f"{self.name}: {reason}")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, as announced."""
        return (
            int(self._video.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(self._video.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        )

    @property
    def fps(self) -> float:
        """Frame rate as announced; 0 if it is not."""
        fps = float(self._video.get(cv2.CAP_PROP_FPS))
        return fps if 0 < fps < 1000 else 0.0

    @property
    def frame_count(self) -> int:
        """Frames in the recording as announced; 0 for what has no end."""
        count = float(self._video.get(cv2.CAP_PROP_FRAME_COUNT))
        return int(count) if 0 < count < 1e12 else 0

    @property
    def codec(self) -> str:
        """Four letters, such as ``h264``; empty if unknown."""
        number = int(self._video.get(cv2.CAP_PROP_FOURCC))
        if number <= 0:
            return ""
        return number.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ").lower()

    @property
    def extradata(self) -> bytes:
        """The codec's parameter sets as the session announced them; empty if it did not."""
        index = self._video.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX)
        if index < 0:
            return b""
        done, data = self._video.retrieve(flag=int(index))
        return data.tobytes() if done and data is not None else b""

    @property
    def position_s(self) -> float:
        """Time of the grabbed picture or packet in the stream; stays 0 where it has none."""
        return float(self._video.get(cv2.CAP_PROP_POS_MSEC)) / 1000

    @property
    def is_key(self) -> bool:
        """Whether the grabbed packet is said to be a key picture (``raw`` only)."""
        return bool(self._video.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME))

    def grab(self) -> bool:
        """Go to the next picture or packet; False at the end. Raises if it takes too long."""
        started_s = time.monotonic()
        try:
            done = bool(self._video.grab())
        except cv2.error as error:
            raise SourceReadError(f"{self.name}: could not be read ({error.err})") from error
        if time.monotonic() - started_s > self._too_long_s:
            raise SourceReadError(f"{self.name}: sent nothing for {READ_TIMEOUT_S:g} s")
        return done

    def retrieve(self) -> Image:
        """The grabbed picture, BGR."""
        try:
            done, image = self._video.retrieve()
        except cv2.error as error:
            raise SourceReadError(f"{self.name}: could not be decoded ({error.err})") from error
        if not done or image is None or image.size == 0:
            raise SourceReadError(f"{self.name}: gave a picture that cannot be decoded")
        return _as_bgr(image)

    def packet(self) -> bytes:
        """The grabbed packet (``raw`` only)."""
        done, data = self._video.retrieve()
        return data.tobytes() if done and data is not None else b""

    def close(self) -> None:
        """Give up the connection or file."""
        self._video.release()


def _open(source: str, kind: SourceKind, raw: bool, transport: str) -> Any:
    if kind is SourceKind.USB:
        return cv2.VideoCapture(int(source), cv2.CAP_ANY)
    address = str(local_path(source)) if kind is SourceKind.FILE else source
    with capture_options(transport):
        return cv2.VideoCapture(address, cv2.CAP_FFMPEG, _parameters(raw))


def _parameters(raw: bool) -> Sequence[int]:
    parameters = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        int(OPEN_TIMEOUT_S * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        int(READ_TIMEOUT_S * 1000),
    ]
    if raw:
        return [*parameters, cv2.CAP_PROP_FORMAT, UNDECODED]
    return [*parameters, cv2.CAP_PROP_N_THREADS, DECODER_THREADS]


def _as_bgr(image: Any) -> Image:
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    if image.shape[2] == 4:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2BGR), np.uint8)
    return np.asarray(image, np.uint8)
