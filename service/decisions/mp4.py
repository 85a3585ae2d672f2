"""Whether bytes are a whole MP4 film that plays while it loads, and how large its picture is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_HEADER_BYTES = 8
_LONG_HEADER_BYTES = 16
_FIXED_POINT = 1 << 16
"""Sides in a track header are 16.16 fixed point (ISO/IEC 14496-12, 8.3.2)."""
_TRACK_SIDES_BYTES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class FilmSize:
    """Width and height of the picture as the track header says."""

    width_px: int
    height_px: int


def film_size(content: bytes) -> FilmSize | None:
    """Size of a complete MP4 with its index before its pictures, or None if the bytes are none."""
    boxes = _boxes(content)
    if boxes is None:
        return None
    kinds = [kind for kind, _ in boxes]
    if kinds[:1] != [b"ftyp"] or b"moov" not in kinds or b"mdat" not in kinds:
        return None
    if kinds.index(b"moov") > kinds.index(b"mdat"):
        return None
    sides = list(_track_sides(dict(boxes)[b"moov"]))
    width, height = max(sides, default=(0, 0))
    return FilmSize(width_px=width, height_px=height) if width and height else None


def _track_sides(moov: bytes) -> Iterator[tuple[int, int]]:
    for kind, track in _boxes(moov) or []:
        if kind != b"trak":
            continue
        for inner, header in _boxes(track) or []:
            if inner == b"tkhd" and len(header) >= _TRACK_SIDES_BYTES:
                sides = header[-_TRACK_SIDES_BYTES:]
                width, height = int.from_bytes(sides[:4]), int.from_bytes(sides[4:])
                yield width // _FIXED_POINT, height // _FIXED_POINT


def _boxes(content: bytes) -> list[tuple[bytes, bytes]] | None:
    """Kind and payload of the boxes that fill the bytes exactly; None if they do not."""
    found = []
    at = 0
    while at < len(content):
        size, header = int.from_bytes(content[at : at + 4]), _HEADER_BYTES
        if size == 1:
            size, header = int.from_bytes(content[at + 8 : at + 16]), _LONG_HEADER_BYTES
        if size < header or at + size > len(content):
            return None
        found.append((content[at + 4 : at + 8], content[at + header : at + size]))
        at += size
    return found
