"""What rain and the camera do to a rendered picture; pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.training.synth.weather import Weather

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]

_STREAKS = 900
"""At the densest rain."""
_HAZE_RATIO = 0.22
_KERNEL_SIGMAS = 3


def finished(picture: Picture, weather: Weather, seed: int) -> Picture:
    """Add rain, the lens's blur and the sensor's noise to a picture (h, w, 3)."""
    rng = np.random.default_rng(seed)
    seen: Floats = picture.astype(np.float64)
    if weather.rain_ratio > 0:
        seen = _rained(seen, weather.rain_ratio, rng)
    seen = _blurred(seen, weather.blur_px)
    luma = rng.normal(0.0, weather.noise_sigma, seen.shape[:2])[..., None]
    chroma = rng.normal(0.0, weather.noise_sigma * 0.5, seen.shape)
    return np.clip(np.rint(seen + luma + chroma), 0, 255).astype(np.uint8)


def _rained(seen: Floats, ratio: float, rng: np.random.Generator) -> Floats:
    """Haze that grows towards the top, and slanting streaks."""
    height, width = seen.shape[:2]
    haze = _HAZE_RATIO * ratio * np.linspace(1.5, 0.4, height)[:, None, None]
    grey = seen.mean() * 0.6 + 70.0
    seen = seen * (1 - haze) + grey * haze
    slant = rng.uniform(-0.35, 0.35)
    bright = np.zeros((height, width))
    for _ in range(int(_STREAKS * ratio)):
        x, y, long = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(6, 28)
        steps = np.arange(int(long))
        rows = (y + steps).astype(int) % height
        columns = (x + slant * steps).astype(int) % width
        bright[rows, columns] += rng.uniform(6, 30)
    return seen + bright[..., None]


def _blurred(seen: Floats, sigma_px: float) -> Floats:
    reach = max(1, int(np.ceil(_KERNEL_SIGMAS * sigma_px)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma_px, 1e-6)) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        pad = [(reach, reach) if a == axis else (0, 0) for a in range(3)]
        wide = np.pad(seen, pad, mode="edge")
        size = seen.shape[axis]
        seen = sum(
            (w * np.take(wide, np.arange(k, k + size), axis=axis) for k, w in enumerate(kernel)),
            np.zeros_like(seen),
        )
    return seen
