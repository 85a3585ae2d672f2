"""What nobody may recognise, and a redactor that fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.redaction import (
    PLATE_BLOCKS,
    BlockRedactor,
    Seen,
    head_of,
    masked,
    plates_of,
    redact,
    released,
)
from models.errors import RedactionError
from models.evidence import Privacy
from models.geometry import Box
from models.seeing import Detection, Image

PERSON = Detection(label="person", confidence=0.2, box=Box(100, 50, 160, 230))
CAR = Detection(label="car", confidence=0.9, box=Box(300, 100, 500, 220))
PLATE_RATIO = (0.44 / 1.8, 0.14 / 1.5)
"""Size of a plate in shares of a car's front (GA 36-2018; a small car)."""


def noise(width: int = 640, height: int = 360) -> Image:
    return np.random.default_rng(3).integers(0, 255, (height, width, 3), dtype=np.uint8)


def colours(part: Image) -> int:
    return len(np.unique(part.reshape(-1, 3), axis=0))


def changed(before: Image, after: Image) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return np.asarray((before != after).any(axis=2))


def test_the_head_of_a_person_is_made_unrecognisable_and_the_rest_is_left() -> None:
    picture = noise()
    done = redact(picture, [PERSON])
    assert colours(done[60:105, 100:160]) <= 36
    assert not changed(picture, done)[115:].any()
    assert not changed(picture, done)[:, 170:].any()
    assert changed(picture, done)[52:108, 102:158].mean() > 0.99


def test_a_face_cannot_be_found_again_by_smoothing() -> None:
    """What is left has no more detail than the blocks: smoothing them gives no contrast within."""
    done = redact(noise(), [PERSON]).astype(np.float32)
    blocks = done[60:100, 110:150]
    assert np.abs(np.diff(blocks, axis=0)).astype(bool).mean() < 0.25


@pytest.mark.parametrize("label", ["bicycle", "car", "motorcycle", "bus", "truck", "van"])
@pytest.mark.parametrize("place", [(0.5, 0.75), (0.15, 0.6), (0.85, 0.9)], ids=str)
def test_a_plate_anywhere_on_the_lower_part_of_a_vehicle_is_left_with_a_few_blocks(
    label: str, place: tuple[float, float]
) -> None:
    picture = noise()
    box = CAR.box
    done = redact(picture, [replace(CAR, label=label)])
    x, y = box.x1 + place[0] * box.width, box.y1 + place[1] * box.height
    half_w, half_h = PLATE_RATIO[0] * box.width / 2, PLATE_RATIO[1] * box.height / 2
    plate = done[int(y - half_h) : int(y + half_h), int(x - half_w) : int(x + half_w)]
    assert colours(plate) <= 6, "seven letters do not fit into so few colours"
    assert colours(done[int(plates_of(box).y1) + 1 : 220, 300:500]) <= np.prod(PLATE_BLOCKS)


def test_the_upper_part_of_a_vehicle_still_shows_which_one_it_is() -> None:
    picture = noise()
    done = redact(picture, [CAR])
    assert (done[100:140, 300:500] == picture[100:140, 300:500]).all()


def test_redaction_does_not_touch_the_original() -> None:
    picture = noise()
    before = picture.copy()
    redact(picture, [PERSON, CAR])
    masked(picture, [((0, 0), (1, 0), (1, 1))])
    assert (picture == before).all()


def test_things_are_not_redacted() -> None:
    picture = noise()
    assert (picture == redact(picture, [replace(PERSON, label="litter")])).all()


@pytest.mark.parametrize(
    ("privacy", "head", "plates"),
    [
        (Privacy(), True, True),
        (Privacy(blur_plates=False), True, False),
        (Privacy(blur_faces=False), False, True),
    ],
    ids=["both", "faces only", "plates only"],
)
def test_each_kind_can_be_left_where_the_law_allows_it(
    privacy: Privacy, head: bool, plates: bool
) -> None:
    picture = noise()
    difference = changed(picture, redact(picture, [PERSON, CAR], privacy))
    assert difference[60:100, 110:150].any() == head
    assert difference[160:210, 320:480].any() == plates


@given(
    st.sampled_from(["person", "car"]),
    st.tuples(st.floats(-200, 800), st.floats(-200, 500), st.floats(0, 500), st.floats(0, 500)),
)
def test_persons_and_vehicles_anywhere_can_be_redacted(
    label: str, place: tuple[float, float, float, float]
) -> None:
    x, y, width, height = place
    item = Detection(label=label, confidence=0.1, box=Box(x, y, x + width, y + height))
    picture = noise()
    done = redact(picture, [item])
    assert done.shape == picture.shape
    region = (head_of if label == "person" else plates_of)(item.box).clipped(640, 360)
    if region.width > 24 and region.height > 24:
        inner = changed(picture, done)[
            int(region.y1) : int(region.y2), int(region.x1) : int(region.x2)
        ]
        assert inner.mean() > 0.9


def test_masks_are_painted_over_and_nothing_else() -> None:
    picture = noise()
    done = masked(picture, [((0, 0), (0.5, 0), (0.5, 0.5), (0, 0.5))])
    assert colours(done[:180, :320]) == 1
    assert (done[185:] == picture[185:]).all()
    assert masked(picture, []) is picture


class Broken:
    def redact(self, image: Image, seen: Sequence[Seen], privacy: Privacy) -> Image:
        raise KeyError("no such model")


class Lazy:
    def redact(self, image: Image, seen: Sequence[Seen], privacy: Privacy) -> Image:
        return image


class Cropping:
    def redact(self, image: Image, seen: Sequence[Seen], privacy: Privacy) -> Image:
        return image[:-1].copy()


@pytest.mark.parametrize("redactor", [Broken(), Lazy(), Cropping()], ids=lambda r: type(r).__name__)
def test_a_redactor_that_fails_releases_nothing(redactor: Broken | Lazy | Cropping) -> None:
    with pytest.raises(RedactionError):
        released(redactor, noise(), [PERSON], Privacy())


def test_what_is_there_by_itself_releases_a_redacted_picture() -> None:
    picture = noise()
    assert (
        released(BlockRedactor(), picture, [PERSON], Privacy()) == redact(picture, [PERSON])
    ).all()
