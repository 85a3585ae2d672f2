"""A camera on a mast: where it hangs, and where points of the world are in its picture; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Vec = tuple[float, float, float]

WIDTH_PX, HEIGHT_PX = 640, 384
SENSOR_MM = 36.0
NEAR_M = 0.2
"""What is nearer than this, or behind the camera, is not projected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Camera:
    """An upright pinhole camera; metres."""

    position: Vec
    target: Vec
    lens_mm: float

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return self.lens_mm / SENSOR_MM * WIDTH_PX

    @property
    def axes(self) -> tuple[Floats, Floats, Floats]:
        """Unit vectors to the right, up and forward."""
        forward = np.subtract(self.target, self.position)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 0.0, 1.0))
        right = right / np.linalg.norm(right)
        return right, np.cross(right, forward), forward

    def depths(self, points: Floats) -> Floats:
        """Distances (n,) of world points (n, 3) along the line of sight."""
        depths: Floats = (points - np.array(self.position)) @ self.axes[2]
        return depths

    def pixels(self, points: Floats) -> Floats:
        """World points (n, 3) to pixels (n, 2); NaN for points not in front of the camera."""
        right, up, forward = self.axes
        local = points - np.array(self.position)
        depth = local @ forward
        depth = np.where(depth > NEAR_M, depth, np.nan)
        return np.stack(
            [
                WIDTH_PX / 2 + self.focal_px * (local @ right) / depth,
                HEIGHT_PX / 2 - self.focal_px * (local @ up) / depth,
            ],
            axis=1,
        )

    def ground(self, pixel: Sequence[float]) -> tuple[float, float] | None:
        """Point of the ground, z = 0, seen at a pixel; ``None`` at or above the horizon."""
        right, up, forward = self.axes
        ray = (
            forward
            + right * ((pixel[0] - WIDTH_PX / 2) / self.focal_px)
            - up * ((pixel[1] - HEIGHT_PX / 2) / self.focal_px)
        )
        if ray[2] > -1e-3:
            return None
        reach = -self.position[2] / ray[2]
        x, y = self.position[0] + reach * ray[0], self.position[1] + reach * ray[1]
        return float(x), float(y)

    def apparent_px(self, at: Vec, size_m: float) -> float:
        """How long a thing of a size looks at a place; 0 behind the camera."""
        depth = float(self.depths(np.array([at]))[0])
        return self.focal_px * size_m / depth if depth > NEAR_M else 0.0
