"""The tracker's promises for any input, and its bounds."""

from __future__ import annotations

from datetime import timedelta

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.tracking import CameraTracker, kind_of
from detector.tracking.association import distinct, overlap, same_thing
from detector.tracking.tracker import MAX_THINGS
from models.geometry import Box
from models.seeing import Detection, Look
from tests.support.street import START, Thing, Watch, background, detections, draw, frame

sides = st.floats(-40, 700, allow_nan=False)
boxes = st.tuples(sides, sides, st.floats(0, 300), st.floats(0, 300)).map(
    lambda s: Box(s[0], s[1], s[0] + s[2], s[1] + s[3])
)
found = st.builds(
    Detection,
    label=st.sampled_from(
        ["car", "truck", "person", "litter", "pothole", "bicycle", "fallen_tree"]
    ),
    confidence=st.floats(0.2, 1.0),
    box=boxes,
)
STREET = background()


@settings(max_examples=60, deadline=None)
@given(looks=st.lists(st.tuples(st.lists(found, max_size=8), st.floats(0.04, 400)), max_size=8))
def test_whatever_is_found_tracks_keep_their_promises(
    looks: list[tuple[list[Detection], float]],
) -> None:
    tracker = CameraTracker("gate")
    second = 0.0
    for items, step in looks:
        second += step
        look = tracker.update(frame(STREET, second), items)
        check(look)
        assert look.at == START + timedelta(seconds=second)


def check(look: Look) -> None:
    ids = [track.track_id for track in look.tracks]
    assert len(set(ids)) == len(ids)
    for track in look.tracks:
        assert track.first_seen <= track.last_seen <= look.at
        assert 0 <= track.confidence <= 1
        assert track.stationary_since is None or (
            track.first_seen <= track.stationary_since <= look.at
        )


@settings(max_examples=20, deadline=None)
@given(looks=st.lists(st.lists(found, max_size=6), min_size=1, max_size=6))
def test_the_same_looks_give_the_same_tracks(looks: list[list[Detection]]) -> None:
    def run() -> list[Look]:
        tracker = CameraTracker("gate")
        return [tracker.update(frame(STREET, i), items) for i, items in enumerate(looks)]

    assert run() == run()


def test_the_order_of_detections_does_not_matter() -> None:
    things = [Thing(look=i, box=Box(60 * i, 200, 60 * i + 50, 240)) for i in range(8)]
    forward, backward = CameraTracker("gate"), CameraTracker("gate")
    for second in range(6):
        image = draw(things, noise=second)
        boxes = detections(things)
        one = forward.update(frame(image, second), boxes)
        other = backward.update(frame(image, second), boxes[::-1])
    assert {(t.box, t.stationary_since) for t in one.tracks} == {
        (t.box, t.stationary_since) for t in other.tracks
    }


def test_memory_is_bounded_however_much_there_is_to_see() -> None:
    tracker = CameraTracker("gate")
    random = np.random.default_rng(1)
    for second in range(12):
        corners = random.uniform(0, [590, 320], size=(120, 2))
        items = [
            Detection(label=f"kind{i % 7}", confidence=0.5, box=Box(x, y, x + 40, y + 30))
            for i, (x, y) in enumerate(corners.tolist())
        ]
        look = tracker.update(frame(STREET, second), items)
    assert len(look.tracks) <= MAX_THINGS


def test_the_time_comes_from_the_frame_alone() -> None:
    tracker = CameraTracker("gate")
    for step in range(5):
        image = draw([Thing(look=1)], noise=step)
        look = tracker.update(frame(image, 3600.0 * 24 * 365 + step), detections([Thing(look=1)]))
    assert look.tracks[0].stationary_since == START + timedelta(days=365)


@pytest.mark.parametrize("size", [(320, 180), (1280, 720)], ids=["smaller", "larger"])
def test_pictures_of_another_size_begin_anew(size: tuple[int, int]) -> None:
    watch = Watch()
    before = watch.during(0, 10, lambda _: [Thing(look=1)])
    factor = size[0] / 640
    image = cv2.resize(draw([Thing(look=1)]), size)
    box = before.tracks[0].box.scaled(factor, factor)
    item = Detection(label="car", confidence=0.8, box=box)
    look = watch.tracker.update(frame(image, 10), [item])
    assert (look.width_px, look.height_px) == size
    assert [t.stationary_since for t in look.tracks] == [None]


@pytest.mark.parametrize(
    "box",
    [Box(-50, -50, 40, 30), Box(620, 340, 900, 700), Box(700, 500, 800, 600), Box(10, 10, 10, 50)],
    ids=["over the corner", "over the other corner", "outside", "without width"],
)
def test_boxes_at_and_beyond_the_edge_do_no_harm(box: Box) -> None:
    tracker = CameraTracker("gate")
    for second in range(5):
        item = Detection(label="car", confidence=0.8, box=box)
        check(tracker.update(frame(STREET, second), [item]))


@pytest.mark.parametrize("level", [0, 255], ids=["black", "white"])
def test_pictures_without_anything_in_them_do_no_harm(level: int) -> None:
    tracker = CameraTracker("gate")
    image = np.full((360, 640, 3), level, np.uint8)
    for second in range(5):
        look = tracker.update(frame(image, second), detections([Thing(look=1)]))
    assert len(look.tracks) == 1


@pytest.mark.parametrize(
    ("box", "placed"),
    [
        (Box(0, 40, 640, 360), False),
        (Box(30, 0, 620, 340), False),
        (Box(0, 0, 0, 0), False),
        (Box(0, 40, 300, 360), True),
        (Box(-4, 100, 60, 160), True),
    ],
    ids=["cut by three borders", "the whole scene", "empty", "in a corner", "at the edge"],
)
def test_boxes_that_say_nothing_of_a_place_are_left_out(box: Box, placed: bool) -> None:
    item = Detection(label="truck", confidence=0.5, box=box)
    assert distinct([item], 640, 360) == ((item,) if placed else ())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Box(0, 0, 100, 50), Box(4, 2, 102, 51), True),
        (Box(0, 0, 100, 50), Box(0, 0, 50, 50), True),
        (Box(0, 0, 100, 50), Box(60, 10, 90, 40), False),
        (Box(0, 0, 100, 50), Box(50, 0, 150, 50), False),
        (Box(0, 0, 100, 50), Box(200, 0, 300, 50), False),
    ],
    ids=["jitter", "half of it", "small one in front", "neighbour", "elsewhere"],
)
def test_boxes_of_one_thing(one: Box, other: Box, same: bool) -> None:
    assert same_thing(one, other) is same_thing(other, one) is same


def test_a_box_that_only_reaches_into_a_place_does_not_fit_it() -> None:
    place = Box(0, 0, 100, 50)
    assert overlap(Box(40, 0, 140, 50), place) == 0
    assert overlap(Box(0, 0, 60, 50), place) > 0


@pytest.mark.parametrize(
    ("label", "other", "same"),
    [("car", "truck", True), ("car", "bicycle", False), ("litter", "garbage_pile", True)],
)
def test_labels_that_name_one_kind(label: str, other: str, same: bool) -> None:
    assert (kind_of(label) == kind_of(other)) is same


def test_persons_are_followed_by_their_boxes_and_never_stand() -> None:
    watch = Watch()
    look = watch.during(
        0,
        10,
        lambda s: [
            Thing(look=round(s), label="person", box=Box(100 + 8 * s, 100, 140 + 8 * s, 220))
        ],
    )
    assert [(t.track_id, t.stationary_since) for t in look.tracks] == [(1, None)]
