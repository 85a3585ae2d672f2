"""Makes a cut-out object look as if it were part of a picture: light, blur, noise, shadow, edge."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.training.paste_cut import Cutout, Mask, PixelBox, mask_bounds, to_lab
from models.seeing import Image

Floats = NDArray[np.float32]

LIGHTNESS_SHARE = 0.5
"""How much of the difference in brightness of the surroundings an object takes over: a part of
it is light, the rest is only what its old and new ground are made of."""
COLOUR_SHARE = 0.25
"""The same for the colour cast of the whole pictures; much of it is what they show."""
LIGHTNESS_LIMITS, COLOUR_LIMIT = (-75.0, 35.0), 6.0
BLURS_PX = (0.0, 0.35, 0.5, 0.65, 0.8)
"""Blurs of which the one is chosen that makes an object as sharp as the background."""
STRONG_EDGES = 0.9
"""Quantile of edge strength from which an edge tells how sharp a picture is."""
EDGE_BLUR_PX = 0.5
LEAST_LEFT = 0.6
"""Least share of its difference to the ground that an object keeps in Poisson blending."""
SEEN_PIXEL = 0.5
"""Coverage from which a pixel counts as the object's."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Patch:
    """An object at its final size: colours, and how far each pixel is covered."""

    pixels: Floats
    """BGR, 0 to 255; defined outside of the object too."""
    cover: Floats
    """0 to 1, shape (height, width)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Light:
    """What a background picture is like; one for all its objects."""

    mean: Floats
    """Mean CIE Lab of the picture (8-bit scale)."""
    contrast: float
    """Standard deviation of its lightness."""
    sharpness: float
    noise: float
    """Standard deviation of its noise, grey levels."""
    shadow_shift: float
    """Sideways run of cast shadows per height; the sun's direction."""
    cast_strength: float
    """How much a cast shadow darkens, 0 for a dull day."""
    contact_strength: float


def light_of(picture: Image, rng: np.random.Generator) -> Light:
    """Measure a background; where the sun stands is drawn at random."""
    lab = to_lab(picture)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    lower = grey[grey.shape[0] // 3 :]
    rough = np.abs(lower.astype(np.float32) - cv2.medianBlur(lower, 3))
    sunny = rng.random() < 0.45
    return Light(
        mean=np.asarray(lab.reshape(-1, 3).mean(0), dtype=np.float32),
        contrast=float(lab[..., 0].std()),
        sharpness=sharpness(lower.astype(np.float32)),
        # The median over the picture is its smooth parts; 1.48 makes it a standard deviation.
        noise=float(min(6.0, 1.48 * np.median(rough))),
        shadow_shift=float(rng.uniform(-0.9, 0.9)),
        cast_strength=float(rng.uniform(0.15, 0.4)) if sunny else 0.0,
        contact_strength=float(rng.uniform(0.5, 0.8)),
    )


def sharpness(grey: Floats, cover: Floats | None = None) -> float:
    """How quickly the strongest edges rise: their second over their first differences.

    Only the strongest, so that it says how blurred a picture is and not what texture it shows.
    """
    second = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    first = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    if cover is not None:
        second, first = second[cover > SEEN_PIXEL], first[cover > SEEN_PIXEL]
    if not first.size:
        return 0.0
    strong = first >= np.quantile(first, STRONG_EDGES)
    return float(second[strong].mean() / (first[strong].mean() + 1e-3))


def shaped(
    cutout: Cutout, longer_px: float, *, turn_deg: float, flip: bool, flatten: float
) -> Patch | None:
    """Turn, flip, foreshorten and scale a cut-out; ``None`` if it would have to be enlarged.

    ``longer_px`` is the longer side before turning and foreshortening.
    """
    scale = longer_px / max(cutout.mask.shape)
    if scale > 1.2:
        return None
    pixels, mask = (a[:, ::-1] if flip else a for a in (cutout.pixels, cutout.mask))
    cover = mask.astype(np.float32) / 255
    weighted = pixels.astype(np.float32) * cover[..., None]
    matrix, size = _transform(cutout.mask.shape, turn_deg, scale, flatten)
    # Shrinking without smoothing first would leave single source pixels.
    sigma = max(0.0, 0.42 * (1 / scale - 1))
    if sigma > 0.1:
        weighted, cover = (cv2.GaussianBlur(a, (0, 0), sigma) for a in (weighted, cover))
    weighted = cv2.warpAffine(weighted, matrix, size, flags=cv2.INTER_LINEAR)
    cover = cv2.warpAffine(cover, matrix, size, flags=cv2.INTER_LINEAR)
    weighted, cover = (cv2.GaussianBlur(a, (0, 0), EDGE_BLUR_PX) for a in (weighted, cover))
    colours = weighted / np.maximum(cover, 0.02)[..., None]
    # Beyond the rim there are no colours: the object's mean, so that blurring draws in no black.
    colours[cover < 0.02] = weighted.sum((0, 1)) / max(1e-3, float(cover.sum()))
    return Patch(
        pixels=np.asarray(colours, dtype=np.float32),
        cover=np.clip((cover - 0.15) / 0.7, 0, 1).astype(np.float32),
    )


def _transform(
    shape: tuple[int, ...], turn_deg: float, scale: float, flatten: float
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    height, width = shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, scale)
    matrix = np.asarray(matrix, dtype=np.float64)
    matrix[1] *= flatten
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]])
    reached = corners @ matrix.T
    low, high = reached.min(0), reached.max(0)
    margin = 7
    matrix[:, 2] += margin - low
    size = np.ceil(high - low).astype(int) + 2 * margin
    return matrix, (int(size[0]), int(size[1]))


