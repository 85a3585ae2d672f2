"""The worst failures as pictures: a contact sheet for each class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np

from detector.evidence import encode_jpeg
from detector.lettering import Colour, write
from detector.readers.recorded import load_image
from detector.redaction import redact
from detector.training.scenes import Scene, match
from models.errors import SetupError, SourceReadError
from models.geometry import Box
from models.seeing import Detection, Image

MISPLACED_IOU = 0.1
"""A false box that overlaps a missed object by this much has found it and lies badly."""
COLUMNS = 6
PER_KIND = 12
"""Of each kind of failure, the worst."""
TILE_PX = 240
CAPTION_PX = 22
HEADER_PX = 34
AROUND_RATIO = 1.0
"""Of the box is shown on every side."""
LEAST_SHOWN_PX = 120
PRIVATE_CONFIDENCE = 0.15
"""Heads of persons and plates of vehicles are made unrecognisable from here on."""
_THERE: Colour = (90, 200, 90)
_FOUND: Colour = (40, 140, 250)
_TEXT: Colour = (235, 235, 235)
_PAPER = 40


class Kind(StrEnum):
    """How a detector failed."""

    MISSED = "missed"
    FALSE = "false"
    MISPLACED = "misplaced"


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One thing that went wrong in one scene."""

    kind: Kind
    scene: Scene
    box: Box
    """What to look at."""
    badness: float
    """Missed: size as the network sees it, in pixels; otherwise confidence."""

    @property
    def caption(self) -> str:
        """What is written below it."""
        told = f"{self.badness:.0f} px" if self.kind is Kind.MISSED else f"{self.badness:.2f}"
        name = "" if self.scene.source is None else self.scene.source.stem
        return f"{told}  {name}"


def failures(scenes: Iterable[Scene], name: str, threshold: float) -> list[Failure]:
    """Everything that went wrong with a class at a threshold, the worst of each kind first."""
    found = [failure for scene in scenes for failure in _in_scene(scene, name, threshold)]
    return sorted(found, key=lambda failure: -failure.badness)


def write_gallery(
    scenes: Sequence[Scene], thresholds: Mapping[str, float], folder: Path
) -> dict[str, Path]:
    """Write ``CLASS.jpg`` for each class that fails; scenes must know their files.

    ``scenes`` with all classes: heads and plates, where found, are made unrecognisable.
    """
    written: dict[str, Path] = {}
    for name, threshold in thresholds.items():
        failed = failures(scenes, name, threshold)
        if failed:
            path = folder / f"{name}.jpg"
            _write(path, encode_jpeg(sheet(failed, name, threshold)))
            written[name] = path
    return written


def sheet(failed: Sequence[Failure], name: str, threshold: float) -> Image:
    """The contact sheet of one class."""
    title = f"{name} at {threshold:.2f}    green: what is there    orange: what was found"
    parts = [_header(title)]
    for kind in Kind:
        of_kind = [failure for failure in failed if failure.kind is kind]
        if of_kind:
            worst = _varied(of_kind)[:PER_KIND]
            parts.append(_header(f"{kind}: {len(of_kind)}; the worst of {len(worst)} pictures"))
            parts += _rows([_tile(failure, name, threshold) for failure in worst])
    return np.vstack(parts)


def _varied(failed: Sequence[Failure]) -> list[Failure]:
    """The worst of each picture: several of one picture show the same thing."""
    worst: dict[int, Failure] = {}
    for failure in failed:
        worst.setdefault(id(failure.scene), failure)
    return list(worst.values())


def _in_scene(scene: Scene, name: str, threshold: float) -> list[Failure]:
    truth = [box for label, box in scene.truth if label == name]
    pairs, free = match(_shown(scene, name, threshold), truth)
    failed = []
    for detection in (d for d, hit in pairs if hit is None):
        box, kind = detection.box, Kind.FALSE
        near = max(free, key=box.iou, default=None)
        if near is not None and box.iou(near) >= MISPLACED_IOU:
            free.remove(near)
            box, kind = box.union(near), Kind.MISPLACED
        failed.append(Failure(kind=kind, scene=scene, box=box, badness=detection.confidence))
    return failed + [
        Failure(kind=Kind.MISSED, scene=scene, box=box, badness=box.size * scene.scale)
        for box in free
    ]


def _shown(scene: Scene, name: str, threshold: float) -> list[Detection]:
    return [d for d in scene.found if d.label == name and d.confidence >= threshold]


def _tile(failure: Failure, name: str, threshold: float) -> Image:
    scene = failure.scene
    picture = None if scene.source is None else load_image(scene.source)
    if picture is None:
        raise SourceReadError(f"{scene.source} is no image that can be read")
    picture = redact(picture, (d for d in scene.found if d.confidence >= PRIVATE_CONFIDENCE))
    left, top, side = _window(failure.box, picture.shape[1], picture.shape[0])
    part = picture[top : top + side, left : left + side]
    zoom = TILE_PX / max(part.shape[:2])
    tile = np.full((TILE_PX + CAPTION_PX, TILE_PX, 3), _PAPER, dtype=np.uint8)
    size = (max(1, round(part.shape[1] * zoom)), max(1, round(part.shape[0] * zoom)))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    boxes = [(box, _THERE) for label, box in scene.truth if label == name]
    boxes += [(d.box, _FOUND) for d in _shown(scene, name, threshold)]
    for box, colour in boxes:
        corners = [round(float(v)) for v in (np.array(box.xyxy) - (left, top) * 2) * zoom]
        cv2.rectangle(small, corners[:2], corners[2:], colour, 2)
    tile[: size[1], : size[0]] = small
    write(tile, failure.caption[:34], (4, TILE_PX + CAPTION_PX - 7), 12, _TEXT)
    return tile


def _window(box: Box, width_px: int, height_px: int) -> tuple[int, int, int]:
    """Left, top and side of the square that is shown, moved into the picture."""
    shown = box.grown(AROUND_RATIO)
    side = round(min(max(shown.width, shown.height, LEAST_SHOWN_PX), max(width_px, height_px)))
    (x, y) = box.center
    left = max(0, min(round(x - side / 2), width_px - side))
    top = max(0, min(round(y - side / 2), height_px - side))
    return left, top, side


def _rows(tiles: Sequence[Image]) -> list[Image]:
    blank = np.full((TILE_PX + CAPTION_PX, TILE_PX, 3), _PAPER, dtype=np.uint8)
    filled = [*tiles, *[blank] * (-len(tiles) % COLUMNS)]
    return [np.hstack(filled[at : at + COLUMNS]) for at in range(0, len(filled), COLUMNS)]


def _header(text: str) -> Image:
    strip = np.full((HEADER_PX, COLUMNS * TILE_PX, 3), _PAPER, dtype=np.uint8)
    write(strip, text, (8, HEADER_PX - 10), 18, _TEXT)
    return strip


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error}") from error
