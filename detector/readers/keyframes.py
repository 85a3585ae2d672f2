"""Decodes single key pictures from the packets that OpenCV receives."""

from __future__ import annotations

import threading
from typing import Any

import av
import numpy as np

from models.errors import SourceReadError
from models.seeing import Image

DECODERS = {
    "h264": "h264",
    "avc1": "h264",
    "x264": "h264",
    "hevc": "hevc",
    "h265": "hevc",
    "hev1": "hevc",
    "hvc1": "hevc",
    "mjpg": "mjpeg",
    "mjpeg": "mjpeg",
    "jpeg": "mjpeg",
}
"""OpenCV's name of a codec → PyAV's; others are decoded frame by frame."""

START_CODE = b"\0\0\1"
H264_SLICES = range(1, 6)
"""NAL unit types that hold picture data (ITU-T H.264, table 7-1)."""
HEVC_SLICES = range(32)
"""The same (ITU-T H.265, table 7-1)."""
LARGEST_HEADERS_BYTES = 4096
"""What comes before the picture data in a packet is far smaller."""


def decoder_for(codec: str) -> str | None:
    """PyAV's decoder for OpenCV's four letters, or ``None``."""
    return DECODERS.get(codec.lower())


def holds_picture(packet: bytes, decoder: str) -> bool:
    """Whether a key packet holds picture data; some servers send parameter sets on their own."""
    if decoder == "mjpeg" or len(packet) > LARGEST_HEADERS_BYTES:
        return bool(packet)
    at = packet.find(START_CODE)
    while 0 <= at < len(packet) - 3:
        header = packet[at + 3]
        if decoder == "h264" and header & 0x1F in H264_SLICES:
            return True
        if decoder == "hevc" and header >> 1 & 0x3F in HEVC_SLICES:
            return True
        at = packet.find(START_CODE, at + 3)
    return False


class KeyDecoder:
    """Turns key packets into pictures; each stands alone, so any may be left out."""

    def __init__(self, decoder: str, extradata: bytes, name: str) -> None:
        self._decoder, self._name = decoder, name
        # OpenCV turns packets of MP4 files into the form with start codes, with the parameter sets
        # in them, but leaves the extradata in MP4's own form, which then misleads the decoder
        self._extradata = extradata if START_CODE in extradata[: len(START_CODE) + 1] else b""
        self._lock = threading.Lock()
        self._context = self._create()

    def decode(self, packet: bytes) -> Image:
        """The picture, BGR; raises :class:`SourceReadError`."""
        with self._lock:
            try:
                pictures = self._pictures(packet)
                if pictures:
                    return _bgr(pictures[-1])
            except (av.error.FFmpegError, ValueError) as error:
                self._context = self._create()
                raise SourceReadError(f"{self._name}: a key picture is damaged") from error
        raise SourceReadError(f"{self._name}: a key packet held no picture")

    def _pictures(self, packet: bytes) -> list[Any]:
        pictures: list[Any] = self._context.decode(av.Packet(packet))
        pictures += self._context.decode(None)  # pictures held back for reordering
        self._context.flush_buffers()
        return pictures

    def _create(self) -> Any:
        context = av.CodecContext.create(self._decoder, "r")
        context.thread_count = 1
        if self._extradata:
            context.extradata = self._extradata
        return context


def _bgr(picture: Any) -> Image:
    # Left to itself, the conversion starts and ends threads for each single picture.
    return np.asarray(picture.to_ndarray(format="bgr24", threads=1), np.uint8)
