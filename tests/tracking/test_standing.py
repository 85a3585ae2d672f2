"""What stands, since when, and what only seems to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.geometry import Box
from tests.support.street import (
    CAR,
    START,
    Thing,
    Watch,
    longest_stand_s,
    parked,
    stood_s,
    track_at,
)

INTERVALS = pytest.mark.parametrize("interval", [0.2, 0.5, 1.0, 2.0, 5.0])
LORRY = Box(180, 60, 480, 300)


def shifted(box: Box, x: float, y: float = 0.0) -> Box:
    return Box(box.x1 + x, box.y1 + y, box.x2 + x, box.y2 + y)


@INTERVALS
def test_a_parked_car_stands_from_its_first_look(interval: float) -> None:
    watch = Watch()
    look = watch.during(0, 20 * interval, parked(), interval)
    track = track_at(look)
    assert len(look.tracks) == 1
    assert track.stationary_since == START
    assert track.first_seen == START


@INTERVALS
def test_a_car_that_arrives_stands_from_the_look_at_which_it_had_stopped(interval: float) -> None:
    stop = 6 * interval

    def scene(second: float) -> list[Thing]:
        return [Thing(look=1, box=shifted(CAR, -40 * max(0.0, (stop - second) / interval)))]

    watch = Watch()
    look = watch.during(0, 16 * interval, scene, interval)
    track = track_at(look)
    since_s = (look.at - START).total_seconds() - stood_s(look, track)
    assert since_s == pytest.approx(stop)


@INTERVALS
def test_evenly_spaced_traffic_never_stands_however_well_the_boxes_agree(interval: float) -> None:
    def scene(second: float) -> list[Thing]:
        number = round(second / interval)
        return [Thing(look=100 + number, box=shifted(CAR, number % 3, number % 2))]

    watch = Watch()
    watch.during(0, 40 * interval, scene, interval)
    assert longest_stand_s(watch.looks) <= 2 * interval
    assert len({track.track_id for look in watch.looks for track in look.tracks}) > 10


@pytest.mark.parametrize("interval", [0.2, 0.5, 1.0])
def test_traffic_that_flows_never_stands(interval: float) -> None:
    def scene(second: float) -> list[Thing]:
        places = [(i, 120 * second - 160 * i) for i in range(80)]
        return [
            Thing(look=200 + i, box=Box(x, 200, x + 90, 260)) for i, x in places if -20 < x < 560
        ]

    watch = Watch()
    watch.during(0, 30, scene, interval)
    assert longest_stand_s(watch.looks) <= 1.0


def test_slow_crawling_is_not_standing() -> None:
    watch = Watch()
    watch.during(0, 60, lambda s: [Thing(look=1, box=shifted(CAR, 3 * s - 90))])
    assert longest_stand_s(watch.looks) < 5.0


def test_a_queue_that_moves_up_stands_only_between_its_moves() -> None:
    def scene(second: float) -> list[Thing]:
        step = int(second // 8)
        return [
            Thing(look=10 + car, box=Box(100 + 110 * place, 200, 190 + 110 * place, 260))
            for place in range(4)
            if (car := step + 3 - place) >= 0
        ]

    watch = Watch()
    watch.during(0, 64, scene)
    assert 6.0 <= longest_stand_s(watch.looks) <= 8.0


@pytest.mark.parametrize("seen_every", [2, 3])
def test_a_flickering_detector_does_not_begin_the_standing_anew(seen_every: int) -> None:
    def scene(second: float) -> list[Thing]:
        return [Thing(look=1, detected=round(second) % seen_every == 0)]

    watch = Watch()
    look = watch.during(0, 31, scene)
    assert len(look.tracks) == 1
    assert look.tracks[0].stationary_since == START
    late = [look for look in watch.looks if (look.at - START).total_seconds() >= 10]
    counted = sum(look.tracks[0].last_seen == look.at for look in late)
    assert counted == len(late)


def test_what_the_detector_saw_by_exception_does_not_count_as_seen_by_its_pixels() -> None:
    watch = Watch()
    watch.during(0, 40, lambda s: [Thing(look=1, detected=round(s) % 10 == 0)])
    seen = sum(
        track.last_seen == look.at and track.stationary_since is not None
        for look in watch.looks
        for track in look.tracks
    )
    assert seen <= 4


@pytest.mark.parametrize("share", [0.03, 0.08, 0.12])
def test_jitter_of_boxes_is_not_movement(share: float) -> None:
    random = np.random.default_rng(7)

    def scene(_second: float) -> list[Thing]:
        jitter = random.uniform(-share, share, size=4) * [100, 70, 100, 70]
        sides = [side + by for side, by in zip(CAR.xyxy, jitter, strict=True)]
        return [Thing(look=1, detected_box=Box(*sides))]

    watch = Watch()
    look = watch.during(0, 40, scene)
    assert [track.stationary_since for track in look.tracks] == [START]
    assert look.tracks[0].box.iou(CAR) > 0.85


def test_labels_that_change_keep_the_object_and_the_most_frequent_name() -> None:
    labels = ["car", "truck", "car", "bus", "car"]
    watch = Watch()
    look = watch.during(0, 25, lambda s: [Thing(look=1, label=labels[round(s) % 5])])
    assert [(track.label, track.stationary_since) for track in look.tracks] == [("car", START)]


def test_two_names_for_one_thing_in_one_look_are_one_object() -> None:
    watch = Watch()
    both = [Thing(look=1), Thing(look=1, label="truck", confidence=0.4, box=shifted(CAR, 2))]
    look = watch.during(0, 5, lambda _: both)
    assert len(look.tracks) == 1


@pytest.mark.parametrize("lorry_is_detected", [True, False], ids=["lorry seen", "lorry not seen"])
@pytest.mark.parametrize("hidden_s", [1, 10, 30, 50])
def test_what_a_lorry_hides_is_the_same_when_it_drives_on(
    hidden_s: int, lorry_is_detected: bool
) -> None:
    hidden = Thing(look=1, detected=False)
    lorry = Thing(look=9, box=LORRY, label="truck", detected=lorry_is_detected)
    watch = Watch()
    before = track_at(watch.during(0, 20, parked()))
    during = watch.during(20, 20 + hidden_s, lambda _: [hidden, lorry])
    kept = next(track for track in during.tracks if track.track_id == before.track_id)
    assert kept.last_seen == before.last_seen
    assert kept.stationary_since == START
    after = track_at(watch.during(20 + hidden_s, 30 + hidden_s, parked()))
    assert (after.track_id, after.stationary_since) == (before.track_id, START)


def test_a_passer_by_that_cuts_the_box_changes_nothing() -> None:
    def scene(second: float) -> list[Thing]:
        if not 10 <= second < 16:
            return [Thing(look=1)]
        walker = Thing(look=5, box=Box(300, 150, 335, 255), label="person")
        return [Thing(look=1, detected_box=Box(250, 180, 305, 250)), walker]

    watch = Watch()
    watch.during(0, 30, scene)
    cars = {t.track_id for look in watch.looks for t in look.tracks if t.label == "car"}
    assert len(cars) == 1
    assert stood_s(watch.looks[-1], track_at(watch.looks[-1])) == 29


@pytest.mark.parametrize("gap_s", [0, 1, 4, 20], ids=lambda s: f"after {s} s")
def test_another_car_on_the_same_spot_is_another_track(gap_s: int) -> None:
    watch = Watch()
    first = track_at(watch.during(0, 20, parked(look=1)))
    if gap_s:
        watch.during(20, 20 + gap_s, lambda _: [])
    begin = 20 + gap_s
    second = track_at(watch.during(begin, begin + 20, parked(look=2)))
    assert second.track_id != first.track_id
    assert second.stationary_since is not None
    assert (second.stationary_since - START).total_seconds() >= begin


def test_of_two_cars_in_turn_on_one_spot_only_the_first_is_ever_said_to_stand_for_long() -> None:
    watch = Watch()
    watch.during(0, 40, lambda s: [Thing(look=1 + round(s) % 2)])
    longest: dict[int, float] = {}
    for look in watch.looks:
        for track in look.tracks:
            if track.last_seen == look.at:
                longest[track.track_id] = max(longest.get(track.track_id, 0), stood_s(look, track))
    first, *others = sorted(longest)
    assert max(longest[other] for other in others) <= 2
    assert sum(look.tracks[0].track_id == first for look in watch.looks) == 40


def test_cars_of_one_colour_without_a_pattern_are_told_apart_by_their_colour() -> None:
    class Plain(Watch):
        def plain(self, second: float, colour: tuple[int, int, int]) -> None:
            from tests.support.street import background, detections, frame

            image = background().copy()
            image[180:250, 250:350] = colour
            look = self.tracker.update(frame(image, second), detections([Thing(look=0)]))
            self.looks.append(look)

    watch = Plain()
    for second in range(20):
        watch.plain(second, (40, 40, 200))
    red = track_at(watch.looks[-1])
    for second in range(20, 40):
        watch.plain(second, (200, 90, 40))
    blue = track_at(watch.looks[-1])
    assert red.stationary_since == START
    assert blue.track_id != red.track_id


@pytest.mark.parametrize(
    ("gain", "offset"),
    [(0.5, 0.0), (0.35, 10.0), (1.3, 0.0), (1.0, 40.0), (0.6, 60.0)],
    ids=["darker", "dusk", "brighter", "haze", "fog"],
)
def test_another_light_is_no_other_car(gain: float, offset: float) -> None:
    watch = Watch()
    before = track_at(watch.during(0, 10, parked()))
    for second in range(10, 20):
        look = watch.at(second, [Thing(look=1)], gain=gain, offset=offset)
    after = track_at(look)
    assert (after.track_id, after.stationary_since) == (before.track_id, START)


def test_a_light_that_changes_what_everything_looks_like_is_no_other_car() -> None:
    """Night vision sets in: foliage turns white, paint turns black."""
    from tests.support.street import detections, draw, frame

    watch = Watch()
    before = track_at(watch.during(0, 10, parked()))
    for second in range(10, 20):
        image = 255 - draw([Thing(look=1)], noise=second)
        image[:, :, :] = image.mean(axis=2, keepdims=True).astype(np.uint8) // 2
        look = watch.tracker.update(frame(image, second), detections([Thing(look=1)]))
    after = track_at(look)
    assert (after.track_id, after.stationary_since) == (before.track_id, START)


def test_a_shadow_across_the_car_is_no_other_car() -> None:
    from tests.support.street import detections, draw, frame

    watch = Watch()
    before = track_at(watch.during(0, 10, parked()))
    for second in range(10, 30):
        image = draw([Thing(look=1)], noise=second)
        edge = 240 + 6 * (second - 10)
        image[:, :edge] = (image[:, :edge] * 0.45).astype(np.uint8)
        look = watch.tracker.update(frame(image, second), detections([Thing(look=1)]))
    after = track_at(look)
    assert (after.track_id, after.stationary_since) == (before.track_id, START)


@pytest.mark.parametrize(
    "path",
    [
        lambda s: (1.5 * s, 0.4 * s),
        lambda s: (4 * np.sin(2.1 * s), 3 * np.cos(1.3 * s)),
        lambda s: (-0.9 * s, 2 * np.sin(s)),
    ],
    ids=["drift of 17 px in 11 s", "vibration", "both"],
)
def test_a_camera_that_drifts_or_shakes_does_not_move_what_stands(path) -> None:  # type: ignore[no-untyped-def]
    watch = Watch()
    for second in range(12):
        x, y = path(second)
        look = watch.at(second, [Thing(look=1)], shift=(float(x), float(y)))
    assert [stood_s(look, track) for track in look.tracks] == [11.0]


def test_a_camera_that_turned_begins_all_standing_anew() -> None:
    watch = Watch()
    watch.during(0, 20, parked())
    for second in range(20, 30):
        look = watch.at(second, [Thing(look=1)], shift=(90.0, 30.0))
    seen = track_at(look, shifted(CAR, 90, 30))
    assert 5 <= stood_s(look, seen) <= 10


def test_a_time_without_looks_is_no_departure() -> None:
    watch = Watch()
    before = track_at(watch.during(0, 10, parked()))
    after = track_at(watch.during(1000, 1010, parked()))
    assert (after.track_id, after.stationary_since) == (before.track_id, START)


def test_litter_is_known_by_its_place_even_if_it_grows() -> None:
    bag = Thing(look=3, box=Box(100, 300, 116, 312), label="litter")
    heap = replace(bag, look=4, box=Box(98, 296, 119, 313), label="garbage_pile")
    watch = Watch()
    watch.during(0, 10, lambda _: [bag])
    look = watch.during(10, 20, lambda _: [heap])
    assert [track.stationary_since for track in look.tracks] == [START]


def test_a_driver_who_opens_the_boot_does_not_make_it_another_car() -> None:
    boot = Thing(look=77, box=Box(270, 180, 350, 225), detected=False)
    driver = Thing(look=78, box=Box(300, 185, 325, 255), label="person")

    def scene(second: float) -> list[Thing]:
        return [Thing(look=1), *((boot, driver) if 20 <= second < 60 else ())]

    watch = Watch()
    before = track_at(watch.during(0, 20, scene))
    during = track_at(watch.during(20, 60, scene))
    after = track_at(watch.during(60, 70, scene))
    assert {before.track_id, during.track_id, after.track_id} == {before.track_id}
    assert after.stationary_since == START


def test_traffic_that_passes_in_front_does_not_move_what_is_parked() -> None:
    def scene(second: float) -> list[Thing]:
        x = 110 * (second % 6) - 60
        passing = Thing(look=300 + int(second // 6), box=Box(x, 215, x + 110, 290))
        return [Thing(look=1), passing]

    watch = Watch()
    watch.during(0, 60, scene)
    longest = longest_stand_s(watch.looks)
    assert longest >= 55


REAR, FRONT, WHOLE = Box(250, 180, 310, 250), Box(200, 178, 262, 246), Box(200, 178, 310, 250)


def split(second: float, spanned_every: int) -> list[Thing]:
    """A car behind a pole: two halves, and now and then a box around both."""
    halves = [
        Thing(look=1, box=REAR, confidence=0.7),
        Thing(look=2, box=FRONT, confidence=0.4, detected=round(second) % 2 == 0),
    ]
    whole = Thing(look=0, box=Box(0, 0, 1, 1), detected_box=WHOLE, confidence=0.35)
    return [*halves, whole] if spanned_every and round(second) % spanned_every == 0 else halves


def test_a_car_that_a_pole_splits_is_one_once_it_was_seen_whole_twice() -> None:
    watch = Watch()
    look = watch.during(0, 21, lambda s: split(s, spanned_every=3))
    assert [(t.stationary_since, round(t.box.x1)) for t in look.tracks] == [(START, 250)]
    ids = {track.track_id for seen in watch.looks[4:] for track in seen.tracks}
    assert len(ids) == 1


def test_two_cars_that_were_never_seen_as_one_stay_two() -> None:
    watch = Watch()
    look = watch.during(0, 21, lambda s: split(s, spanned_every=0))
    assert len(look.tracks) == 2


def test_neighbours_that_a_box_spans_stay_two_where_their_wheels_are_not_level() -> None:
    row = [
        Thing(look=1, box=Box(250, 200, 310, 270), confidence=0.8),
        Thing(look=2, box=Box(205, 170, 262, 236), confidence=0.4),
        Thing(look=0, box=Box(0, 0, 1, 1), detected_box=Box(205, 170, 310, 270), confidence=0.3),
    ]
    watch = Watch()
    look = watch.during(0, 15, lambda _: row)
    assert len(look.tracks) == 2


def test_two_pieces_of_litter_side_by_side_are_two() -> None:
    bags = [
        Thing(look=3, box=Box(100, 300, 116, 312), label="litter"),
        Thing(look=4, box=Box(120, 300, 136, 312), label="litter"),
    ]
    watch = Watch()
    look = watch.during(0, 10, lambda _: bags)
    assert len(look.tracks) == 2
    assert len({track.track_id for seen in watch.looks for track in seen.tracks}) == 2


def test_a_car_that_leaves_is_not_seen_any_more_and_later_forgotten() -> None:
    watch = Watch()
    watch.during(0, 20, parked())
    look = watch.during(20, 25, lambda _: [])
    assert all(track.last_seen < look.at for track in look.tracks)
    look = watch.during(25, 100, lambda _: [])
    assert look.tracks == ()
