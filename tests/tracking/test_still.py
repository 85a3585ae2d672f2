"""What a picture that has not changed spares the tracker, and what it must not."""

from __future__ import annotations

import pytest

from detector.tracking import CameraTracker
from detector.tracking.place import Place
from models.geometry import Box
from models.seeing import Look, Track
from tests.support.street import CAR, Thing, detections, draw, frame

PARKED = [
    Thing(look=1),
    Thing(look=2, box=Box(60, 200, 150, 260)),
    Thing(look=3, box=Box(500, 120, 520, 170), label="person"),
    Thing(look=4, box=Box(430, 300, 450, 316), label="litter"),
]


def seen(things: list[Thing], looks: int, *, still_from: int) -> list[Look]:
    """A street in which nothing moves, told to be still from a look on."""
    tracker = CameraTracker("gate")
    return [
        tracker.update(
            frame(draw(things, noise=number), number),
            detections(things),
            is_still=number >= still_from,
        )
        for number in range(looks)
    ]


def what(track: Track) -> tuple[object, ...]:
    return (track.track_id, track.label, track.box, track.stationary_since, track.last_seen)


@pytest.mark.parametrize("still_from", [1, 3, 8], ids=["at once", "while it settles", "later"])
def test_a_still_picture_has_the_same_tracks_as_one_that_is_compared(still_from: int) -> None:
    compared = seen(PARKED, 14, still_from=99)
    spared = seen(PARKED, 14, still_from=still_from)
    assert [[what(t) for t in look.tracks] for look in spared] == [
        [what(t) for t in look.tracks] for look in compared
    ]


def test_what_stands_in_a_still_picture_is_not_compared_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[Box] = []
    examine = Place.examine

    def count(place: Place, *rest: object) -> None:
        compared.append(place.box)
        examine(place, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Place, "examine", count)
    seen([Thing(look=1)], 30, still_from=4)
    assert len(compared) == 3


def test_another_vehicle_that_came_while_the_picture_changed_is_another_track() -> None:
    tracker = CameraTracker("gate")
    for number in range(8):
        image = draw([Thing(look=1)], noise=number)
        first = tracker.update(
            frame(image, number), detections([Thing(look=1)]), is_still=number > 3
        )
    for number in range(20, 24):
        image = draw([Thing(look=9)], noise=number)
        things = [Thing(look=9, box=CAR)]
        last = tracker.update(frame(image, number), detections(things), is_still=number > 20)
    (one,), others = first.tracks, [t for t in last.tracks if t.last_seen == last.at]
    assert one.track_id not in {track.track_id for track in others}
    assert [track.stationary_since for track in others] == [frame(image, 20).captured_at]