def seen_bounds(patch: Patch) -> PixelBox | None:
    """Tight box of what is covered, in the patch's own pixels."""
    return mask_bounds(patch.cover > SEEN_PIXEL)


def harmonised(patch: Patch, cutout: Cutout, around: Floats, light: Light) -> Patch:
    """The patch in the light of its new place; ``around`` is the mean Lab there."""
    pixels = np.clip(patch.pixels, 0, 255).astype(np.uint8)
    lab = to_lab(pixels)
    inside = patch.cover > SEEN_PIXEL
    middle = lab[inside].mean(0)
    ratio = np.sqrt(light.contrast / max(8.0, cutout.picture_contrast))
    shift = np.empty(3, dtype=np.float32)
    brighter = LIGHTNESS_SHARE * (around[0] - cutout.surroundings[0])
    shift[0] = np.clip(brighter, *LIGHTNESS_LIMITS)
    cast = COLOUR_SHARE * (light.mean - cutout.picture_mean)[1:]
    shift[1:] = np.clip(cast, -COLOUR_LIMIT, COLOUR_LIMIT)
    lab = middle + (lab - middle) * float(np.clip(ratio, 0.75, 1.05)) + shift
    changed = cv2.cvtColor(np.clip(lab, 0, 255).astype(np.uint8), cv2.COLOR_LAB2BGR)
    return Patch(pixels=_as_sharp(changed, patch.cover, light), cover=patch.cover)


def _as_sharp(pixels: Image, cover: Floats, light: Light) -> Floats:
    """Blurred until its edges rise as slowly as the background's."""
    best, least = pixels, np.inf
    for sigma in BLURS_PX:
        tried = cv2.GaussianBlur(pixels, (0, 0), sigma) if sigma else pixels
        grey = cv2.cvtColor(tried, cv2.COLOR_BGR2GRAY).astype(np.float32)
        apart = abs(sharpness(grey, cover) - light.sharpness)
        if apart < least:
            best, least = tried, apart
    return best.astype(np.float32)


def _window(picture: Image, x: int, y: int, shape: tuple[int, ...]) -> tuple[slice, ...] | None:
    """Slices of the picture and of something of ``shape`` whose corner is put at (x, y)."""
    height, width = picture.shape[:2]
    top, bottom = max(0, y), min(height, y + shape[0])
    left, right = max(0, x), min(width, x + shape[1])
    if top >= bottom or left >= right:
        return None
    inner = slice(top - y, bottom - y), slice(left - x, right - x)
    return slice(top, bottom), slice(left, right), *inner


