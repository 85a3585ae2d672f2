from __future__ import annotations

import numpy as np
import pytest

from detector.backends import Detector, ScriptedDetector
from models.errors import InferenceError
from models.geometry import Box
from models.seeing import Detection

IMAGE = np.zeros((8, 8, 3), dtype=np.uint8)
CAR = Detection(label="car", confidence=0.9, box=Box(1, 1, 4, 4))


def test_answers_come_one_an_image_in_order() -> None:
    detector: Detector = ScriptedDetector([[CAR], []], labels=("car",))
    assert detector.labels == ("car",)
    assert detector.detect([IMAGE, IMAGE]) == [(CAR,), ()]


def test_a_function_may_answer() -> None:
    detector = ScriptedDetector(lambda image: [CAR] if image.any() else [])
    assert detector.detect([IMAGE, IMAGE + 1]) == [(), (CAR,)]
    assert detector.seen == 2


def test_a_failure_has_its_turn() -> None:
    detector = ScriptedDetector([InferenceError("out of memory"), [CAR]])
    with pytest.raises(InferenceError, match="out of memory"):
        detector.detect([IMAGE])
    assert detector.detect([IMAGE]) == [(CAR,)]


def test_after_the_script_and_after_closing_it_fails() -> None:
    detector = ScriptedDetector([[]])
    detector.detect([IMAGE])
    with pytest.raises(InferenceError, match="has ended"):
        detector.detect([IMAGE])
    detector.close()
    with pytest.raises(InferenceError, match="closed"):
        detector.detect([IMAGE])
