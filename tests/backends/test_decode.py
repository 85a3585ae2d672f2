from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.backends.decode import (
    MAX_DETECTIONS,
    NMS_IOU_RATIO,
    Candidates,
    Head,
    decode,
    head_of,
    suppress,
    to_detections,
)
from detector.backends.labels import LabelTable, make_label_table
from detector.backends.letterbox import fit
from models.errors import InferenceError, WeightsError
from models.geometry import Box

LETTERBOX = fit(np.zeros((640, 640, 3), np.uint8), 640)
TABLE = LabelTable(labels=("car", "bus"), index_of_class=(0, 1))


def candidates(*rows: tuple[float, float, float, float, float, int]) -> Candidates:
    table = np.array(rows, dtype=np.float32).reshape(-1, 6)
    return Candidates(
        boxes=table[:, :4], confidences=table[:, 4], classes=table[:, 5].astype(np.int64)
    )


@pytest.mark.parametrize(
    ("shape", "classes", "head"),
    [
        pytest.param([1, 84, 8400], 80, Head.RAW, id="v8 and 11 with COCO"),
        pytest.param([None, 15, None], 11, Head.RAW, id="dynamic"),
        pytest.param([1, 6, 8400], 2, Head.RAW, id="two classes"),
        pytest.param([1, 15, 5040], None, Head.RAW, id="names unknown"),
        pytest.param([1, 300, 6], 80, Head.END_TO_END, id="v10 and 26"),
        pytest.param([None, None, 6], 2, Head.END_TO_END, id="dynamic without overlaps"),
    ],
)
def test_the_head_is_told_by_its_shape(
    shape: list[int | None], classes: int | None, head: Head
) -> None:
    assert head_of(shape, classes) is head


@pytest.mark.parametrize(
    ("shape", "classes"),
    [
        pytest.param([1, 1000], 1000, id="classifier"),
        pytest.param([1, 85, 20, 20, 3], 80, id="unrolled"),
        pytest.param([1, 25200, 85], 80, id="old v5 with objectness"),
        pytest.param([1, 84, 8400], 11, id="names of another network"),
        pytest.param([1, 4, 8400], None, id="boxes only"),
    ],
)
def test_other_heads_are_refused(shape: list[int | None], classes: int | None) -> None:
    with pytest.raises(WeightsError, match="YOLO detector"):
        head_of(shape, classes)


def test_a_raw_head_gives_the_best_class_of_each_anchor() -> None:
    output = np.zeros((6, 30), dtype=np.float32)
    output[:, 3] = [100, 50, 20, 10, 0.3, 0.8]
    output[:, 7] = [10, 10, 4, 4, 0.2, 0.1]
    found = decode(Head.RAW, output, 0.2)
    assert found.boxes.tolist() == [[90, 45, 110, 55], [8, 8, 12, 12]]
    assert found.classes.tolist() == [1, 0]
    assert found.confidences.tolist() == pytest.approx([0.8, 0.2])


@pytest.mark.parametrize("head", list(Head))
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_a_failure(head: Head, value: float) -> None:
    output = np.full((30, 6) if head is Head.END_TO_END else (6, 30), 0.1, dtype=np.float32)
    output[5, 4] = value
    with pytest.raises(InferenceError, match="not numbers"):
        decode(head, output, 0.2)


def test_a_box_that_is_no_number_is_a_failure_even_with_a_good_score() -> None:
    output = np.full((6, 30), 0.1, dtype=np.float32)
    output[0, 4], output[4, 4] = np.nan, 0.9
    with pytest.raises(InferenceError, match="not numbers"):
        decode(Head.RAW, output, 0.2)


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        pytest.param((0, 0, 100, 100, 0.8, 0), 1, id="the same box of the same class"),
        pytest.param((0, 0, 100, 100, 0.8, 1), 2, id="the same box of another class"),
        pytest.param((0, 40, 100, 140, 0.8, 0), 2, id="less than the limit in common"),
        pytest.param((0, 10, 100, 110, 0.8, 0), 1, id="more than the limit in common"),
        pytest.param((300, 300, 400, 400, 0.8, 0), 2, id="apart"),
    ],
)
def test_overlaps_go_within_a_class(
    second: tuple[float, float, float, float, float, int], kept: int
) -> None:
    assert len(suppress(candidates((0, 0, 100, 100, 0.9, 0), second))) == kept


box_rows = st.tuples(
    st.integers(0, 60), st.integers(0, 60), st.integers(5, 50), st.integers(5, 50),
    st.integers(1, 1000), st.integers(0, 2),
).map(lambda r: (r[0], r[1], r[0] + r[2], r[1] + r[3], r[4] / 1000, r[5]))  # fmt: skip


@given(rows=st.lists(box_rows, max_size=25))
def test_what_stays_does_not_overlap_and_what_goes_overlaps_something_better(
    rows: list[tuple[float, float, float, float, float, int]],
) -> None:
    found = candidates(*rows)
    kept = suppress(found).tolist()
    boxes = [Box(*row[:4]) for row in rows]
    confidences = [found.confidences[index] for index in kept]
    assert confidences == sorted(confidences, reverse=True)
    tolerance = 1e-4
    for position, one in enumerate(kept):
        for other in kept[:position]:
            if rows[one][5] == rows[other][5]:
                assert boxes[one].iou(boxes[other]) <= NMS_IOU_RATIO + tolerance
    for gone in set(range(len(rows))) - set(kept):
        assert any(
            rows[keeper][5] == rows[gone][5]
            and rows[keeper][4] >= rows[gone][4]
            and boxes[keeper].iou(boxes[gone]) > NMS_IOU_RATIO - tolerance
            for keeper in kept
        )


def test_ignored_classes_are_left_out_and_do_not_suppress() -> None:
    table = make_label_table(["boat", "car"], {"car": "car"})
    found = candidates((0, 0, 100, 100, 0.9, 0), (0, 0, 100, 100, 0.5, 1))
    (only,) = to_detections(found, table, LETTERBOX, overlaps=True)
    assert (only.label, only.confidence) == ("car", 0.5)


def test_boxes_wholly_outside_the_picture_are_left_out() -> None:
    found = candidates((-50, -50, -10, -10, 0.9, 0), (5, 5, 9, 9, 0.5, 1))
    assert [d.label for d in to_detections(found, TABLE, LETTERBOX, overlaps=True)] == ["bus"]


def test_a_class_beyond_the_names_is_a_failure() -> None:
    with pytest.raises(InferenceError, match="beyond its 2"):
        to_detections(candidates((0, 0, 9, 9, 0.9, 7)), TABLE, LETTERBOX, overlaps=False)


def test_a_picture_full_of_boxes_gives_the_best_ones() -> None:
    rows = [(i * 2, 0, i * 2 + 1, 1, (i + 1) / 1000, 0) for i in range(MAX_DETECTIONS + 10)]
    found = to_detections(candidates(*rows), TABLE, LETTERBOX, overlaps=True)
    assert len(found) == MAX_DETECTIONS
    assert found[-1].confidence == pytest.approx(11 / 1000)