def around_of(picture: Image, box: PixelBox) -> Floats:
    """Mean Lab of a picture around a box, mostly the ground before and beside it."""
    margin = max(4, (box[2] - box[0]) // 3)
    top = max(0, (box[1] + box[3]) // 2)
    part = picture[top : box[3] + margin, max(0, box[0] - margin) : box[2] + margin]
    return np.asarray(to_lab(part).reshape(-1, 3).mean(0), dtype=np.float32)


def cast_shadows(picture: Image, patch: Patch, x: int, y: int, light: Light) -> None:
    """Darken the ground under and beside an object whose patch will be put at (x, y)."""
    bounds = seen_bounds(patch)
    if bounds is None:
        return
    height = bounds[3] - bounds[1]
    margin = height + 6
    cover = cv2.copyMakeBorder(patch.cover, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    foot = ((bounds[0] + bounds[2]) / 2 + margin, bounds[3] + margin)
    size = (cover.shape[1], cover.shape[0])
    dark = np.zeros_like(cover)
    for share, lean, reach, sigma in (
        (light.contact_strength, 0.12 * light.shadow_shift, 0.2, 0.8 + 0.025 * height),
        (light.cast_strength, light.shadow_shift, 0.42, 0.8 + 0.035 * height),
    ):
        laid = cv2.warpAffine(cover, _laid_flat(foot, lean, reach, 1 + 0.05 * height), size)
        dark = np.maximum(dark, share * cv2.GaussianBlur(laid, (0, 0), sigma))
    window = _window(picture, x - margin, y - margin, dark.shape)
    if window is None:
        return
    rows, columns, inner_rows, inner_columns = window
    lit = 1 - dark[inner_rows, inner_columns, None]
    picture[rows, columns] = (picture[rows, columns] * lit).round().astype(np.uint8)


def _laid_flat(
    foot: tuple[float, float], lean: float, reach: float, down_px: float
) -> NDArray[np.float64]:
    """Lay an object flat on the ground: heights above its foot become ``reach`` of them.

    A little wider than the object and ``down_px`` lower: shadows show before the foot too.
    """
    wider = 1.06
    return np.array(
        [
            [wider, -lean, foot[0] * (1 - wider) + lean * foot[1]],
            [0, reach, foot[1] * (1 - reach) + down_px],
        ]
    )


def blend(
    picture: Image, patch: Patch, x: int, y: int, light: Light, rng: np.random.Generator
) -> None:
    """Put a patch into the picture, its corner at (x, y), with the background's noise."""
    window = _window(picture, x, y, patch.cover.shape)
    if window is None:
        return
    rows, columns, inner_rows, inner_columns = window
    noise = rng.normal(0, max(0.3, light.noise), patch.cover.shape)[..., None]
    noisy = np.clip(patch.pixels + noise, 0, 255)
    cover = patch.cover[inner_rows, inner_columns, None]
    under = picture[rows, columns] * (1 - cover)
    mixed = under + noisy[inner_rows, inner_columns] * cover
    picture[rows, columns] = mixed.round().astype(np.uint8)


def blend_gradients(picture: Image, patch: Patch, x: int, y: int) -> bool:
    """Put a patch in by Poisson blending, its corner at (x, y).

    ``False``, and nothing done, too near an edge and where the object would fade into the ground.
    """
    inside = patch.cover > SEEN_PIXEL
    seen: Mask = (inside * 255).astype(np.uint8)
    # OpenCV takes three px off the mask's rim before it begins.
    mask = np.asarray(cv2.dilate(seen, np.ones((9, 9), dtype=np.uint8)), dtype=np.uint8)
    mask = _framed(mask)
    bounds, height, width = mask_bounds(mask), *picture.shape[:2]
    if bounds is None or x < 2 or y < 2:
        return False
    if x + mask.shape[1] > width - 2 or y + mask.shape[0] > height - 2:
        return False
    ground = picture[y : y + mask.shape[0], x : x + mask.shape[1]].astype(np.float32)
    cover = patch.cover[..., None]
    # Around the object the ground's own colours, or its rim would be spread over the object.
    plain = patch.pixels * cover + ground * (1 - cover)
    # OpenCV centres the mask's own box on the given point.
    centre = x + (bounds[0] + bounds[2]) // 2, y + (bounds[1] + bounds[3]) // 2
    source = np.clip(plain, 0, 255).astype(np.uint8)
    done = cv2.seamlessClone(source, picture, mask, centre, cv2.NORMAL_CLONE)
    after = done[y : y + mask.shape[0], x : x + mask.shape[1]].astype(np.float32)
    if np.abs(after - ground)[inside].mean() < LEAST_LEFT * np.abs(plain - ground)[inside].mean():
        return False
    picture[:] = done
    return True


def _framed(mask: Mask) -> Mask:
    """Without its outermost row and column, which OpenCV would take for the object's."""
    framed = mask.copy()
    framed[[0, -1]] = 0
    framed[:, [0, -1]] = 0
    return framed
