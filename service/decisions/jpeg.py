"""Whether bytes are a JPEG picture, and how large, without decoding it."""

from __future__ import annotations

from dataclasses import dataclass

START = b"\xff\xd8\xff"
END = b"\xff\xd9"
_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start-of-frame markers of all JPEG processes (ITU-T T.81, table B.1)."""
_START_OF_SCAN = 0xDA
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length: TEM and RSTn."""
MAX_TRAILING_BYTES = 64
"""Some encoders pad after the end marker."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JpegSize:
    """Width and height as the header says."""

    width_px: int
    height_px: int


def jpeg_size(content: bytes) -> JpegSize | None:
    """Size of a complete JPEG, or None if the bytes are none or were cut off."""
    if not content.startswith(START) or END not in content[-MAX_TRAILING_BYTES:]:
        return None
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF or marker in _BARE_MARKERS:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _SIZE_MARKERS:
            return _frame_size(content[at + 5 : at + 9])
        if marker == _START_OF_SCAN:
            return None
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return None


def _frame_size(header: bytes) -> JpegSize | None:
    height, width = int.from_bytes(header[:2]), int.from_bytes(header[2:])
    if len(header) < 4 or not height or not width:
        return None
    return JpegSize(width_px=width, height_px=height)
