"""What closer looks add: at candidates before they are confirmed, and in slices of a zone.

Labelled pictures are looked at as they are, and pasted small into a street picture of 1920 x 1080,
as far as they would be from a camera on a mast. A candidate is a box that a rule would follow; it
is true if it lies on a labelled thing. A closer look should refuse the false ones and keep the true
ones. Clean pictures are frames of recordings in which there is no litter and no damage.

    python benchmarks/closer_looks.py --data runs/street-n/data/score_*.yaml --clean CLIPS
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from detector import closer
from detector.backends import Detector, load_detector, model_facts
from detector.training.evaluation_data import LabelledImage, load_evaluation_data
from models.city import ModelChoice
from models.geometry import Box
from models.labels import DAMAGE, LITTER
from models.seeing import Detection, Image

CANVAS_PX = (1920, 1080)
PASTED_PX = 544
"""Longer side of a pasted picture at scale 1."""
SAME_IOU = 0.3
CLEAN_EVERY_S = 4.0
WATCHED = (LITTER, DAMAGE)


@dataclass(kw_only=True)
class Count:
    """Candidates of one class in one setting, and what closer looks made of them."""

    pictures: int = 0
    things: int = 0
    things_seen: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """Such as ``sure true found``; ``unsure false not_found``: below the threshold."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A picture, where its labelled part lies, and the things of one class in it."""

    image: Image
    part: Box
    things: tuple[Box, ...]


def group_of(label: str) -> tuple[str, ...]:
    return next(group for group in WATCHED if label in group)


def thresholds(labels: Sequence[str], known: dict[str, float]) -> dict[str, float]:
    return {label: known.get(label, 0.25) for label in labels}


def is_same(one: Box, other: Box) -> bool:
    return one.iou(other) >= SAME_IOU or one.covered_by(other) >= 0.7


def judged(
    detector: Detector, shot: Shot, label: str, known: dict[str, float], count: Count
) -> None:
    """Candidates of a shot, each looked at closer."""
    wanted = thresholds(group_of(label), known)
    (found,) = detector.detect([shot.image])
    candidates = [d for d in found if d.label == label]
    boxes = [d.box for d in candidates if d.confidence >= wanted[label]]
    count.pictures += 1
    count.things += len(shot.things)
    count.things_seen += sum(any(is_same(box, thing) for box in boxes) for thing in shot.things)
    for candidate in candidates:
        box = candidate.box
        if box.covered_by(shot.part) < 0.5:
            continue
        sure = "sure" if candidate.confidence >= wanted[label] else "unsure"
        truth = "true" if any(is_same(box, thing) for thing in shot.things) else "false"
        again = closer.look_again(detector, shot.image, box, wanted)
        outcome = "not_closer" if again is None else "found" if again > 0 else "not_found"
        count.outcomes[f"{sure} {truth} {outcome}"] += 1


def as_it_is(picture: Image, things: Sequence[Box]) -> Shot:
    height, width = picture.shape[:2]
    return Shot(image=picture, part=Box(0, 0, width, height), things=tuple(things))


