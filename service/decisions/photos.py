"""Makes a picture that somebody sent harmless: decoded, bounded, turned upright, encoded anew.

Nothing of the file itself is kept: no EXIF, no place, no comments, no second content behind it.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from models.errors import EvidenceError

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 50_000_000
"""Of any camera today; a file that claims more is meant to fill the memory."""
LONGEST_SIDE_PX = 2560
QUALITY = 88


@dataclass(frozen=True, kw_only=True, slots=True)
class Photo:
    """A JPEG made here."""

    content: bytes
    width_px: int
    height_px: int


def harmless(content: bytes) -> Photo:
    """The picture as a new JPEG; raises :class:`EvidenceError` for what is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _encoded(content)
    except (UnidentifiedImageError, ImportError) as error:
        # ImportError: where ultralytics is loaded, it makes Pillow look for a reader of HEIF first.
        raise EvidenceError("not a JPEG, PNG or WebP picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise EvidenceError("the picture is too large") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise EvidenceError("the picture is damaged") from error


def _encoded(content: bytes) -> Photo:
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        # By the header, before anything is decoded.
        if image.width * image.height > MAX_PIXELS:
            raise EvidenceError("the picture is too large")
        image.draft("RGB", (LONGEST_SIDE_PX, LONGEST_SIDE_PX))
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=QUALITY)
    return Photo(content=out.getvalue(), width_px=clean.width, height_px=clean.height)
