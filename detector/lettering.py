"""Writing on pictures, in any script the font has, and never as question marks."""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np

from models.seeing import Image

Colour = tuple[int, int, int]
"""Blue, green, red."""

WEIGHT = 500
"""Stroke weight of the font: between regular and bold."""
_SIZE_OF_HERSHEY_PX = 30.0
_NOWHERE = "\U0010ffff"
"""A code point that no font has."""


def writable(text: str, instead: str = "") -> str:
    """The text if every letter of it can be drawn, else ``instead`` (an id, for example)."""
    return text if all(_has_glyph(letter) for letter in text) else instead


def text_width_px(text: str, size_px: int) -> int:
    """Width of a line of text."""
    face = _face()
    if face is None:
        scale = size_px / _SIZE_OF_HERSHEY_PX
        return int(cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0])
    return int(cv2.getTextSize((0, 0), text, (0, 0), face, size_px, WEIGHT)[2])


def write(image: Image, text: str, at: tuple[int, int], size_px: int, colour: Colour) -> None:
    """Write a line into the picture; ``at``: left end of its base line."""
    face = _face()
    if face is None:
        scale = size_px / _SIZE_OF_HERSHEY_PX
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
    else:
        cv2.putText(image, text, at, colour, face, size_px, WEIGHT)


@functools.cache
def _face() -> Any | None:
    """OpenCV 5's own font, which has Chinese; OpenCV 4 has strokes for ASCII only."""
    return cv2.FontFace("sans") if hasattr(cv2, "FontFace") else None


@functools.lru_cache(maxsize=4096)
def _has_glyph(letter: str) -> bool:
    if letter.isascii():
        return letter.isprintable()
    face = _face()
    return face is not None and not np.array_equal(_drawn(letter), _drawn(_NOWHERE))


def _drawn(letter: str) -> Image:
    canvas = np.zeros((48, 64, 3), np.uint8)
    write(canvas, letter, (8, 34), 20, (255, 255, 255))
    return canvas
