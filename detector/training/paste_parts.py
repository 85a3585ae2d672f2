"""What may be cut out and pasted onto: a run's training part only, and the table that says how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import yaml

from detector.training.data import (
    NEAR_DUPLICATE_BITS,
    NEAR_DUPLICATE_BITS_GROUPED,
    Sample,
    perceptual_hash,
    read_image,
    read_samples,
    sample_clip,
    split_samples,
)
from detector.training.paste_cut import Cutout, cut, pixel_box
from detector.training.paste_place import View
from detector.training.run import TrainingRun
from detector.training.sources import Source, SourceTable
from models.errors import ConfigError, Problem

log = structlog.get_logger(__name__)

OBJECT_LABELS = ("litter", "garbage_pile")


@dataclass(frozen=True, kw_only=True, slots=True)
class PasteTable:
    """What ``paste.yaml`` says."""

    objects: Mapping[str, bool]
    """Sets to cut from; whether they were seen from above."""
    backgrounds: Mapping[str, View]


def load_paste_table(path: Path) -> PasteTable:
    """Read ``paste.yaml``; :class:`ConfigError` says what is wrong with it."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        objects = {n: bool(f["seen_from_above"]) for n, f in document["objects"].items()}
        views = {name: _view(fields) for name, fields in document["backgrounds"].items()}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        message = f"no table of objects and backgrounds: {error}"
        problem = Problem(file=str(path), line=1, where="", message=message)
        raise ConfigError([problem]) from error
    return PasteTable(objects=objects, backgrounds=views)


def _view(fields: Mapping[str, Any]) -> View:
    region = tuple((float(x), float(y)) for x, y in fields.get("region", ()))
    return View(**{**fields, "region": region})


def training_parts(
    run: TrainingRun, table: SourceTable, paste_table: PasteTable, data: Path, frames: Path
) -> dict[str, tuple[Sample, ...]]:
    """The run's training part by source, without any picture that looks like a validation one.

    Boxes are numbered as in the label files. ``frames`` is a folder for the frames of clips.
    """
    wanted = {*paste_table.objects, *paste_table.backgrounds} & set(table.sources)
    train: dict[str, list[Sample]] = {}
    held: list[Sample] = []
    for source in table.sources.values():
        if source.clip and source.name in wanted and source.role == "train":
            folder = frames / source.name
            folder.mkdir()
            clip = data / run.clips / source.clip
            train[source.name] = sample_clip(clip, source, run.clip_frames, folder)
        elif not source.clip and not source.generated:
            # All boxes: what the set does not stand for must not be pasted over either.
            everything = replace(source, positives=table.label_ids)
            root = source.folder or data / run.images
            samples = read_samples(root, everything, table, table.label_ids)
            split = split_samples(source, samples, run.validation_share)
            held += split.get("val", [])
            if source.name in wanted:
                train[source.name] = split.get("train", [])
    hashes = np.array([perceptual_hash(read_image(s.image)) for s in held], dtype=np.uint64)
    return {
        name: tuple(_unlike(samples, hashes, table.sources[name]))
        for name, samples in train.items()
    }


def _unlike(samples: Iterable[Sample], held: np.ndarray, source: Source) -> Iterable[Sample]:
    if source.clip or not len(held):
        return samples
    bits = NEAR_DUPLICATE_BITS_GROUPED if source.group else NEAR_DUPLICATE_BITS
    return [
        sample
        for sample in samples
        if np.bitwise_count(held ^ np.uint64(perceptual_hash(read_image(sample.image)))).min()
        > bits
    ]


def cut_all(
    train: Mapping[str, Sequence[Sample]], paste_table: PasteTable, label_ids: Sequence[str]
) -> dict[str, list[Cutout]]:
    """Every object of the training part that can be cut out well, by label."""
    cutouts: dict[str, list[Cutout]] = {label: [] for label in OBJECT_LABELS}
    refused: Counter[str] = Counter()
    for name, seen_from_above in paste_table.objects.items():
        for sample in train.get(name, ()):
            for result in _cut_sample(sample, label_ids, seen_from_above):
                if isinstance(result, str):
                    refused[result] += 1
                else:
                    cutouts[result.label].append(result)
    kept = {label: len(found) for label, found in cutouts.items()}
    log.info("objects cut out", kept=kept, refused=dict(refused))
    if not any(cutouts.values()):
        message = "no object of its training part could be cut out"
        raise ConfigError([Problem(file="paste.yaml", line=1, where="objects", message=message)])
    return cutouts


def _cut_sample(
    sample: Sample, label_ids: Sequence[str], seen_from_above: bool
) -> Iterable[Cutout | str]:
    picture = read_image(sample.image)
    height, width = picture.shape[:2]
    boxes = [pixel_box(box[1:], width, height) for box in sample.boxes]
    for number, (box, labelled) in enumerate(zip(boxes, sample.boxes, strict=True)):
        if label_ids[labelled[0]] in OBJECT_LABELS:
            yield cut(
                picture, box, boxes[:number] + boxes[number + 1 :],
                label=label_ids[labelled[0]], source=sample.source, image=sample.image.name,
                number=number, seen_from_above=seen_from_above,
            )  # fmt: skip
