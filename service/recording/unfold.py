"""Decoded columns as looks, quickly: a day of a camera is 86,400 of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.seeing import Look
from service.recording.codec import Columns
from service.recording.grid import CONFIDENCE_STEPS, STEPS_A_PX
from zones.series import Ints, LookSeries

Mask = NDArray[np.bool_]

SIDES = ("x1", "y1", "x2", "y2")
_AS_THEY_ARE = ("track_id", "label", "first_us", "still_us", "ago_us")


def looks_of(camera_id: str, columns: Columns, keep: Mask | None = None) -> Iterator[Look]:
    """The looks of a block; ``keep`` says which of its tracks (all, if left out)."""
    for series in series_of(camera_id, columns, keep):
        yield from (series.look(index) for index in range(len(series)))


def series_of(camera_id: str, columns: Columns, keep: Mask | None = None) -> list[LookSeries]:
    """The looks of a block, those of one picture size after the other as they come."""
    sizes = np.stack([columns.looks["width_px"], columns.looks["height_px"]], axis=1)
    changes = np.flatnonzero((np.diff(sizes, axis=0) != 0).any(axis=1)) + 1
    bounds = [0, *changes.tolist(), len(sizes)]
    kept = columns.tracks if keep is None else _kept(columns.tracks, keep)
    ends = _ends(columns, keep)
    confidence, boxes = kept["confidence"] / CONFIDENCE_STEPS, boxes_of(kept)
    found = []
    for begin, end in pairwise(bounds):
        rows = slice(int(ends[begin]), int(ends[end]))
        series = LookSeries(
            camera_id=camera_id,
            width_px=int(sizes[begin, 0]) if end > begin else 0,
            height_px=int(sizes[begin, 1]) if end > begin else 0,
            labels=columns.labels,
            at_us=columns.looks["at_us"][begin:end],
            begins=ends[begin : end + 1] - ends[begin],
            confidence=confidence[rows],
            boxes=boxes[rows],
            **{name: kept[name][rows] for name in _AS_THEY_ARE},
        )
        found.append(series)
    return found


def boxes_px(columns: Columns) -> NDArray[np.float64]:
    """Boxes of all tracks, shape (tracks, 4)."""
    return boxes_of(columns.tracks)


def boxes_of(tracks: Mapping[str, Ints]) -> NDArray[np.float64]:
    """Boxes of rows, in pixels, shape (rows, 4)."""
    boxes: NDArray[np.float64] = np.stack([tracks[name] for name in SIDES], axis=1) / STEPS_A_PX
    return boxes


def _kept(tracks: Mapping[str, Ints], keep: Mask) -> dict[str, Ints]:
    return {name: values[keep] for name, values in tracks.items()}


def _ends(columns: Columns, keep: Mask | None) -> Ints:
    """Where the rows of each look begin, and at the end their number."""
    ends = np.concatenate(([0], np.cumsum(columns.looks["count"])))
    if keep is None:
        return ends
    kept: Ints = np.concatenate(([0], np.cumsum(keep)))
    return kept[ends]
