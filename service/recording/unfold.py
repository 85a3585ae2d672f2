"""Decoded columns as looks, quickly: a day of a camera is 86,400 of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from models.geometry import Box
from models.seeing import Look, Track
from service.recording.codec import Columns
from service.recording.grid import CONFIDENCE_STEPS, STEPS_A_PX, from_us, to_us

Mask = NDArray[np.bool_]

_TIMES_KEPT = 4096


def looks_of(camera_id: str, columns: Columns, keep: Mask | None = None) -> Iterator[Look]:
    """The looks of a block; ``keep`` says which of its tracks (all, if left out)."""
    rows = _rows(columns, keep)
    at_us, width, height, _ = (column.tolist() for column in columns.looks.values())
    ends = accumulate(_counts(columns, keep), initial=0)
    for now_us, width_px, height_px, (begin, end) in zip(
        at_us, width, height, pairwise(ends), strict=True
    ):
        at = from_us(now_us)
        yield Look(
            camera_id=camera_id,
            at=at,
            width_px=width_px,
            height_px=height_px,
            tracks=tuple([_track(row, at) for row in rows[begin:end]]),
        )


def boxes_px(columns: Columns) -> NDArray[np.float64]:
    """Boxes of all tracks, shape (tracks, 4)."""
    sides = [columns.tracks[name] for name in ("x1", "y1", "x2", "y2")]
    boxes: NDArray[np.float64] = np.stack(sides, axis=1) / STEPS_A_PX
    return boxes


_Row = tuple[int, str, float, list[float], int, int, int]


def _rows(columns: Columns, keep: Mask | None) -> list[_Row]:
    held = {
        name: (values if keep is None else values[keep]) for name, values in columns.tracks.items()
    }
    boxes = boxes_px(columns)
    return list(
        zip(
            held["track_id"].tolist(),
            [columns.labels[code] for code in held["label"].tolist()],
            (held["confidence"] / CONFIDENCE_STEPS).tolist(),
            (boxes if keep is None else boxes[keep]).tolist(),
            held["first_us"].tolist(),
            held["still_us"].tolist(),
            held["ago_us"].tolist(),
            strict=True,
        )
    )


def _counts(columns: Columns, keep: Mask | None) -> list[int]:
    counts = columns.looks["count"]
    if keep is not None:
        kept = np.concatenate(([0], np.cumsum(keep)))
        counts = np.diff(kept[np.cumsum(counts)], prepend=0)
    numbers: list[int] = counts.tolist()
    return numbers


def _track(row: _Row, at: datetime) -> Track:
    track_id, label, confidence, sides, first_us, still_us, ago_us = row
    return Track(
        track_id=track_id,
        label=label,
        confidence=confidence,
        box=Box(*sides),
        first_seen=_time(first_us),
        last_seen=_time(to_us(at) - ago_us) if ago_us else at,
        stationary_since=_time(still_us) if still_us else None,
    )


@lru_cache(maxsize=_TIMES_KEPT)
def _time(at_us: int) -> datetime:
    # Times when tracks came and stopped are the same at look after look.
    return from_us(at_us)
