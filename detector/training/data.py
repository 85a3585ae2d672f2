"""Turns the source sets and clips into one YOLO data set whose splits share no near-duplicate."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from detector.training.sources import SEPARATOR, Source, SourceTable, source_of
from models.errors import SourceReadError
from models.seeing import Image

NEAR_DUPLICATE_BITS = 10
"""Images whose 64-bit perceptual hashes differ in no more bits count as the same scene."""
NEAR_DUPLICATE_BITS_GROUPED = 2
"""The same for sets that are grouped by file name: there all views look alike (empty lanes)."""
IMAGE_SUFFIXES = {".webp", ".jpg", ".jpeg", ".png"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One image and its boxes in the class numbers of the run."""

    source: str
    image: Path
    stem: str
    boxes: tuple[tuple[int, float, float, float, float], ...]
    """Class, then centre and size as ratios of the image's sides."""
    group: str


def perceptual_hash(image: np.ndarray) -> int:
    """64 bits that change little when an image is scaled, compressed or brightened."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return int("".join("1" if bit else "0" for bit in bits), 2)


def read_image(path: Path) -> Image:
    """Picture in a file; :class:`SourceReadError` if it is none."""
    image: Image | None = cv2.imread(str(path))
    if image is None:
        raise SourceReadError(f"{path} is no image that can be read")
    return image


def merge_near_duplicates(
    groups: Sequence[str], hashes: Sequence[int], bits: int = NEAR_DUPLICATE_BITS
) -> list[str]:
    """Give all images of groups that share a near-duplicate the same group name."""
    parent = {group: group for group in groups}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    values = np.array(hashes, dtype=np.uint64)
    for i in range(len(values)):
        distances = np.bitwise_count(values[i + 1 :] ^ values[i])
        for j in np.flatnonzero(distances <= bits) + i + 1:
            parent[root(groups[int(j)])] = root(groups[i])
    return [root(group) for group in groups]


def split_groups(groups: Sequence[str], share: float) -> set[str]:
    """Choose whole groups, the same ones every time, that hold about ``share`` of the images."""
    sizes: dict[str, int] = defaultdict(int)
    for group in groups:
        sizes[group] += 1
    wanted, chosen, held = share * len(groups), set[str](), 0
    for group in sorted(sizes, key=lambda g: hashlib.sha256(g.encode()).hexdigest()):
        if held + sizes[group] <= wanted * 1.3:
            chosen.add(group)
            held += sizes[group]
        if held >= wanted:
            break
    return chosen


def read_samples(
    folder: Path, source: Source, table: SourceTable, classes: Sequence[str]
) -> list[Sample]:
    """Images of one set with those boxes that its source stands for."""
    wanted = {*source.labels, *source.positives} & set(classes)
    samples = []
    for image in sorted((folder / source.name / "images").iterdir()):
        if image.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        label = folder / source.name / "labels" / f"{image.stem}.txt"
        boxes = _read_boxes(label, table.label_ids, classes, wanted)
        group = _group(source, image.stem)
        samples.append(
            Sample(source=source.name, image=image, stem=image.stem, boxes=boxes, group=group)
        )
    return samples


def _group(source: Source, stem: str) -> str:
    match = re.search(source.group, stem) if source.group else None
    return f"{source.name}/{match.group(1) if match else stem}"


def _read_boxes(
    path: Path, label_ids: Sequence[str], classes: Sequence[str], wanted: set[str]
) -> tuple[tuple[int, float, float, float, float], ...]:
    if not path.exists():
        return ()
    boxes = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        number, x, y, width, height = (float(v) for v in line.split()[:5])
        name = label_ids[int(number)]
        if name in wanted:
            boxes.append((classes.index(name), x, y, width, height))
    return tuple(boxes)


def sample_clip(path: Path, source: Source, frames: int, folder: Path) -> list[Sample]:
    """Write ``frames`` frames spread evenly over a clip, and give them as samples."""
    video = cv2.VideoCapture(str(path))
    try:
        total = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        wanted = set(np.linspace(0, max(0, total - 1), frames).astype(int).tolist())
        samples: list[Sample] = []
        index = 0
        while True:
            read, image = video.read()
            if not read:
                return samples
            if index in wanted:
                target = folder / f"{index:06d}.jpg"
                cv2.imwrite(str(target), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
                samples.append(
                    Sample(
                        source=source.name,
                        image=target,
                        stem=target.stem,
                        boxes=(),
                        group=source.name,
                    )
                )
            index += 1
    finally:
        video.release()


def assemble(
    *,
    images: Path,
    clips: Path,
    generated: Path | None = None,
    output: Path,
    table: SourceTable,
    classes: Sequence[str],
    validation_share: float,
    clip_frames: int,
) -> Path:
    """Write images (as links) and labels below ``output``; returns the data YAML."""
    samples: dict[str, list[Sample]] = {"train": [], "val": []}
    for source in table.sources.values():
        if source.clip:
            folder = output / "frames" / source.name
            folder.mkdir(parents=True, exist_ok=True)
            found = sample_clip(clips / source.clip, source, clip_frames, folder)
        else:
            root = source.folder or (generated if source.generated and generated else images)
            found = read_samples(root, source, table, classes)
        for split, part in split_samples(source, found, validation_share).items():
            samples[split] += part
    for split, part in samples.items():
        _write(output, split, part)
    write_scoring_files(output, table, classes)
    # Ultralytics insists on validation images, though nothing is scored on them during training.
    held = {} if samples["val"] else {"val": "images/train"}
    return _write_yaml(output, "data.yaml", classes, {"train": "images/train", **held})


def write_scoring_files(output: Path, table: SourceTable, classes: Sequence[str]) -> None:
    """For each labelled class ``score_CLASS.yaml``: the validation images where it is known."""
    images = sorted((output / "images" / "val").iterdir())
    labelled = {name for source in table.sources.values() for name in source.labels}
    for name in (c for c in classes if c in labelled):
        known = [i for i in images if name in table.sources[source_of(i)].known]
        lines = "".join(f"{image.relative_to(output)}\n" for image in known)
        (output / f"score_{name}.txt").write_text(lines, encoding="utf-8")
        extra = {"val": f"score_{name}.txt", "score": [name]}
        _write_yaml(output, f"score_{name}.yaml", classes, extra)


def _write_yaml(output: Path, name: str, classes: Sequence[str], extra: Mapping[str, Any]) -> Path:
    content = {
        "path": str(output.resolve()),
        "val": "images/val",
        "names": dict(enumerate(classes)),
        **extra,
    }
    path = output / name
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def split_samples(source: Source, samples: list[Sample], share: float) -> dict[str, list[Sample]]:
    """The training and the validation part, by the source's role or whole groups of it."""
    if source.role != "split":
        return {"train" if source.role == "train" else "val": samples}
    hashes = [perceptual_hash(read_image(s.image)) for s in samples]
    bits = NEAR_DUPLICATE_BITS_GROUPED if source.group else NEAR_DUPLICATE_BITS
    groups = merge_near_duplicates([s.group for s in samples], hashes, bits)
    held = split_groups(groups, share)
    parts: dict[str, list[Sample]] = {"train": [], "val": []}
    for sample, group in zip(samples, groups, strict=True):
        parts["val" if group in held else "train"].append(sample)
    return parts


def _write(output: Path, split: str, samples: Iterable[Sample]) -> None:
    image_folder, label_folder = output / "images" / split, output / "labels" / split
    for folder in (image_folder, label_folder):
        folder.mkdir(parents=True, exist_ok=True)
    for sample in samples:
        name = f"{sample.source}{SEPARATOR}{sample.stem}"
        link = image_folder / f"{name}{sample.image.suffix}"
        link.unlink(missing_ok=True)
        link.symlink_to(sample.image.resolve())
        lines = [f"{c} {x:.6f} {y:.6f} {w:.6f} {h:.6f}" for c, x, y, w, h in sample.boxes]
        (label_folder / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
