from __future__ import annotations

from collections.abc import Mapping

import pytest

from detector.backends.labels import make_label_table
from models.errors import WeightsError

COCO = ["person", "car", "boat", "motorbike", "scooter"]


@pytest.mark.parametrize(
    ("class_map", "labels", "index"),
    [
        pytest.param({}, tuple(COCO), (0, 1, 2, 3, 4), id="no map keeps all"),
        pytest.param(
            {"motorbike": "motorcycle"},
            ("person", "car", "motorcycle"),
            (0, 1, -1, 2, -1),
            id="a map drops what it does not name, but for what rules know",
        ),
        pytest.param(
            {"motorbike": "motorcycle", "scooter": "motorcycle"},
            ("person", "car", "motorcycle"),
            (0, 1, -1, 2, 2),
            id="two classes become one",
        ),
        pytest.param(
            {"boat": "boat", "person": ""},
            ("car", "boat"),
            (-1, 0, 1, -1, -1),
            id="kept under its own name, and dropped outright",
        ),
        pytest.param(
            {"car": "truck"}, ("person", "truck"), (0, 1, -1, -1, -1), id="known name renamed"
        ),
    ],
)
def test_a_map_says_what_each_class_becomes(
    class_map: Mapping[str, str], labels: tuple[str, ...], index: tuple[int, ...]
) -> None:
    table = make_label_table(COCO, class_map)
    assert (table.labels, table.index_of_class) == (labels, index)


def test_a_class_that_the_weights_lack_is_told_with_those_they_have() -> None:
    with pytest.raises(WeightsError, match=r"names bote, which.*they know person, car, boat"):
        make_label_table(COCO, {"bote": "boat"})


def test_a_map_that_leaves_nothing_is_an_error() -> None:
    with pytest.raises(WeightsError, match="leaves no class"):
        make_label_table(["boat"], {"boat": ""})
