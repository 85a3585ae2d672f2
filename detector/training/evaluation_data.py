"""Labelled images to score a detector on: an ultralytics data YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import yaml

from models.errors import ConfigError, Problem, SourceReadError
from models.geometry import Box
from models.seeing import Image

IMAGE_SUFFIXES = frozenset({".webp", ".jpg", ".jpeg", ".png", ".bmp"})


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledImage:
    """One image file and where its labels are; neither is read before it is needed."""

    image: Path
    labels: Path
    names: Mapping[int, str]

    def read(self) -> tuple[Image, tuple[tuple[str, Box], ...]]:
        """The picture (BGR) and its labelled boxes in pixels."""
        picture = cv2.imread(str(self.image))
        if picture is None:
            raise SourceReadError(f"{self.image} is no image that can be read")
        height, width = picture.shape[:2]
        return picture, tuple(self._boxes(width, height))

    def _boxes(self, width_px: int, height_px: int) -> list[tuple[str, Box]]:
        if not self.labels.exists():
            return []
        boxes = []
        for number, line in enumerate(self.labels.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                name, ratios = self._parse(line, number)
                boxes.append((name, ratios.scaled(width_px, height_px)))
        return boxes

    def _parse(self, line: str, number: int) -> tuple[str, Box]:
        try:
            fields = [float(value) for value in line.split()]
            name = self.names[int(fields[0])]
            x, y, width, height = fields[1:5]
        except (ValueError, KeyError) as error:
            problem = Problem(
                file=str(self.labels), line=number, where="", message=f"no YOLO label: {line!r}"
            )
            raise ConfigError([problem]) from error
        return name, Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationData:
    """Images and the classes that they are labelled with throughout."""

    images: tuple[LabelledImage, ...]
    names: tuple[str, ...]
    score: tuple[str, ...]
    """Classes to score, if the YAML limits them; otherwise empty."""


def load_evaluation_data(path: Path, split: str = "val") -> EvaluationData:
    """Read an ultralytics data YAML; :class:`ConfigError` says what is wrong with it."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = _names(document["names"])
        root = _root(path, document)
        listed = document[split]
        entries = [listed] if isinstance(listed, str) else list(listed)
        score = tuple(str(name) for name in document.get("score", ()))
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise _wrong(path, f"no ultralytics data YAML: {error!r}") from error
    images = [image for entry in entries for image in _list_images(path, root / entry)]
    unknown = [name for name in score if name not in names.values()]
    if unknown or not images:
        message = f"score: unknown names {unknown}" if unknown else f"{split}: no images"
        raise _wrong(path, message)
    labelled = [LabelledImage(image=i, labels=_label_path(i), names=names) for i in images]
    return EvaluationData(images=tuple(labelled), names=tuple(names.values()), score=score)


def _wrong(path: Path, message: str) -> ConfigError:
    return ConfigError([Problem(file=str(path), line=1, where="", message=message)])


def _names(listed: Any) -> dict[int, str]:
    pairs = listed.items() if isinstance(listed, Mapping) else enumerate(listed)
    return {int(number): str(name) for number, name in pairs}


def _root(path: Path, document: Mapping[str, Any]) -> Path:
    given = Path(str(document.get("path", ".")))
    return given if given.is_absolute() else path.parent / given


def _list_images(path: Path, entry: Path) -> Sequence[Path]:
    if entry.is_dir():
        return sorted(p for p in entry.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not entry.is_file():
        raise _wrong(path, f"{entry} is neither a folder of images nor a list of them")
    lines = entry.read_text(encoding="utf-8").splitlines()
    return [entry.parent / line.strip() for line in lines if line.strip()]


def _label_path(image: Path) -> Path:
    """Where ultralytics looks: the last folder ``images`` on the way becomes ``labels``."""
    parts = list(image.parts)
    for number in reversed(range(len(parts) - 1)):
        if parts[number] == "images":
            parts[number] = "labels"
            break
    return Path(*parts).with_suffix(".txt")
