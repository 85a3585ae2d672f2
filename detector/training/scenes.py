"""What a detector found in labelled pictures: found once, kept, and scored in many ways."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from detector.backends.letterbox import fit
from detector.backends.protocol import Detector
from detector.training.evaluation_data import EvaluationData, LabelledImage
from models.geometry import Box
from models.seeing import Detection

MATCH_IOU = 0.5
"""Overlap from which a detection counts as a labelled object (the 50 of mAP50)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What was found in one picture and what is there."""

    found: tuple[Detection, ...]
    truth: tuple[tuple[str, Box], ...]
    scale: float = 1.0
    """Pixels of what the network sees for each pixel of the picture."""
    source: Path | None = None
    """File of the picture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How long one picture took, from pixels to boxes."""

    wall_ms: float
    process_cpu_ms: float
    """Of all threads together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """A whole data set after a detector has seen it."""

    scenes: tuple[Scene, ...]
    timings: tuple[Timing, ...]
    """Without the first picture of each shape, for which the network may be compiled."""


def look_at(detector: Detector, images: Iterable[LabelledImage]) -> Looked:
    """Show each picture once; every kind of score is computed from what this returns.

    The detector must answer down to a low confidence, or average precision is cut off.
    """
    scenes: list[Scene] = []
    timings: list[Timing] = []
    shapes = set[tuple[int, int]]()
    for item in images:
        image, truth = item.read()
        letterbox = fit(image, detector.image_size_px)
        began_s, cpu_began_s = time.perf_counter(), time.process_time()
        (found,) = detector.detect([image])
        timing = Timing(
            wall_ms=1000 * (time.perf_counter() - began_s),
            process_cpu_ms=1000 * (time.process_time() - cpu_began_s),
        )
        shape = (letterbox.input_width_px, letterbox.input_height_px)
        if shape in shapes:
            timings.append(timing)
        shapes.add(shape)
        scale = letterbox.inner_width_px / letterbox.width_px
        scenes.append(Scene(found=found, truth=truth, scale=scale, source=item.image))
    return Looked(scenes=tuple(scenes), timings=tuple(timings))


def scored_names(data: EvaluationData, labels: Sequence[str]) -> tuple[str, ...]:
    """Classes to score: what the YAML says, otherwise those that both sides know by name."""
    return data.score or tuple(name for name in data.names if name in labels)


def limited(scenes: Iterable[Scene], names: Sequence[str]) -> list[Scene]:
    """The same scenes with these classes only."""
    return [
        replace(
            scene,
            found=tuple(d for d in scene.found if d.label in names),
            truth=tuple((label, box) for label, box in scene.truth if label in names),
        )
        for scene in scenes
    ]


def match(
    found: Iterable[Detection], truth: Iterable[Box]
) -> tuple[list[tuple[Detection, Box | None]], list[Box]]:
    """Each detection with the object that it hit, the most confident first; objects left over.

    The most confident takes the object that it overlaps most; each object is taken once. This is
    how COCO matches.
    """
    free = list(truth)
    pairs: list[tuple[Detection, Box | None]] = []
    for detection in sorted(found, key=lambda d: -d.confidence):
        best = max(free, key=detection.box.iou, default=None)
        if best is not None and detection.box.iou(best) < MATCH_IOU:
            best = None
        if best is not None:
            free.remove(best)
        pairs.append((detection, best))
    return pairs, free
