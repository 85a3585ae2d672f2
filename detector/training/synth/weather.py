"""Light and weather of a picture, drawn by chance; pure."""

from __future__ import annotations

import random
from dataclasses import dataclass

from detector.training.synth.families import Colour

_KINDS = (("clear", 4.0), ("overcast", 3.0), ("dusk", 2.0), ("night", 3.0), ("rain", 3.0))
"""Weathers and how often they are drawn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weather:
    """Sun, sky, lamps, rain, and what the camera adds."""

    kind: str
    sun_elevation_deg: float
    sun_azimuth_deg: float
    sun_strength: float
    """Irradiance of the sun as Blender takes it; 0: none."""
    zenith: Colour
    horizon: Colour
    lamps_w: float = 0.0
    """Power of each street lamp; 0: they are off."""
    lamp_colour: Colour = (1.0, 0.72, 0.42)
    exposure: float = 0.0
    """Stops."""
    wet_ratio: float = 0.0
    """0 dry to 1: the ground mirrors."""
    rain_ratio: float = 0.0
    """0 none to 1: dense streaks and haze."""
    noise_sigma: float = 1.0
    """Of the camera's noise, in 8-bit steps."""
    blur_px: float = 0.4
    """Standard deviation of the lens blur."""


def sample_weather(rng: random.Random) -> Weather:
    """Draw a weather."""
    names = [name for name, _ in _KINDS]
    kind = rng.choices(names, [weight for _, weight in _KINDS])[0]
    azimuth = rng.uniform(0, 360)
    blur = rng.uniform(0.25, 0.8)
    if kind == "clear":
        return _clear(rng, azimuth, blur)
    if kind == "overcast":
        return _overcast(rng, azimuth, blur)
    if kind == "rain":
        return _rain(rng, azimuth, blur)
    return _dark(rng, kind, azimuth, blur)


def _clear(rng: random.Random, azimuth: float, blur: float) -> Weather:
    haze = rng.uniform(0.5, 0.9)
    return Weather(
        kind="clear",
        sun_elevation_deg=rng.uniform(14, 65),
        sun_azimuth_deg=azimuth,
        sun_strength=rng.uniform(2.6, 4.6),
        zenith=(0.22, 0.38, 0.72),
        horizon=(haze, haze * 1.04, haze * 1.1),
        exposure=rng.uniform(-0.35, 0.45),
        wet_ratio=rng.choice((0.0, 0.0, 0.0, 0.6)),
        noise_sigma=rng.uniform(0.5, 2.0),
        blur_px=blur,
    )


def _overcast(rng: random.Random, azimuth: float, blur: float) -> Weather:
    grey = rng.uniform(0.75, 1.15)
    return Weather(
        kind="overcast",
        sun_elevation_deg=rng.uniform(30, 70),
        sun_azimuth_deg=azimuth,
        sun_strength=rng.uniform(0.0, 0.5),
        zenith=(grey, grey * 1.02, grey * 1.05),
        horizon=(grey * 0.8, grey * 0.82, grey * 0.85),
        exposure=rng.uniform(0.1, 0.7),
        wet_ratio=rng.choice((0.0, 0.0, 0.5)),
        noise_sigma=rng.uniform(0.6, 2.5),
        blur_px=blur,
    )


def _rain(rng: random.Random, azimuth: float, blur: float) -> Weather:
    grey = rng.uniform(0.45, 0.8)
    lamps = rng.choice((0.0, 0.0, 500.0))
    return Weather(
        kind="rain",
        sun_elevation_deg=45.0,
        sun_azimuth_deg=azimuth,
        sun_strength=0.0,
        zenith=(grey, grey * 1.03, grey * 1.08),
        horizon=(grey * 0.9, grey * 0.93, grey * 0.97),
        lamps_w=lamps,
        exposure=rng.uniform(0.3, 0.9),
        wet_ratio=rng.uniform(0.6, 1.0),
        rain_ratio=rng.uniform(0.15, 1.0),
        noise_sigma=rng.uniform(1.0, 3.0),
        blur_px=blur + 0.2,
    )


def _dark(rng: random.Random, kind: str, azimuth: float, blur: float) -> Weather:
    night = kind == "night"
    level = rng.uniform(0.012, 0.03) if night else rng.uniform(0.12, 0.3)
    warm = rng.random() < 0.6
    return Weather(
        kind=kind,
        sun_elevation_deg=rng.uniform(3, 8),
        sun_azimuth_deg=azimuth,
        sun_strength=0.0 if night else rng.choice((0.0, 0.6)),
        zenith=(level * 0.7, level * 0.85, level * 1.3),
        horizon=(level * 1.4, level, level * 0.9),
        lamps_w=rng.uniform(450, 900) if night else rng.uniform(150, 450),
        lamp_colour=(1.0, 0.68, 0.36) if warm else (0.95, 0.97, 1.0),
        exposure=rng.uniform(0.6, 1.3) if night else rng.uniform(0.7, 1.4),
        wet_ratio=rng.choice((0.0, 0.0, 0.8)),
        noise_sigma=rng.uniform(2.0, 6.0) if night else rng.uniform(1.0, 3.5),
        blur_px=blur,
    )
