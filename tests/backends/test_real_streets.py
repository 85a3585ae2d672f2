"""Both backends on real footage, with weights that were trained: where such are at hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.backends import load_detector
from detector.weights.export import ExportOrder, export_weights
from models.city import ModelChoice
from models.seeing import Image
from tests.backends.yolo import disagreement
from tests.conftest import shared_folder

pytestmark = pytest.mark.needs_shared
FRAMES_A_CLIP = 3


def frames_of(clip: Path) -> list[Image]:
    """A few frames from all over a clip."""
    video = cv2.VideoCapture(str(clip))
    count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    frames = []
    for index in range(FRAMES_A_CLIP):
        video.set(cv2.CAP_PROP_POS_FRAMES, index * count // FRAMES_A_CLIP)
        there, frame = video.read()
        if there:
            frames.append(frame.astype(np.uint8))
    video.release()
    return frames


@pytest.fixture(scope="module")
def streets(real_clips: Path) -> list[Image]:
    clips = sorted([*real_clips.glob("*.mp4"), *real_clips.glob("*.avi")])
    frames = [frame for clip in clips for frame in frames_of(clip)]
    assert len(frames) >= FRAMES_A_CLIP * len(clips) * 0.8
    return frames


@pytest.mark.needs_ultralytics
def test_both_backends_agree_on_every_clip(tmp_path: Path, streets: list[Image]) -> None:
    weights = shared_folder() / "weights" / "street_pilot.pt"
    graph = export_weights(ExportOrder(source=weights, target=tmp_path / "pilot"))[0]
    on_openvino = load_detector(ModelChoice(weights=str(graph)), precision="f32")
    on_torch = load_detector(ModelChoice(weights=str(weights)))
    found = on_openvino.detect(streets)
    count, worst_iou, worst_gap, alone = disagreement(found, on_torch.detect(streets), 0.25)
    assert count > 50
    assert alone == []
    assert worst_iou > 0.98
    assert worst_gap < 0.01


def test_an_int8_model_of_others_finds_vehicles_and_only_what_it_is_mapped_to(
    streets: list[Image],
) -> None:
    folder = shared_folder() / "weights" / "yolo11n_coco_int8_openvino_model"
    choice = ModelChoice(weights=str(folder), class_map={"handbag": "litter"})
    detector = load_detector(choice)
    assert detector.labels == ("person", "bicycle", "car", "motorcycle", "bus", "truck", "litter")
    found = [d for answer in detector.detect(streets) for d in answer]
    assert {d.label for d in found} <= set(detector.labels)
    assert sum(d.label == "car" and d.confidence > 0.5 for d in found) > 20
