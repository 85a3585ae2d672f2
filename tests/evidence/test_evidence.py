"""Pictures that people see."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector import lettering
from detector.evidence import (
    ZoneOutline,
    annotate,
    caption,
    crop,
    decode_jpeg,
    encode_jpeg,
    framed,
    outlines,
    shrunk,
)
from detector.lettering import text_width_px, writable, write
from models.errors import DetectorError
from models.geometry import Box
from models.seeing import Detection, Image, Track
from models.zone import Camera, IllegalParkingRule, Zone
from tests.support.street import START

PERSON = Detection(label="person", confidence=0.9, box=Box(100, 50, 160, 230))
TRACK = Track(
    track_id=7,
    label="car",
    confidence=0.87,
    box=Box(200, 120, 320, 200),
    first_seen=START,
    last_seen=START + timedelta(seconds=65),
    stationary_since=START,
)


def noise(width: int = 640, height: int = 360) -> Image:
    return np.random.default_rng(3).integers(0, 255, (height, width, 3), dtype=np.uint8)


def changed(before: Image, after: Image) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return np.asarray((before != after).any(axis=2))


@given(
    st.tuples(st.floats(-200, 800), st.floats(-200, 500), st.floats(0, 900), st.floats(0, 600)),
)
def test_a_close_up_always_has_a_picture_in_it(place: tuple[float, float, float, float]) -> None:
    x, y, width, height = place
    part = crop(noise(), Box(x, y, x + width, y + height))
    assert part.shape[0] >= 100
    assert part.shape[1] >= 100


def test_a_close_up_shows_the_box_and_its_surroundings_in_full_resolution() -> None:
    picture = noise(1280, 720)
    part = crop(picture, Box(500, 300, 600, 400))
    assert part.shape == (200, 200, 3)
    assert (part == picture[250:450, 450:650]).all()


def test_a_picture_survives_as_jpeg() -> None:
    data = encode_jpeg(annotate(np.full((360, 640, 3), 90, np.uint8), [TRACK], caption="Gate"))
    again = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert again is not None
    assert again.shape == (360, 640, 3)


def test_what_is_no_picture_is_an_error_of_ours() -> None:
    with pytest.raises(DetectorError):
        encode_jpeg(np.empty((0, 0, 3), np.uint8))


def drawn(*args: object, **options: object) -> float:
    picture = np.full((360, 640, 3), 90, np.uint8)
    return float(changed(picture, annotate(picture, *args, **options)).sum())  # type: ignore[arg-type]


def test_drawing_does_not_touch_the_original() -> None:
    picture = noise()
    before = picture.copy()
    annotate(picture, [TRACK], caption="x")
    assert (picture == before).all()


def test_lines_stand_below_a_close_up_and_cover_nothing_of_it() -> None:
    picture = noise(160, 160)
    done = framed(picture, ["Gate   2026-01-05 12:00:00+00:00", "Kerb: illegal parking"])
    left = (done.shape[1] - 160) // 2
    assert done.shape[1] >= 400
    assert (done[:160, left : left + 160] == picture).all()
    assert len(np.unique(done[160:].reshape(-1, 3), axis=0)) > 2


def test_a_kept_picture_comes_back_and_rubbish_is_an_error_of_ours() -> None:
    assert decode_jpeg(encode_jpeg(noise())).shape == (360, 640, 3)
    with pytest.raises(DetectorError):
        decode_jpeg(b"no picture")


def test_a_picture_is_made_smaller_but_never_larger() -> None:
    assert shrunk(noise(), 320).shape == (180, 320, 3)
    assert shrunk(noise(), 1280).shape == (360, 640, 3)


def test_a_caption_says_what_it_is_about() -> None:
    camera = Camera(camera_id="c", name="Gate", source="0", legal_basis="test", zones=())
    assert caption(camera, START, "Kerb") == "Gate   2026-01-05 12:00:00+00:00   Kerb"


def test_persons_get_no_box() -> None:
    assert drawn([PERSON]) == 0


def test_what_has_been_hidden_for_long_is_not_drawn_unless_it_is_the_matter() -> None:
    later = START + timedelta(seconds=90)
    assert drawn([TRACK], at=later) == 0
    assert drawn([TRACK], at=later, highlighted=[7]) > 0
    assert drawn([TRACK], at=START + timedelta(seconds=66)) > 0


def test_a_highlighted_track_is_red() -> None:
    picture = np.full((360, 640, 3), 90, np.uint8)
    done = annotate(picture, [TRACK], at=TRACK.last_seen, highlighted=[7])
    blue, _, red = done[160, 200].astype(int)
    assert red > blue + 100


def test_labels_of_things_close_together_do_not_cover_each_other() -> None:
    tracks = [
        replace(TRACK, track_id=i, box=Box(200 + 12 * i, 120, 300 + 12 * i, 200)) for i in range(3)
    ]
    alone = [drawn([track], at=TRACK.last_seen) for track in tracks]
    boxes_only = 2 * 100 * 9
    assert drawn(tracks, at=TRACK.last_seen) > sum(alone) - 3 * boxes_only


@pytest.mark.parametrize("size", [(160, 120), (352, 288), (1080, 1920), (3840, 2160)])
def test_pictures_of_any_size_can_be_annotated(size: tuple[int, int]) -> None:
    zone = ZoneOutline(name="消防通道", zone_id="lane", points=((5, 5), (100, 5), (100, 90)))
    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    done = annotate(picture, [TRACK], [zone], "人民路 " * 20, at=START)
    assert done.shape == picture.shape
    assert changed(picture, done).any()


def test_zones_are_placed_in_pictures_of_another_size() -> None:
    rules = (IllegalParkingRule(rule_id="r", labels=frozenset({"car"}), dwell_s=60),)
    corners = ((0.0, 0.0), (100.0, 0.0), (100.0, 50.0))
    pixels = Zone(zone_id="a", name="A", polygon=corners, in_pixels=True, rules=rules)
    ratio = replace(pixels, polygon=((0, 0), (0.5, 0), (0.5, 0.5)), in_pixels=False)
    camera = Camera(
        camera_id="c",
        name="C",
        source="0",
        legal_basis="test",
        zones=(pixels, ratio),
        resolution=(200, 100),
    )
    assert [outline.points[2] for outline in outlines(camera, 400, 200)] == [(200, 100), (200, 100)]
    unscaled = outlines(replace(camera, resolution=None), 400, 200)
    assert unscaled[0].points[2] == (100, 50)


def test_the_caption_names_camera_and_time_with_offset() -> None:
    camera = Camera(camera_id="c-1", name="路口", source="0", legal_basis="test", zones=())
    text = caption(camera, START)
    assert text.endswith("2026-01-05 12:00:00+00:00")
    assert text.startswith(writable("路口", "c-1"))


@pytest.mark.parametrize(
    ("text", "drawable"),
    [
        ("Main St. 5?", True),
        ("北京路与解放路", True),
        ("Straße 7, 2. Stock", True),
        ("🚗", False),
        ("ไทย", False),
        ("tab\t", False),
    ],
)
def test_what_the_font_lacks_is_replaced_by_the_id(text: str, drawable: bool) -> None:
    if not hasattr(cv2, "FontFace") and not text.isascii():
        drawable = False
    assert writable(text, "zone-3") == (text if drawable else "zone-3")


def test_with_an_older_opencv_only_ascii_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_face", lambda: None)
    lettering._has_glyph.cache_clear()
    try:
        assert writable("路口", "gate") == "gate"
        assert writable("Gate", "gate") == "Gate"
        picture = np.zeros((40, 200, 3), np.uint8)
        write(picture, "Gate", (5, 30), 20, (255, 255, 255))
        assert 10 < text_width_px("Gate", 20) < 100
        assert picture.any()
    finally:
        lettering._has_glyph.cache_clear()
