"""Which failures a gallery shows, and how."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.training.gallery import PER_KIND, TILE_PX, Kind, failures, sheet
from detector.training.scenes import Scene
from models.errors import SourceReadError
from models.geometry import Box
from models.seeing import Detection

THERE = Box(40, 40, 80, 80)


def seen(box: Box, confidence: float = 0.9, label: str = "litter") -> Detection:
    return Detection(label=label, confidence=confidence, box=box)


def scene(*found: Detection, there: bool = True, source: Path | None = None) -> Scene:
    return Scene(found=found, truth=(("litter", THERE),) if there else (), scale=2, source=source)


@pytest.mark.parametrize(
    ("found", "kinds"),
    [
        pytest.param([seen(THERE)], [], id="right"),
        pytest.param([], [Kind.MISSED], id="missed"),
        pytest.param([seen(THERE, 0.3)], [Kind.MISSED], id="below the threshold"),
        pytest.param([seen(Box(60, 40, 100, 80))], [Kind.MISPLACED], id="half beside"),
        pytest.param([seen(Box(100, 0, 110, 10))], [Kind.FALSE, Kind.MISSED], id="elsewhere"),
        pytest.param([seen(THERE), seen(THERE, 0.8)], [Kind.FALSE], id="twice"),
        pytest.param([seen(THERE, label="car")], [Kind.MISSED], id="another class"),
    ],
)
def test_failures_are_told_apart(found: list[Detection], kinds: list[Kind]) -> None:
    assert sorted(f.kind for f in failures([scene(*found)], "litter", 0.5)) == kinds


def test_the_worst_comes_first() -> None:
    scenes = [scene(seen(Box(0, 0, 9, 9), c), there=False) for c in (0.6, 0.9, 0.7)]
    assert [f.badness for f in failures(scenes, "litter", 0.5)] == [0.9, 0.7, 0.6]


def test_a_missed_object_is_as_bad_as_it_is_large_to_the_network() -> None:
    (missed,) = failures([scene()], "litter", 0.5)
    assert missed.badness == 80
    assert missed.caption.startswith("80 px")


def test_a_sheet_shows_no_more_than_the_worst_and_no_face(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    cv2.imwrite(str(file), noise)
    person = seen(Box(0, 0, 200, 600), 0.9, "person")
    drawn = []
    for others in ((), (person,)):
        scenes = [scene(*others, source=file) for _ in range(PER_KIND + 5)]
        failed = failures(scenes, "litter", 0.5)
        drawn.append(sheet(failed, "litter", 0.5))
    assert drawn[0].shape == drawn[1].shape
    assert drawn[0].shape[0] < 4 * TILE_PX, "two rows of tiles, two headers"
    roughness = [float(np.abs(np.diff(image.astype(int), axis=1)).mean()) for image in drawn]
    assert roughness[1] < roughness[0] / 2, "the head is blocks"


def test_a_sheet_shows_each_picture_once_with_the_worst_in_it(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    cv2.imwrite(str(file), np.zeros((200, 200, 3), dtype=np.uint8))
    many = scene(*(seen(Box(x, 0, x + 9, 9)) for x in range(0, 150, 10)), there=False, source=file)
    one = scene(seen(Box(0, 0, 9, 9)), there=False, source=file)
    sheets = [sheet(failures([s], "litter", 0.5), "litter", 0.5) for s in (many, one)]
    assert sheets[0].shape == sheets[1].shape, "one row"


def test_a_picture_that_has_gone_is_told(tmp_path: Path) -> None:
    failed = failures([scene(source=tmp_path / "gone.png")], "litter", 0.5)
    with pytest.raises(SourceReadError, match="gone"):
        sheet(failed, "litter", 0.5)