def pasted(
    picture: Image, things: Sequence[Box], ground: Image, scale: float, at: random.Random
) -> Shot:
    """The picture, shrunk, somewhere in the lower two thirds of a street."""
    scale *= min(1.0, PASTED_PX / max(picture.shape[:2]))
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    x = at.randint(0, CANVAS_PX[0] - size[0])
    y = at.randint(CANVAS_PX[1] // 3, CANVAS_PX[1] - size[1])
    image = ground.copy()
    image[y : y + size[1], x : x + size[0]] = small
    moved = [box.scaled(scale, scale) for box in things]
    return Shot(
        image=image,
        part=Box(x, y, x + size[0], y + size[1]),
        things=tuple(Box(b.x1 + x, b.y1 + y, b.x2 + x, b.y2 + y) for b in moved),
    )


def clean_frames(folder: Path, but: Sequence[str]) -> Iterator[Image]:
    for path in sorted([*folder.glob("*.mp4"), *folder.glob("*.avi")]):
        if any(word in path.name for word in but):
            continue
        video = cv2.VideoCapture(str(path))
        fps = video.get(cv2.CAP_PROP_FPS) or 25.0
        number = 0
        while video.grab():
            if number % round(fps * CLEAN_EVERY_S) == 0:
                _, frame = video.retrieve()
                yield frame
            number += 1
        video.release()


def clean(
    detector: Detector, frames: Sequence[Image], known: dict[str, float]
) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for frame in frames:
        (found,) = detector.detect([frame])
        for item in found:
            if not any(item.label in group for group in WATCHED):
                continue
            wanted = thresholds(group_of(item.label), known)
            sure = "sure" if item.confidence >= wanted[item.label] else "unsure"
            again = closer.look_again(detector, frame, item.box, wanted)
            outcome = "not_closer" if again is None else "found" if again > 0 else "not_found"
            counts.setdefault(item.label, Counter())[f"{sure} {outcome}"] += 1
    return counts


def sliced(detector: Detector, shot: Shot, most: int) -> tuple[tuple[Detection, ...], int]:
    """With the lower two thirds of the picture as a zone in slices."""
    width, height = CANVAS_PX
    zone = tuple((x * width, y * height) for x, y in ((0, 1 / 3), (1, 1 / 3), (1, 1), (0, 1)))
    parts = closer.slices(zone, width, height, detector.image_size_px, most) if most else ()
    return closer.look_closer(detector, shot.image, parts), 1 + len(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--clean", type=Path, required=True)
    parser.add_argument(
        "--but", nargs="*", default=["littering", "pets"], help="clips that are not clean"
    )
    parser.add_argument("--model", default="street-n")
    parser.add_argument("--least", type=float, default=0.1, help="confidence of candidates")
    parser.add_argument("--images", type=int, default=60, help="most pictures of a class")
    parser.add_argument("--scales", type=float, nargs="*", default=[1.0, 0.5])
    parser.add_argument("--shares", type=float, nargs="*", default=[closer.CANDIDATE_SHARE])
    parser.add_argument("--slices", type=int, nargs="*", default=[6, 12])
    parser.add_argument("--sliced", type=int, default=30)
    options = parser.parse_args()
    choice = ModelChoice(weights=options.model, min_confidence=options.least)
    detector = load_detector(choice)
    facts = model_facts(choice, detector)
    known = dict(facts.thresholds) if facts else {}
    frames = list(clean_frames(options.clean, options.but))
    grounds = [cv2.resize(frame, CANVAS_PX) for frame in frames[:: max(1, len(frames) // 12)]]
    for share in options.shares:
        closer.CANDIDATE_SHARE = share
        say(share=share, clean=clean(detector, frames, known), pictures=len(frames))
        for path in options.data:
            label, items = chosen(path, options.images)
            for scale in (None, *options.scales):
                shots = [shot_of(item, label, scale, grounds) for item in items]
                count = Count()
                for shot in shots:
                    judged(detector, shot, label, known, count)
                say(share=share, label=label, scale=scale, **vars(count))
                if scale is None or not options.sliced or share != options.shares[0]:
                    continue
                for most in (0, *options.slices):
                    say(
                        label=label,
                        scale=scale,
                        **seen_in(detector, shots[: options.sliced], label, known, most),
                    )


def say(**row: object) -> None:
    print(json.dumps(row), flush=True)


def chosen(path: Path, most: int) -> tuple[str, list[LabelledImage]]:
    """Pictures of a data YAML, as many with a thing of its class as without."""
    data = load_evaluation_data(path)
    (label,) = data.score
    images = list(data.images)
    random.Random(1).shuffle(images)
    has = {item.image: any(name == label for name, _ in item.read()[1]) for item in images}
    full = [item for item in images if has[item.image]]
    empty = [item for item in images if not has[item.image]]
    return label, full[: most // 2] + empty[: most // 2]


def shot_of(item: LabelledImage, label: str, scale: float | None, grounds: Sequence[Image]) -> Shot:
    picture, boxes = item.read()
    things = [box for name, box in boxes if name == label]
    if scale is None:
        return as_it_is(picture, things)
    at = random.Random(f"{item.image.name} {scale}")
    return pasted(picture, things, grounds[at.randrange(len(grounds))], scale, at)


def seen_in(
    detector: Detector, shots: Sequence[Shot], label: str, known: dict[str, float], most: int
) -> dict[str, object]:
    """How many things are seen with at most so many slices, and what that costs."""
    seen, things, false, looks, began = 0, 0, 0, 0, time.monotonic()
    for shot in shots:
        found, cost = sliced(detector, shot, most)
        looks += cost
        least = thresholds([label], known)[label]
        boxes = [d.box for d in found if d.label == label and d.confidence >= least]
        boxes = [box for box in boxes if box.covered_by(shot.part) >= 0.5]
        things += len(shot.things)
        seen += sum(any(is_same(box, thing) for box in boxes) for thing in shot.things)
        false += sum(not any(is_same(box, thing) for thing in shot.things) for box in boxes)
    return {
        "slices": most,
        "pictures": len(shots),
        "things": things,
        "seen": seen,
        "false": false,
        "inferences_a_look": round(looks / len(shots), 2),
        "seconds_a_look": round((time.monotonic() - began) / len(shots), 3),
    }


if __name__ == "__main__":
    main()
