"""Real cameras: no fault is seen in them, but in the one that is held by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from detector.camera_faults.health import CameraHealth
from models.seeing import Image
from models.upkeep import FaultKind
from tests.camera_faults.street import found, looks

EVERY_S = 0.25
WIDTH_PX = 480
SAMPLES = Path(__file__).parents[2] / "sample_videos"
MOVING = "handheld_parallel_parking"


def _pictures(clip: Path) -> Iterator[Image]:
    capture = cv2.VideoCapture(str(clip))
    step = max(1, round(capture.get(cv2.CAP_PROP_FPS) * EVERY_S))
    number = 0
    while capture.grab():
        if number % step == 0:
            _, image = capture.retrieve()
            height = round(image.shape[0] * WIDTH_PX / image.shape[1])
            yield cv2.resize(image, (WIDTH_PX, height), interpolation=cv2.INTER_AREA)
        number += 1
    capture.release()


def _found(clip: Path) -> set[FaultKind]:
    # Looks come faster than in service, so that a codec's copied blocks look frozen: not judged.
    return found(looks(CameraHealth(), _pictures(clip), every_s=EVERY_S)) - {FaultKind.FROZEN}


@pytest.mark.parametrize("clip", sorted(SAMPLES.glob("*.mp4")), ids=lambda clip: clip.stem)
def test_sample_clips_show_no_fault(clip: Path) -> None:
    assert _found(clip) == set()


@pytest.mark.needs_shared
def test_real_clips_show_no_fault_but_the_one_that_moves(real_clips: Path) -> None:
    clips = sorted([*real_clips.glob("*.mp4"), *real_clips.glob("*.avi")])
    assert len(clips) > 10
    faults = {clip.stem: _found(clip) for clip in clips}
    assert faults.pop(MOVING) == {FaultKind.MOVED}
    assert {name: kinds for name, kinds in faults.items() if kinds} == {}
