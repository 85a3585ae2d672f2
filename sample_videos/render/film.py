"""One clip: plates, the moving parts of each frame, the file, and the boxes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from sample_videos.render.blender.stage import Shown, Stage
from sample_videos.render.crops import Box, Picture, composed, groups, padded, softened, with_noise
from sample_videos.render.encode import encode
from sample_videos.render.spec import SceneSpec
from sample_videos.render.truth import Boxes

_MARGIN_PX = 8


class Film:
    """Renders into a work folder that keeps every part, so that it goes on where it stopped."""

    def __init__(self, spec: SceneSpec, work: Path, *, threads: int, draft: bool = False) -> None:
        self.spec = replace(spec, plate_samples=16, crop_samples=10) if draft else spec
        self.work = work / spec.clip / ("draft" if draft else "final")
        self.work.mkdir(parents=True, exist_ok=True)
        self.stage = Stage(self.spec, threads=threads)
        self.boxes: Boxes = {}

    def still(self, t_s: float) -> Picture:
        """Return the picture at one time."""
        return self._frame(t_s)

    def render(self) -> None:
        """Render all frames; what lies in the work folder is not rendered again."""
        for number in range(self.spec.frames):
            picture = self._frame(number / self.spec.fps, number)
            Image.fromarray(picture).save(self.work / f"frame-{number:04d}.png", compress_level=1)

    def encode(self, path: Path) -> int:
        """Write the clip; return the rate factor used."""
        draft = path.with_suffix(".encoding")
        crf = encode(draft, self._noisy, fps=self.spec.fps, crf=self.spec.crf)
        draft.replace(path)
        return crf

    def _noisy(self) -> Iterator[Picture]:
        for number in range(self.spec.frames):
            picture = np.asarray(Image.open(self.work / f"frame-{number:04d}.png").convert("RGB"))
            yield with_noise(
                softened(picture), self.spec.noise_sigma, self.spec.street.seed * 10_000 + number
            )

    def _frame(self, t_s: float, number: int | None = None) -> Picture:
        holes = self.stage.potholes(t_s)
        shown = self.stage.pose(t_s)
        if number is not None:
            for name, box in [*holes.items(), *((one.name, one.box) for one in shown)]:
                self.boxes.setdefault(name, {})[number] = box
        plate = ("plate", t_s, (), self._whole, holes, self.spec.plate_samples)
        picture = self._part(*plate)
        for members, box in groups([(one.name, self._reach(one)) for one in shown]):
            looks = tuple(sorted((one.name, one.look) for one in shown if one.name in members))
            crop = self._part("crop", t_s, looks, box, holes, self.spec.crop_samples)
            picture = composed(picture, crop, box)
        return picture

    @property
    def _whole(self) -> Box:
        return 0, 0, self.spec.width_px, self.spec.height_px

    def _reach(self, one: Shown) -> Box:
        return padded(one.reach, _MARGIN_PX, self.spec.width_px, self.spec.height_px)

    def _part(
        self,
        kind: str,
        t_s: float,
        looks: tuple[tuple[str, object], ...],
        box: Box,
        holes: dict[str, Box],
        samples: int,
    ) -> Picture:
        spec = self.spec
        camera = spec.camera.at(t_s)
        fixed = (camera, spec.light, spec.street, spec.potholes, sorted(holes), samples)
        bodies = [
            (a.kind, a.colour, a.size_m, a.seed) for a in spec.actors if a.name in dict(looks)
        ]
        text = repr((fixed, box, [look for _, look in looks], bodies))
        key = hashlib.sha256(text.encode()).hexdigest()[:20]
        path = self.work / f"{kind}-{key}.png"
        if not path.exists():
            self.stage.render(path, box, {name for name, _ in looks}, samples)
        return np.asarray(Image.open(path).convert("RGB"))
