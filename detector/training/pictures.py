"""Unlabelled pictures to look at: folders of images and clips, read one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from detector.readers.opening import read_file
from detector.readers.recorded import load_image
from detector.training.evaluation_data import IMAGE_SUFFIXES
from models.errors import SourceOpenError
from models.seeing import Image
from models.zone import Camera, DecodeMode

CLIP_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm", ".ts", ".m4v"})
CLIP_INTERVAL_S = 2.0
"""Between two pictures of a clip; nearer ones are almost the same picture."""


def pictures(source: Path, interval_s: float = CLIP_INTERVAL_S) -> Iterator[tuple[str, Image]]:
    """Name and picture of each image below a folder, and of clips (there, or ``source`` itself).

    Raises :class:`~models.errors.SourceError` for what cannot be read: a picture that was not
    looked at must not count as one without a false alarm.
    """
    files = picture_files(source)
    for file in files:
        if file.suffix.lower() in CLIP_SUFFIXES:
            yield from _of_clip(file, interval_s)
            continue
        image = load_image(file)
        if image is None:
            raise SourceOpenError(f"{file} is no image that can be read")
        yield file.name, image


def picture_files(source: Path) -> list[Path]:
    """Images and clips below a folder, sorted; or the file itself."""
    kinds = IMAGE_SUFFIXES | CLIP_SUFFIXES
    found = [source] if source.is_file() else sorted(source.rglob("*"))
    files = [path for path in found if path.suffix.lower() in kinds]
    if not files:
        raise SourceOpenError(f"{source}: there is no image and no clip")
    return files


def _of_clip(file: Path, interval_s: float) -> Iterator[tuple[str, Image]]:
    camera = Camera(
        camera_id=file.stem,
        name=file.stem,
        source=str(file),
        legal_basis="a recording that was handed over for measuring",
        zones=(),
        look_interval_s=interval_s,
        decode=DecodeMode.FULL,
    )
    for frame in read_file(camera):
        yield f"{file.stem} {frame.stream_s:.1f} s", frame.image
