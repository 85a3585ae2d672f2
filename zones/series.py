"""Many looks at once, in columns: what is recorded is judged without making each look an object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.geometry import Box
from models.seeing import Look, Track
from models.times import from_us

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_TIMES_KEPT = 4096


def order_of(track_ids: Ints) -> Ints:
    """What sorts rows by their tracks, and leaves those of a track as they are."""
    ids = track_ids - track_ids.min(initial=0)
    fits = ids.max(initial=0) < np.iinfo(np.uint16).max
    order: Ints = np.argsort(ids.astype(np.uint16) if fits else ids, kind="stable")
    return order


def anchors(boxes: Floats) -> Floats:
    """Bottom centres of boxes, shape (n, 2), as :attr:`models.geometry.Box.anchor`."""
    points: Floats = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
    return points


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LookSeries:
    """Looks of one camera in pictures of one size, in order; one array for each field.

    A row is one track of one look; those of a look lie together.
    """

    camera_id: str
    width_px: int
    height_px: int
    labels: tuple[str, ...]
    at_us: Ints
    """Capture times in microseconds, one for each look."""
    begins: Ints
    """First row of each look, and at the end the number of rows."""
    track_id: Ints
    label: Ints
    """Index in ``labels``."""
    confidence: Floats
    boxes: Floats
    """Pixels, shape (rows, 4)."""
    first_us: Ints
    still_us: Ints
    """0 for what moves."""
    ago_us: Ints
    """How long before the look the track was last seen."""

    def __len__(self) -> int:
        return len(self.at_us)

    def at(self, index: int) -> datetime:
        """Capture time of a look."""
        return from_us(int(self.at_us[index]))

    def at_row(self, row: int) -> datetime:
        """Capture time of the look that a row belongs to."""
        return self.at(int(np.searchsorted(self.begins, row, side="right")) - 1)

    def look(self, index: int) -> Look:
        """One of the looks."""
        begin, end = int(self.begins[index]), int(self.begins[index + 1])
        return Look(
            camera_id=self.camera_id,
            at=self.at(index),
            width_px=self.width_px,
            height_px=self.height_px,
            tracks=self._tracks(begin, end, int(self.at_us[index])),
        )

    def ids_between(self, begin: int, end: int) -> list[int]:
        """Tracks of some looks, by the last look of each, and of one look by their numbers."""
        rows = slice(int(self.begins[begin]), int(self.begins[end]))
        looks = np.repeat(np.arange(begin, end), np.diff(self.begins[begin : end + 1]))
        ids = self.track_id[rows]
        latest_first = ids[np.lexsort((ids, looks))[::-1]]
        return list(dict.fromkeys(latest_first.tolist()))[::-1]

    def box(self, row: int) -> Box:
        """Box of a row."""
        return Box(*self.boxes[row].tolist())

    def _tracks(self, begin: int, end: int, at_us: int) -> tuple[Track, ...]:
        rows = slice(begin, end)
        return tuple(
            [
                Track(
                    track_id=track_id,
                    label=self.labels[label],
                    confidence=confidence,
                    box=Box(*box),
                    first_seen=_time(first_us),
                    last_seen=_time(at_us - ago_us),
                    stationary_since=_time(still_us) if still_us else None,
                )
                for track_id, label, confidence, box, first_us, still_us, ago_us in zip(
                    self.track_id[rows].tolist(),
                    self.label[rows].tolist(),
                    self.confidence[rows].tolist(),
                    self.boxes[rows].tolist(),
                    self.first_us[rows].tolist(),
                    self.still_us[rows].tolist(),
                    self.ago_us[rows].tolist(),
                    strict=True,
                )
            ]
        )


@lru_cache(maxsize=_TIMES_KEPT)
def _time(at_us: int) -> datetime:
    # Times when tracks came and stopped are the same at look after look.
    return from_us(at_us)
