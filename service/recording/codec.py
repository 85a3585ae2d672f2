"""Looks as bytes: columns of differences, compressed, in pieces that can be read as they come.

A block is one compressed stream. Its pieces end at points up to which it can be decoded, so each
can be stored by itself and what a killed writer has stored is whole. Numbers of a track are kept as
differences to the same track's last ones in the block: what stands still costs almost nothing.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.seeing import Look, Track
from service.recording.grid import confidence_steps, side_steps, to_us
from zones.series import order_of

Ints = NDArray[np.int64]

_HEADER: Final = struct.Struct("<III")
_WIDTHS: Final = (np.int8, np.int16, np.int32, np.int64)
_LIMITS: Final = (1 << 7, 1 << 15, 1 << 31, 1 << 63)
_WINDOW_BITS: Final = -13
"""8 KB of history, about ten looks of a crowded street: a compressor takes 64 KB of memory."""
_LEVEL: Final = 6
LOOK_FIELDS: Final = ("at_us", "width_px", "height_px", "count")
TRACK_FIELDS: Final = (
    "track_id", "label", "confidence", "x1", "y1", "x2", "y2", "first_us", "still_us", "ago_us",
)  # fmt: skip
"""``still_us`` is 0 for what moves; ``ago_us`` is how long before the look it was last seen."""
_KEPT_FIELDS: Final = TRACK_FIELDS[1:9]
"""Fields stored as differences to the same track's."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Columns:
    """Looks of one block, one array for each field; boxes and confidences in steps."""

    looks: dict[str, Ints]
    """By the names of ``LOOK_FIELDS``, one entry for each look."""
    tracks: dict[str, Ints]
    """By the names of ``TRACK_FIELDS``, one entry for each track of each look, in order."""
    labels: tuple[str, ...]

    def steps_us(self) -> Ints:
        """Time from each look to the next one."""
        return np.diff(self.looks["at_us"])

    def cut(self, begin_us: int, end_us: int, last_us: int | None = None) -> Columns:
        """The looks from ``begin_us`` to before ``end_us``, and none after ``last_us``."""
        at_us = self.looks["at_us"]
        kept = (at_us >= begin_us) & (at_us < end_us)
        if last_us is not None:
            kept &= at_us <= last_us
        if kept.all():
            return self
        of_kept = np.repeat(kept, self.looks["count"])
        return Columns(
            looks={name: values[kept] for name, values in self.looks.items()},
            tracks={name: values[of_kept] for name, values in self.tracks.items()},
            labels=self.labels,
        )


class BlockEncoder:
    """Writes one block, piece by piece."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW_BITS)
        self._last_look = (0, 0, 0)
        self._last_tracks: dict[int, tuple[int, ...]] = {}
        self._labels: dict[str, int] = {}

    def encode(self, looks: Sequence[Look]) -> bytes:
        """The next piece; together with those before it, it can be decoded."""
        known = len(self._labels)
        rows = [self._track_row(track, to_us(look.at)) for look in looks for track in look.tracks]
        names = json.dumps(list(self._labels)[known:]).encode()
        parts = [
            _HEADER.pack(len(looks), len(rows), len(names)),
            names,
            *_columns([self._look_row(look) for look in looks], len(LOOK_FIELDS)),
            *_columns(rows, len(TRACK_FIELDS)),
        ]
        packed = self._compressor.compress(b"".join(parts))
        return packed + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def _look_row(self, look: Look) -> tuple[int, ...]:
        now = (to_us(look.at), look.width_px, look.height_px)
        last, self._last_look = self._last_look, now
        return (*(new - old for new, old in zip(now, last, strict=True)), len(look.tracks))

    def _track_row(self, track: Track, at_us: int) -> tuple[int, ...]:
        x1, y1, x2, y2 = track.box.xyxy
        still = track.stationary_since
        now = (
            self._labels.setdefault(track.label, len(self._labels)),
            confidence_steps(track.confidence),
            side_steps(x1),
            side_steps(y1),
            side_steps(x2),
            side_steps(y2),
            to_us(track.first_seen),
            0 if still is None else to_us(still),
        )
        last = self._last_tracks.get(track.track_id, (0,) * len(now))
        self._last_tracks[track.track_id] = now
        changes = (new - old for new, old in zip(now, last, strict=True))
        return (track.track_id, *changes, at_us - to_us(track.last_seen))


def decode(pieces: Iterable[bytes]) -> Columns:
    """What :class:`BlockEncoder` wrote; raises :class:`ValueError` if it is anything else."""
    decompressor = zlib.decompressobj(_WINDOW_BITS)
    labels: list[str] = []
    looks: list[list[Ints]] = [[] for _ in LOOK_FIELDS]
    tracks: list[list[Ints]] = [[] for _ in TRACK_FIELDS]
    try:
        for piece in pieces:
            raw = memoryview(decompressor.decompress(piece))
            look_count, row_count, name_bytes = _HEADER.unpack_from(raw)
            begin = _HEADER.size + name_bytes
            labels += json.loads(bytes(raw[_HEADER.size : begin]))
            begin = _read_columns(raw, begin, look_count, looks)
            _read_columns(raw, begin, row_count, tracks)
    except (zlib.error, struct.error, ValueError, IndexError, TypeError) as error:
        raise ValueError(f"damaged recording: {error}") from error
    return _summed(
        dict(zip(LOOK_FIELDS, map(_joined, looks), strict=True)),
        dict(zip(TRACK_FIELDS, map(_joined, tracks), strict=True)),
        tuple(labels),
    )


def _columns(rows: Sequence[tuple[int, ...]], count: int) -> Iterator[bytes]:
    """Each column in the narrowest form that holds its numbers, after a byte that names it."""
    table = np.array(rows, dtype=np.int64).reshape(len(rows), count)
    for column in table.T:
        least, most = (int(column.min()), int(column.max())) if len(column) else (0, 0)
        code = next(n for n, limit in enumerate(_LIMITS) if -limit <= least and most < limit)
        yield bytes((code,)) + column.astype(_WIDTHS[code]).tobytes()


def _read_columns(raw: memoryview, begin: int, count: int, into: list[list[Ints]]) -> int:
    for column in into:
        kind = np.dtype(_WIDTHS[raw[begin]])
        values = np.frombuffer(raw, dtype=kind, count=count, offset=begin + 1)
        column.append(values.astype(np.int64))
        begin += 1 + count * kind.itemsize
    return begin


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _summed(looks: dict[str, Ints], tracks: dict[str, Ints], labels: tuple[str, ...]) -> Columns:
    """Differences back to values: looks one after the other, tracks each by itself."""
    for name in LOOK_FIELDS[:3]:
        looks[name] = np.cumsum(looks[name])
    ids = tracks["track_id"]
    order = order_of(ids)
    starts = np.flatnonzero(np.diff(ids[order], prepend=-1))
    lengths = np.diff(np.append(starts, len(ids)))
    for name in _KEPT_FIELDS:
        steps = tracks[name][order]
        sums = np.cumsum(steps)
        before = (sums - steps)[starts]
        values = np.empty_like(sums)
        values[order] = sums - np.repeat(before, lengths)
        tracks[name] = values
    return Columns(looks=looks, tracks=tracks, labels=labels)
