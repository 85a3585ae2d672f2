"""Where points of the world are in the picture; pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sample_videos.render.shapes import Floats
from sample_videos.render.spec import CameraSpec, Point, SceneSpec

SENSOR_MM = 36.0
_NEAR_M = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Projection:
    """A pinhole camera that is held upright."""

    camera: CameraSpec
    width_px: int
    height_px: int

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return self.camera.lens_mm / SENSOR_MM * self.width_px

    def pixels(self, points: Floats) -> Floats:
        """World points (n, 3) to pixels (m, 2); points behind the camera are left out."""
        forward = np.subtract(self.camera.target, self.camera.position)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 0.0, 1.0))
        right = right / np.linalg.norm(right)
        local = points - np.array(self.camera.position)
        depth = local @ forward
        local, depth = local[depth > _NEAR_M], depth[depth > _NEAR_M]
        return np.stack(
            [
                self.width_px / 2 + self.focal_px * (local @ right) / depth,
                self.height_px / 2 - self.focal_px * (local @ np.cross(right, forward)) / depth,
            ],
            axis=1,
        )


def projection_of(spec: SceneSpec, t_s: float = 0.0) -> Projection:
    """Return the camera of a scene as it looks at a time."""
    return Projection(camera=spec.camera.at(t_s), width_px=spec.width_px, height_px=spec.height_px)


def ground_polygon(spec: SceneSpec, corners_m: Sequence[Point]) -> list[list[int]]:
    """Return a polygon on the ground in pixels, cut to the picture."""
    points = np.array([(x, y, 0.0) for x, y in corners_m])
    cut = [(float(x), float(y)) for x, y in projection_of(spec).pixels(points)]
    right, bottom = spec.width_px - 1.0, spec.height_px - 1.0
    for axis, sign, limit in ((0, 1, 0.0), (0, -1, -right), (1, 1, 0.0), (1, -1, -bottom)):
        cut = _kept(cut, lambda p, a=axis, s=sign, m=limit: s * p[a] - m)  # type: ignore[misc]
    return [[round(x), round(y)] for x, y in cut]


def _kept(polygon: list[Point], inside: Callable[[Point], float]) -> list[Point]:
    """Cut a polygon at a line (Sutherland and Hodgman): what is not negative is kept."""
    kept: list[Point] = []
    for here, there in zip(polygon, [*polygon[1:], *polygon[:1]], strict=True):
        a, b = inside(here), inside(there)
        if a >= 0:
            kept.append(here)
        if (a >= 0) != (b >= 0) and not math.isclose(a, b):
            part = a / (a - b)
            kept.append(
                (here[0] + part * (there[0] - here[0]), here[1] + part * (there[1] - here[1]))
            )
    return kept
