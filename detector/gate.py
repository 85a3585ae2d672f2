"""Whether anything in a picture has changed since it was last looked at closely.

A fixed camera mostly shows what it showed a second ago; then the detector would only say again what
it said. The whole picture is compared, not the zones alone: a person who walks through the picture
must be found, to be hidden in whatever leaves the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import cv2
import numpy as np
import numpy.typing as npt

from models.seeing import Frame, Image

Luma = npt.NDArray[np.float32]
"""[row, column], grey levels 0 to 255."""

GRID_PX = 320
"""Longer side of the picture that is compared, at most."""
SAFE_GAIN = (0.8, 1.25)
"""Brightness of the whole picture may change by so much, by clouds or exposure; beyond, look."""
NOISE_FACTOR = 6.0
LEAST_STEP, MOST_STEP = 8.0, 24.0
"""Grey levels that count as a change: six times the noise as it is, within these limits. A picture
noisier than that always counts as changed."""
CELL_PX = 4
CHANGED_RATIO = 0.4
"""A cell of 4 x 4 points has changed if so many of its points have: something of a cell's size, in
a picture of 1920 points about 24."""
MAD_TO_SIGMA = 1.4826
SAMPLED_EACH = 4
"""Medians are taken of each fourth point across and down: three thousand tell as much as all, and
to sort all took longer than everything else that is done here."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Reference:
    """The picture that was looked at last."""

    luma: Luma
    at: datetime


class StillnessGate:
    """Compares each frame with the last one that was looked at; open means: look."""

    def __init__(self, longest_s: float) -> None:
        """``longest_s``: even a still picture is looked at again after so long; 0: always look."""
        self._longest = timedelta(seconds=longest_s)
        self._reference: _Reference | None = None

    def is_open(self, frame: Frame) -> bool:
        """Whether to look at the frame; if so, it is what later ones are compared with."""
        if not self._longest:
            return True
        luma = small_luma(frame.image)
        before = self._reference
        if before is not None and not self._is_stale(before, frame) and is_still(before.luma, luma):
            return False
        self._reference = _Reference(luma=luma, at=frame.captured_at)
        return True

    def forget(self) -> None:
        """Look at the next frame in any case: this one could not be looked at."""
        self._reference = None

    def _is_stale(self, before: _Reference, frame: Frame) -> bool:
        age = frame.captured_at - before.at
        return not timedelta(0) <= age < self._longest


def small_luma(image: Image) -> Luma:
    """Every n-th point of the green channel, which carries most of the luma, a little smoothed."""
    step = max(1, -(-max(image.shape[:2]) // GRID_PX))
    points = np.ascontiguousarray(image[step // 2 :: step, step // 2 :: step, 1])
    return np.asarray(cv2.blur(points, (3, 3)), np.float32)


def is_still(before: Luma, after: Luma) -> bool:
    """Whether two small pictures show the same, but for noise and brightness of the whole.

    More light where a picture is overexposed already counts as a change; that costs one look.
    """
    if before.shape != after.shape:
        return False
    gain = (_median(after) + 1.0) / (_median(before) + 1.0)
    if not SAFE_GAIN[0] <= gain <= SAFE_GAIN[1]:
        return False
    change = np.abs(after - before * np.float32(gain))
    noise = MAD_TO_SIGMA * _median(change)
    step = min(max(NOISE_FACTOR * noise, LEAST_STEP), MOST_STEP)
    changed = (change > step).astype(np.float32)
    return float(cv2.blur(changed, (CELL_PX, CELL_PX)).max()) < CHANGED_RATIO


def _median(luma: Luma) -> float:
    return float(np.median(luma[::SAMPLED_EACH, ::SAMPLED_EACH]))
