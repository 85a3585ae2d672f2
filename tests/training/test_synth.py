from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detector.training.synth.camera import HEIGHT_PX, WIDTH_PX, Camera
from detector.training.synth.finish import finished
from detector.training.synth.kinds import KINDS, LABEL_IDS, kinds_of
from detector.training.synth.labels import (
    is_shown,
    label_text,
    silhouette_px,
    visible_box,
    yolo_line,
)
from detector.training.synth.layout import TEST_SET, TRAIN_SET, sample_scene
from detector.training.synth.weather import Weather

SOURCES = Path(__file__).parents[2] / "detector" / "training" / "sources.yaml"
SETS = st.sampled_from((TRAIN_SET, TEST_SET))
SEEDS = st.integers(0, 100_000)
CAMERA = Camera(position=(0.0, -10.0, 5.0), target=(0.0, 0.0, 0.0), lens_mm=36.0)


def index_with(number: int, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    index = np.zeros((HEIGHT_PX, WIDTH_PX), dtype=np.uint8)
    index[y0:y1, x0:x1] = number
    return index


def square(x: float, y: float, side: float) -> np.ndarray:
    a, b = side / 2, -side / 2
    corners = np.array([(x + b, y + b, 0), (x + a, y + b, 0), (x + a, y + a, 0), (x + b, y + a, 0)])
    return corners[[[0, 1, 2], [0, 2, 3]]].astype(float)


@given(seed=SEEDS, set_name=SETS)
@settings(deadline=None, max_examples=30)
def test_a_seed_gives_the_same_scene_every_time(seed: int, set_name: str) -> None:
    assert sample_scene(seed, set_name) == sample_scene(seed, set_name)


@given(seed=SEEDS)
@settings(deadline=None, max_examples=30)
def test_the_sets_share_no_type_of_street(seed: int) -> None:
    assert not sample_scene(seed, TRAIN_SET).family.reserved
    assert sample_scene(seed, TEST_SET).family.reserved


@given(seed=SEEDS, set_name=SETS)
@settings(deadline=None, max_examples=40)
def test_everything_stands_on_a_ground_that_suits_it(seed: int, set_name: str) -> None:
    scene = sample_scene(seed, set_name)
    for thing in scene.things[1:]:
        assert scene.street.surface(thing.y) in KINDS[thing.kind].surfaces
        assert thing.z == scene.street.height(thing.y)


@given(seed=SEEDS, set_name=SETS)
@settings(deadline=None, max_examples=40)
def test_holes_lie_in_the_road_and_share_no_strip_of_it(seed: int, set_name: str) -> None:
    scene = sample_scene(seed, set_name)
    holes = [t for t in scene.things if KINDS[t.kind].opening]
    for hole in holes:
        assert abs(hole.y) + KINDS[hole.kind].radius_m < scene.street.half_m
    ends = sorted((t.x - KINDS[t.kind].radius_m, t.x + KINDS[t.kind].radius_m) for t in holes)
    assert all(a[1] < b[0] for a, b in pairwise(ends))


@given(seed=SEEDS, set_name=SETS)
@settings(deadline=None, max_examples=40)
def test_the_camera_hangs_on_a_mast_in_the_open_and_sees_the_first_thing(
    seed: int, set_name: str
) -> None:
    scene = sample_scene(seed, set_name)
    x, y, z = scene.camera.position
    thing = scene.things[0]
    assert 4 <= z <= 12
    assert 5 <= np.hypot(x - thing.x, y - thing.y) <= 40.001
    assert scene.street.open_from < y < scene.street.open_to
    column, row = scene.camera.pixels(np.array([(thing.x, thing.y, thing.z)]))[0]
    assert 0 < column < WIDTH_PX
    assert 0 < row < HEIGHT_PX


def test_about_a_quarter_of_the_scenes_are_clean_and_each_class_is_drawn() -> None:
    scenes = [sample_scene(seed, TRAIN_SET) for seed in range(200)]
    clean = sum(not any(t.label for t in scene.things) for scene in scenes)
    assert 0.17 < clean / len(scenes) < 0.34
    assert {t.label for scene in scenes for t in scene.things} == {"", *LABEL_IDS}


def test_an_unknown_set_is_refused() -> None:
    with pytest.raises(ValueError, match="no such set"):
        sample_scene(1, "rendered_else")


def test_the_numbers_are_those_of_the_table_of_sources() -> None:
    names = yaml.safe_load(SOURCES.read_text(encoding="utf-8"))["label_ids"]
    assert {name: names.index(name) for name in LABEL_IDS} == dict(LABEL_IDS)


def test_every_class_has_kinds_and_every_kind_a_known_class() -> None:
    assert all(kinds_of(label) for label in LABEL_IDS)
    assert {kind.label for kind in KINDS.values()} <= {"", *LABEL_IDS}


@given(
    x=st.integers(0, WIDTH_PX - 2),
    y=st.integers(0, HEIGHT_PX - 2),
    wide=st.integers(1, 200),
    high=st.integers(1, 200),
)
def test_a_box_is_tight_around_what_is_visible_and_its_line_says_the_same(
    x: int, y: int, wide: int, high: int
) -> None:
    box = x, y, min(WIDTH_PX, x + wide), min(HEIGHT_PX, y + high)
    index = index_with(3, *box)
    assert visible_box(index, 3) == box
    assert visible_box(index, 4) is None
    number, *values = yolo_line("pothole", box).split()
    cx, cy, w, h = (float(value) for value in values)
    assert number == "2"
    assert (cx - w / 2) * WIDTH_PX == pytest.approx(box[0], abs=0.01)
    assert (cy + h / 2) * HEIGHT_PX == pytest.approx(box[3], abs=0.01)


@pytest.mark.parametrize(
    ("box", "whole_px", "shown"),
    [
        pytest.param((10, 10, 50, 50), 1600, True, id="all of it"),
        pytest.param((10, 10, 50, 50), 5300, True, id="just enough"),
        pytest.param((10, 10, 50, 50), 5400, False, id="mostly hidden"),
        pytest.param((10, 10, 17, 17), 49, False, id="too small"),
        pytest.param((10, 10, 60, 12), 100, False, id="too thin"),
        pytest.param((10, 10, 18, 14), 32, True, id="small but seen"),
        pytest.param((10, 10, 10, 10), 500, False, id="not seen"),
    ],
)
def test_what_shows_too_little_gets_no_box(
    box: tuple[int, int, int, int], whole_px: int, *, shown: bool
) -> None:
    assert is_shown(index_with(1, *box), 1, whole_px) is shown


def test_a_clean_picture_has_an_empty_label_file() -> None:
    assert label_text([]) == ""
    two = label_text([("litter", (0, 0, 64, 38)), ("fallen_tree", (1, 1, 9, 9))])
    assert re.fullmatch(r"(\d( \d\.\d{6}){4}\n){2}", two)


@given(x=st.floats(-3, 3), y=st.floats(-3, 3), side=st.floats(0.3, 1.5))
@settings(deadline=None)
def test_a_silhouette_is_as_large_as_the_projected_square(x: float, y: float, side: float) -> None:
    faces = square(x, y, side)
    outline = CAMERA.pixels(np.array([*faces[0], faces[1][2]]))
    right, down = outline.T
    area = abs(right @ np.roll(down, 1) - down @ np.roll(right, 1)) / 2
    assume(area > 40)
    around = np.abs(np.diff(np.vstack([outline, outline[:1]]), axis=0)).sum()
    assert silhouette_px(CAMERA, faces) == pytest.approx(area, abs=around)


def test_triangles_below_a_pixel_are_counted_and_those_behind_are_not() -> None:
    many = np.concatenate([square(i * 0.01, j * 0.01, 0.01) for i in range(50) for j in range(50)])
    one = square(0.245, 0.245, 0.5)
    whole_px = silhouette_px(CAMERA, one)
    half_of_its_edge_px = 45
    assert whole_px <= silhouette_px(CAMERA, many) + 10
    assert silhouette_px(CAMERA, many) <= whole_px + 2 * half_of_its_edge_px
    assert silhouette_px(CAMERA, square(0.0, -30.0, 2.0)) == 0


@given(column=st.floats(5, 635), row=st.floats(5, 379))
def test_ground_and_pixels_undo_each_other(column: float, row: float) -> None:
    at = CAMERA.ground((column, row))
    assume(at is not None)
    assert at is not None  # for the type checker
    assert CAMERA.pixels(np.array([(*at, 0.0)]))[0] == pytest.approx((column, row), abs=1e-4)


def test_above_the_horizon_there_is_no_ground() -> None:
    level = Camera(position=(0.0, 0.0, 5.0), target=(0.0, 9.0, 5.0), lens_mm=36.0)
    assert level.ground((320, 10)) is None
    assert level.ground((320, 380)) is not None
    assert level.apparent_px((0.0, -4.0, 0.0), 1.0) == 0.0


@pytest.mark.parametrize("rain", [0.0, 1.0], ids=["dry", "rain"])
def test_finishing_keeps_size_and_follows_the_seed(rain: float) -> None:
    weather = Weather(
        kind="rain",
        sun_elevation_deg=45,
        sun_azimuth_deg=0,
        sun_strength=0,
        zenith=(1, 1, 1),
        horizon=(1, 1, 1),
        rain_ratio=rain,
        noise_sigma=2.0,
    )
    grey = np.full((60, 80, 3), 90, dtype=np.uint8)
    first, again, other = (finished(grey, weather, seed) for seed in (1, 1, 2))
    assert first.shape == grey.shape
    assert (first == again).all()
    assert (first != other).any()
    assert (float(first.mean()) > 92) is (rain > 0)
