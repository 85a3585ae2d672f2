"""How many new things the background of a zone tells, and how many where nothing is new.

Things cut out of labelled pictures are laid on the ground of recordings: as they are, and as bright
as the ground beneath them, so that only colour and surface differ from it.
Nothing knows persons or vehicles here (a detector would), so clips should have quiet ground.

    python -m benchmarks.unknown_objects --clips ../shared/clips --things DATASET… --json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from detector.background.watch import BackgroundWatch
from models.geometry import Box, Points
from models.intervals import wilson
from models.seeing import Image
from models.zone import Camera, LitterRule, Zone

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE_S, AFTER_S = 40, 25
FOUND_IOU = 0.3
SIDES_PX = (40, 64, 100)
WHOLE: Points = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
RULE = LitterRule(rule_id="unknown", labels=frozenset({"unknown_object"}), dwell_s=10)
CAMERA = Camera(
    camera_id="clip", name="clip", source="clip", legal_basis="a recording",
    zones=(Zone(zone_id="all", name="all", polygon=WHOLE, in_pixels=False, rules=(RULE,)),),
)  # fmt: skip
QUIET_STEP = 6.0
"""Grey levels by which a quiet place may change over a clip."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One thing on one ground."""

    ground: str
    side_px: int
    is_alike: bool
    is_found: bool


def pictures(clip: Path) -> list[Image]:
    """One picture a second."""
    found: list[Image] = []
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= len(found):
                found.append(frame.to_ndarray(format="bgr24"))
    return found


def cut_outs(folders: Sequence[Path], count: int, rng: np.random.Generator) -> list[Image]:
    """Pictures of single things, from folders with images/ and labels/ (YOLO)."""
    files = sorted(path for folder in folders for path in (folder / "labels").glob("*.txt"))
    rng.shuffle(files)
    things: list[Image] = []
    for path in files:
        if len(things) == count:
            break
        thing = _largest(path)
        if thing is not None:
            things.append(thing)
    return things


def _largest(labels: Path) -> Image | None:
    images = sorted((labels.parent.parent / "images").glob(f"{labels.stem}.*"))
    rows = [list(map(float, line.split()[:5])) for line in labels.read_text().splitlines()]
    image = cv2.imread(str(images[0])) if images and rows else None
    if image is None:
        return None
    height, width = image.shape[:2]
    _, x, y, across, down = max(rows, key=lambda row: row[3] * row[4])
    left, top = int((x - across / 2) * width), int((y - down / 2) * height)
    part = image[
        max(0, top) : int((y + down / 2) * height), max(0, left) : int((x + across / 2) * width)
    ]
    return part if min(part.shape[:2], default=0) >= max(SIDES_PX) // 2 else None


def laid(image: Image, thing: Image, box: Box, *, is_alike: bool) -> Image:
    """The picture with a thing in it, round as most things are."""
    x1, y1, x2, y2 = (int(side) for side in box.xyxy)
    small = cv2.resize(thing, (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA).astype(np.float32)
    ground = image[y1:y2, x1:x2].astype(np.float32)
    cover = np.zeros((y2 - y1, x2 - x1), np.float32)
    middle, size = ((x2 - x1) / 2, (y2 - y1) / 2), ((x2 - x1) * 0.98, (y2 - y1) * 0.98)
    cv2.ellipse(cover, (middle, size, 0), 1.0, -1)
    cover = cv2.GaussianBlur(cover, (0, 0), 0.8)[..., None]
    if is_alike:
        small *= ground[..., 1].mean() / max(1.0, float(small[..., 1].mean()))
    shown = image.copy()
    shown[y1:y2, x1:x2] = np.clip(cover * small + (1 - cover) * ground, 0, 255).astype(np.uint8)
    return shown


def quiet_places(shots: Sequence[Image], side_px: int) -> list[Box]:
    """Places on the lower two thirds of the picture where nothing happens in the clip."""
    greys = np.stack([cv2.cvtColor(shot, cv2.COLOR_BGR2GRAY) for shot in shots]).astype(np.float32)
    unrest = greys.max(axis=0) - greys.min(axis=0)
    height, width = unrest.shape
    step = side_px + 8
    return [
        Box(x, y, x + side_px, y + side_px)
        for y in range(height // 3, height - step, step)
        for x in range(8, width - step, step)
        if np.percentile(unrest[y : y + side_px, x : x + side_px], 90) < 4 * QUIET_STEP
    ]


def is_found(shots: Sequence[Image], thing: Image, box: Box, *, is_alike: bool) -> bool:
    """Whether the thing is told while it lies there."""
    watch = BackgroundWatch(CAMERA)
    for second in range(BEFORE_S + AFTER_S):
        shot = _again(shots, second)
        shown = laid(shot, thing, box, is_alike=is_alike) if second >= BEFORE_S else shot
        told = watch.look(shown, BEGAN + timedelta(seconds=second), ())
        if second >= BEFORE_S and any(each.box.iou(box) >= FOUND_IOU for each in told):
            return True
    return False


def false_ones(shots: Sequence[Image]) -> int:
    """Pictures in which something is told though nothing is new, of a clip shown to and fro."""
    watch = BackgroundWatch(CAMERA)
    return sum(
        bool(watch.look(_again(shots, second), BEGAN + timedelta(seconds=second), ()))
        for second in range(3 * len(shots))
    )


def _again(shots: Sequence[Image], second: int) -> Image:
    """To and fro, so that there is no cut."""
    at = second % max(1, 2 * len(shots) - 2)
    return shots[min(at, 2 * len(shots) - 2 - at)] if len(shots) > 1 else shots[0]


def trials(
    clips: Sequence[Path], things: Sequence[Image], rng: np.random.Generator
) -> Iterator[Trial]:
    """Each thing on a quiet place of some clip, once as it is and once as bright as the ground."""
    shown = [(clip.stem, pictures(clip)) for clip in clips]
    for number, thing in enumerate(things):
        name, shots = shown[number % len(shown)]
        side_px = SIDES_PX[number // len(shown) % len(SIDES_PX)]
        places = quiet_places(shots, side_px)
        if not places:
            continue
        box = places[int(rng.integers(len(places)))]
        for is_alike in (False, True):
            found = is_found(shots, thing, box, is_alike=is_alike)
            yield Trial(ground=name, side_px=side_px, is_alike=is_alike, is_found=found)


def summary(done: Sequence[Trial]) -> dict[str, Any]:
    """Shares found, by brightness and size."""
    groups = {"as they are": False, "of the ground's brightness": True}
    return {
        name: {
            size: _share(
                [t for t in done if t.is_alike is is_alike and size in ("all", str(t.side_px))]
            )
            for size in ("all", *map(str, SIDES_PX))
        }
        for name, is_alike in groups.items()
    }


def _share(some: Sequence[Trial]) -> dict[str, Any]:
    found = sum(trial.is_found for trial in some)
    interval = wilson(found, len(some))
    return {
        "of": len(some),
        "found": found,
        "interval": interval and [round(e, 3) for e in interval],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clips", type=Path, nargs="+", required=True, help="recordings")
    parser.add_argument("--things", type=Path, nargs="+", required=True, help="images/ and labels/")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    rng = np.random.default_rng(wanted.seed)
    things = cut_outs(wanted.things, wanted.count, rng)
    told: dict[str, Any] = summary(list(trials(wanted.clips, things, rng)))
    told["false pictures"] = {clip.stem: false_ones(pictures(clip)) for clip in wanted.clips}
    sys.stdout.write(json.dumps(told, indent=None if wanted.json else 2) + "\n")


if __name__ == "__main__":
    main()
