"""Cutting objects out, putting them on the ground, and fitting them into a picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.training.paste_blend import (
    around_of,
    blend,
    blend_gradients,
    cast_shadows,
    harmonised,
    light_of,
    seen_bounds,
    shaped,
)
from detector.training.paste_compose import compose
from detector.training.paste_cut import Cutout, PixelBox, cut, mask_bounds, pixel_box
from detector.training.paste_place import (
    Ground,
    View,
    draw_anchor,
    fits,
    moving_in,
    still_picture,
    usable_ground,
    view_by_flat_ruler,
    view_of,
)
from models.seeing import Image

LABEL_IDS = ("litter", "garbage_pile", "pothole")
NEAR_VIEW = View(horizon_ratio=0.2, camera_height_m=0.8, top_ratio=0.4)


def ground_picture(seed: int = 0, height: int = 240, width: int = 320) -> Image:
    """Rough grey ground."""
    rng = np.random.default_rng(seed)
    rough = rng.normal(110, 12, (height, width, 1)) + rng.normal(0, 3, (height, width, 3))
    return np.asarray(np.clip(cv2.GaussianBlur(rough, (0, 0), 0.8), 0, 255), dtype=np.uint8)


def photograph(seed: int = 0, size: tuple[int, int] = (45, 30)) -> tuple[Image, Image, PixelBox]:
    """A red, striped ellipse on rough ground: picture, its true mask, its box."""
    picture = ground_picture(seed)
    mask = np.zeros(picture.shape[:2], dtype=np.uint8)
    cv2.ellipse(mask, (160, 120), size, 0, 0, 360, 255, cv2.FILLED)
    stripes = np.zeros_like(picture)
    stripes[..., 2] = 190
    stripes[::6, :, 1] = 120
    picture[mask > 0] = stripes[mask > 0]
    bounds = mask_bounds(mask)
    assert bounds is not None
    return picture, mask, bounds


def cut_piece(
    picture: Image, box: PixelBox, others: list[PixelBox], label: str = "litter"
) -> Cutout | str:
    return cut(
        picture,
        box,
        others,
        label=label,
        source="a",
        image="a.png",
        number=0,
        seen_from_above=False,
    )


def cutout_of(label: str = "litter", seed: int = 0, size: tuple[int, int] = (45, 30)) -> Cutout:
    picture, _, box = photograph(seed, size)
    result = cut_piece(picture, box, [], label)
    assert isinstance(result, Cutout), result
    return result


def red_bounds(picture: Image, around: PixelBox) -> PixelBox | None:
    """Box of what is clearly red near a box."""
    x0, y0, x1, y1 = around
    left, top = max(0, x0 - 8), max(0, y0 - 8)
    part = picture[top : y1 + 8, left : x1 + 8].astype(int)
    found = mask_bounds(part[..., 2] - part[..., 0] > 50)
    if found is None:
        return None
    return found[0] + left, found[1] + top, found[2] + left, found[3] + top


@pytest.mark.parametrize("label", ["litter", "garbage_pile"])
def test_a_cut_follows_the_outline(label: str) -> None:
    _, truth, box = photograph()
    mask = cutout_of(label).mask > 0
    wanted = truth[box[1] : box[3], box[0] : box[2]] > 0
    height, width = (min(a, b) for a, b in zip(mask.shape, wanted.shape, strict=True))
    both = (mask[:height, :width] & wanted[:height, :width]).sum()
    assert both / wanted.sum() > 0.85
    assert both / mask.sum() > 0.95, "no background around the object"


@pytest.mark.parametrize(
    ("box", "others", "why"),
    [
        ((100, 100, 115, 140), [], "small"),
        ((0, 60, 80, 140), [], "at the edge"),
        ((5, 5, 315, 235), [], "fills the picture"),
        ((115, 90, 205, 150), [(150, 90, 260, 160)], "overlapped"),
        ((20, 20, 90, 90), [], "nothing there"),
        ((60, 40, 260, 200), [], "loose box"),
    ],
    ids=["small", "at the edge", "fills the picture", "overlapped", "nothing", "loose"],
)
def test_bad_objects_are_refused(box: PixelBox, others: list[PixelBox], why: str) -> None:
    picture, _, _ = photograph()
    result = cut_piece(picture, box, others)
    assert isinstance(result, str), why


def test_a_bag_before_another_is_cut_and_the_one_behind_is_not() -> None:
    picture, _, box = photograph()
    behind = (box[0] - 30, box[1] - 30, box[0] + 30, box[3] - 16)
    before = (box[0] - 30, box[1] + 20, box[0] + 40, box[3] + 30)
    assert isinstance(cut_piece(picture, box, [behind]), Cutout)
    assert cut_piece(picture, box, [before]) == "overlapped"


def test_an_out_of_focus_object_is_refused() -> None:
    picture, _, box = photograph()
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 4), dtype=np.uint8)
    assert cut_piece(blurred, box, []) == "blurry"


@given(
    x=st.floats(0, 1), y=st.floats(0, 1), w=st.floats(0.01, 1), h=st.floats(0.01, 1)
)  # labels may reach over the edge
def test_pixel_boxes_stay_inside(x: float, y: float, w: float, h: float) -> None:
    x0, y0, x1, y1 = pixel_box((x, y, w, h), 320, 240)
    assert 0 <= x0 <= x1 <= 320
    assert 0 <= y0 <= y1 <= 240


def test_things_grow_evenly_below_the_horizon() -> None:
    view = View(horizon_ratio=0.25, camera_height_m=2.0)
    assert [view.px_per_m(y, 400) for y in (50, 100, 200, 300)] == [0, 0, 50, 100]


def test_a_manhole_gives_back_the_camera_that_saw_it() -> None:
    # A camera 2 m up, 288 px focal length, horizon at row 40: a 0.65 m disc 5 m away.
    focal, up, horizon, away = 288.0, 2.0, 40.0, 5.0
    middle = horizon + focal * up / away
    wide = 0.65 * focal / away
    high = wide * (middle - horizon) / np.hypot(middle - horizon, focal)
    x0, y0 = round(160 - wide / 2), round(middle - high / 2)
    box = (x0, y0, round(160 + wide / 2), round(middle + high / 2))
    view = view_by_flat_ruler(View(ruler_m=0.65), box, 320, 240)
    assert view.horizon_px(240) == pytest.approx(horizon, abs=12)
    assert view.camera_height_m == pytest.approx(up, rel=0.15)


@pytest.mark.parametrize(
    ("view", "boxes", "rulers"),
    [
        (View(ruler="manhole"), [], []),
        (View(largest_box_ratio=0.3), [(0, 100, 200, 200)], []),
    ],
    ids=["no ruler", "close-up"],
)
def test_a_picture_of_unknown_scale_is_left_out(
    view: View, boxes: list[PixelBox], rulers: list[PixelBox]
) -> None:
    assert view_of(view, boxes, rulers, 320, 240, np.random.default_rng(0)) is None


def test_labelled_things_give_the_scale() -> None:
    view = View(horizon_ratio=0.0, ruler="litter", ruler_m=0.2)
    seen = view_of(
        view, [], [(10, 80, 50, 100)], 320, 240, np.random.default_rng(0)
    )  # 40 px wide, standing at row 100
    assert seen is not None
    assert seen.px_per_m(100, 240) == pytest.approx(40 / 0.2)


def test_only_what_looks_like_the_ground_before_the_camera_is_used() -> None:
    picture = ground_picture()
    picture[60:140, 200:300] = (200, 60, 20)  # a blue car
    usable = usable_ground(picture, NEAR_VIEW, [(20, 150, 60, 200)])
    assert not usable[100:140, 210:290].any()
    assert not usable[150:200, 20:60].any(), "labelled"
    assert not usable[:90].any(), "too far away"
    assert usable[200:, 100:200].all()


def test_what_moves_is_no_ground() -> None:
    street = [ground_picture(0) for _ in range(5)]
    street[2][150:190, 100:180] = 240
    moving = moving_in(street[2], still_picture(street))
    usable = usable_ground(street[2], View(top_ratio=0.3, same_ground=False), [], moving)
    assert not usable[150:190, 100:180].any()
    assert usable[210:, :60].all()


def test_a_point_is_drawn_only_where_things_are_large_enough() -> None:
    usable = np.full((240, 320), 255, dtype=np.uint8)
    ground = Ground(view=NEAR_VIEW, usable=usable, taken=())
    rng = np.random.default_rng(0)
    for _ in range(50):
        anchor = draw_anchor(ground, 0.1, 15, rng)
        assert anchor is not None
        assert 0.1 * NEAR_VIEW.px_per_m(anchor[1], 240) >= 14.9
    assert draw_anchor(ground, 0.01, 15, rng) is None


@pytest.mark.parametrize(
    ("box", "fitting"),
    [
        ((100, 150, 140, 200), True),
        ((300, 150, 325, 200), False),
        ((45, 150, 90, 200), False),
        ((100, 60, 140, 95), False),
        ((205, 150, 240, 200), False),
    ],
    ids=["free ground", "over the edge", "on a label", "no ground", "on a pasted one"],
)
def test_objects_go_on_free_ground_only(box: PixelBox, fitting: bool) -> None:
    usable = np.zeros((240, 320), dtype=np.uint8)
    usable[100:] = 255
    ground = Ground(view=NEAR_VIEW, usable=usable, taken=((20, 150, 60, 200),))
    ground.placed.append((200, 150, 230, 190))
    assert fits(ground, box) is fitting


def test_an_object_is_never_enlarged() -> None:
    cutout = cutout_of()
    assert shaped(cutout, 300, turn_deg=0, flip=False, flatten=1) is None
    patch = shaped(cutout, 30, turn_deg=0, flip=False, flatten=1)
    assert patch is not None
    bounds = seen_bounds(patch)
    assert bounds is not None
    assert bounds[2] - bounds[0] == pytest.approx(30, abs=3)


def test_foreshortening_makes_an_object_flatter_and_no_narrower() -> None:
    patch = shaped(cutout_of(), 60, turn_deg=0, flip=False, flatten=0.5)
    assert patch is not None
    bounds = seen_bounds(patch)
    assert bounds is not None
    assert bounds[2] - bounds[0] == pytest.approx(60, abs=4)
    assert bounds[3] - bounds[1] == pytest.approx(20, abs=4)


def test_an_object_gets_darker_in_a_dark_street() -> None:
    cutout = cutout_of()
    patch = shaped(cutout, 50, turn_deg=0, flip=False, flatten=1)
    assert patch is not None
    means = []
    for picture in (ground_picture(), ground_picture() // 4):
        light = light_of(picture, np.random.default_rng(0))
        around = around_of(picture, (100, 100, 150, 140))
        means.append(harmonised(patch, cutout, around, light).pixels.mean())
    assert means[1] < means[0] - 15


def test_shadows_darken_the_ground_before_the_foot_and_nothing_far_away() -> None:
    picture = ground_picture()
    patch = shaped(cutout_of(), 50, turn_deg=0, flip=False, flatten=1)
    assert patch is not None
    bounds = seen_bounds(patch)
    assert bounds is not None
    light = light_of(picture, np.random.default_rng(0))
    shaded = picture.copy()
    cast_shadows(shaded, patch, 100, 120, light)
    foot = slice(120 + bounds[3], 120 + bounds[3] + 2), slice(115, 140)
    assert shaded[foot].mean() < picture[foot].mean() - 5
    assert np.array_equal(shaded[:60], picture[:60])
    assert np.array_equal(shaded[:, :20], picture[:, :20])


def test_poisson_blending_stays_where_it_is_put_and_off_the_edge() -> None:
    picture = ground_picture()
    patch = shaped(cutout_of(), 50, turn_deg=0, flip=False, flatten=1)
    assert patch is not None
    bounds = seen_bounds(patch)
    assert bounds is not None
    done = picture.copy()
    assert blend_gradients(done, patch, 120, 100)
    changed = mask_bounds(np.abs(done.astype(int) - picture).max(axis=2) > 25)
    assert changed is not None
    wanted = np.array(bounds) + np.array((120, 100, 120, 100))
    assert np.abs(np.array(changed) - wanted).max() <= 3
    assert not blend_gradients(done, patch, -6, 100)


def test_a_patch_over_the_edge_is_cut_off_there() -> None:
    picture = ground_picture()
    patch = shaped(cutout_of(), 50, turn_deg=0, flip=False, flatten=1)
    assert patch is not None
    light = light_of(picture, np.random.default_rng(0))
    for x, y in ((-20, 100), (300, 230), (500, 500)):
        blend(picture, patch, x, y, light, np.random.default_rng(0))
    assert picture.shape == (240, 320, 3)


@pytest.mark.parametrize("seed", range(25))
def test_pasted_boxes_are_inside_off_labels_and_tight_around_what_is_seen(seed: int) -> None:
    own = (2, 0.3, 0.75, 0.3, 0.2)
    cutouts = {
        "litter": [cutout_of(seed=1)],
        "garbage_pile": [cutout_of("garbage_pile", 2, (70, 60))],
    }
    background = ground_picture(seed, 480, 640)
    before = background.copy()
    rng = np.random.default_rng(seed)
    view = View(horizon_ratio=0.1, camera_height_m=1.5, top_ratio=0.3)
    pasted = compose(background, [own], view, cutouts, LABEL_IDS, rng)
    assert pasted is not None
    assert np.array_equal(background, before), "the background given is left as it is"
    assert 1 <= len(pasted.items) <= 8
    labelled = pixel_box(own[1:], 640, 480)
    for item in pasted.items:
        x0, y0, x1, y1 = item.box
        assert 0 <= x0 < x1 <= 640
        assert 0 <= y0 < y1 <= 480
        assert not (x0 < labelled[2] and labelled[0] < x1 and y0 < labelled[3] and labelled[1] < y1)
        line = item.label_line(LABEL_IDS, 640, 480)
        assert LABEL_IDS[line[0]] == item.cutout.label
        assert pixel_box(line[1:], 640, 480) == item.box
    alone = [i for i in pasted.items if not any(_near(i.box, j.box) for j in pasted.items)]
    for item in alone:
        found = red_bounds(pasted.picture, item.box)
        assert found is not None
        assert np.abs(np.array(found) - item.box).max() <= 3


def _near(a: PixelBox, b: PixelBox) -> bool:
    if a == b:
        return False
    return a[0] - 20 < b[2] and b[0] - 20 < a[2] and a[1] - 20 < b[3] and b[1] - 20 < a[3]


def test_no_room_gives_no_picture() -> None:
    cutouts = {"litter": [cutout_of()]}
    everywhere = (2, 0.5, 0.5, 1.0, 1.0)
    rng = np.random.default_rng(0)
    assert compose(ground_picture(), [everywhere], NEAR_VIEW, cutouts, LABEL_IDS, rng) is None
