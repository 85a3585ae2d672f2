"""Pastes cut-out litter and rubbish bags onto street pictures: ``streetwarden model paste``."""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import structlog

from detector.training.data import Sample, read_image
from detector.training.paste_compose import Pasted, compose
from detector.training.paste_cut import Cutout
from detector.training.paste_files import (
    make_folders,
    read_manifest,
    stem_of,
    stems_done,
    write_picture,
)
from detector.training.paste_parts import (
    PasteTable,
    cut_all,
    load_paste_table,
    training_parts,
)
from detector.training.paste_place import moving_in, still_picture
from detector.training.run import TrainingRun, load_run
from detector.training.sources import Source, SourceTable, load_sources
from models.errors import ConfigError, Problem
from models.seeing import Image

log = structlog.get_logger(__name__)

PREFIX = "pasted_"
"""A set of this name and a background's holds the pictures pasted onto that background."""
LONGER_SIDE_PX = 640
SETTINGS_FILE = "pasted.json"
ATTEMPTS = 12
"""Backgrounds tried for one picture; some have no room."""
STRIDE = 7
"""Steps to the next background tried: neighbours often show the same place."""
STILL_FRAMES = 21
"""Frames of a clip whose median shows the street without what moves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """All that pictures are made of."""

    table: SourceTable
    paste_table: PasteTable
    train: Mapping[str, tuple[Sample, ...]]
    """The training part of every set, boxes numbered as in the label files."""
    cutouts: Mapping[str, Sequence[Cutout]]
    seed: int


def paste(config: Path, data: Path, output: Path, *, count: int, seed: int) -> dict[str, int]:
    """Write about ``count`` pictures for a training run; returns how many each set holds now.

    Pictures that are there already are kept. Only the run's training part is cut from and pasted
    onto. :class:`ConfigError` if ``output`` holds pictures of another seed or another split.
    """
    run = load_run(config)
    table, paste_table = _tables(config, run)
    _claim(output, run, seed)
    sets = [name for name in table.sources if name.startswith(PREFIX)]
    for name in sets:
        make_folders(output / name)
    wanted = shares(table, paste_table, count)
    missing = {n: k for n, k in wanted.items() if len(_todo(output / n, k)) > 0}
    if missing:
        with tempfile.TemporaryDirectory() as frames:
            train = training_parts(run, table, paste_table, data, Path(frames))
            material = Material(
                table=table,
                paste_table=paste_table,
                train=train,
                cutouts=cut_all(train, paste_table, table.label_ids),
                seed=seed,
            )
            for name, number in missing.items():
                _fill_set(output / name, number, material)
    return {name: len(read_manifest(output / name)) for name in sets}


def _tables(config: Path, run: TrainingRun) -> tuple[SourceTable, PasteTable]:
    if run.sources is None:
        problem = Problem(file=str(config), line=1, where="sources", message="names no table")
        raise ConfigError([problem])
    path = config.parent / run.sources
    table = load_sources(
        path, licensed_only=run.licensed_only, held_out=run.held_out, left_out=run.left_out
    )
    return table, load_paste_table(path.with_name("paste.yaml"))


def _claim(output: Path, run: TrainingRun, seed: int) -> None:
    """Pictures made for another split could show what this run validates on."""
    settings = {
        "seed": seed,
        "validation_share": run.validation_share,
        "held_out": sorted(run.held_out),
        "left_out": sorted(run.left_out),
        "licensed_only": run.licensed_only,
        "clip_frames": run.clip_frames,
    }
    path = output / SETTINGS_FILE
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != settings:
        message = "pasted with another seed or for another split; choose another folder"
        raise ConfigError([Problem(file=str(path), line=1, where="", message=message)])
    output.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def shares(table: SourceTable, paste_table: PasteTable, count: int) -> dict[str, int]:
    """How many pictures each pasted set gets, by its weight.

    None for sets whose background is held out, left out or not in ``paste.yaml``.
    """
    weights = {
        source.name: source.weight
        for source in table.sources.values()
        if source.name.startswith(PREFIX) and _has_background(source.name, table, paste_table)
    }
    total = sum(weights.values())
    return {name: round(count * weight / total) for name, weight in weights.items()}


def _has_background(name: str, table: SourceTable, paste_table: PasteTable) -> bool:
    background = table.sources.get(name.removeprefix(PREFIX))
    if background is None or background.role == "validation":
        return False
    return background.name in paste_table.backgrounds


def _todo(folder: Path, number: int) -> list[int]:
    done = stems_done(folder)
    return [index for index in range(number) if stem_of(index) not in done]


def _fill_set(folder: Path, number: int, material: Material) -> None:
    """Each picture has random numbers of its own, so that a stop and a restart change nothing."""
    background = material.table.sources[folder.name.removeprefix(PREFIX)]
    samples = material.train[background.name]
    if not samples:
        log.warning("no background is left", set=folder.name)
        return
    name_number = zlib.crc32(folder.name.encode())
    order = np.random.default_rng([material.seed, name_number]).permutation(len(samples))
    still = _still_street(background, samples)
    without_room = 0
    for index in _todo(folder, number):
        rng = np.random.default_rng([material.seed, name_number, index])
        places = [order[(index + k * STRIDE) % len(order)] for k in range(ATTEMPTS)]
        found = _first_with_room([samples[int(p)] for p in places], still, material, rng)
        if found is None:
            without_room += 1
        else:
            sample, pasted = found
            stated = {*background.labels, *background.positives}
            write_picture(folder, stem_of(index), sample, pasted, material.table.label_ids, stated)
    log.info("set filled", set=folder.name, wanted=number, without_room=without_room)


def _first_with_room(
    samples: Sequence[Sample], still: Image | None, material: Material, rng: np.random.Generator
) -> tuple[Sample, Pasted] | None:
    view = material.paste_table.backgrounds[samples[0].source]
    for sample in samples:
        picture = _fitting(read_image(sample.image))
        moving = None if still is None else moving_in(picture, still)
        pasted = compose(
            picture,
            sample.boxes,
            view,
            material.cutouts,
            material.table.label_ids,
            rng,
            moving=moving,
        )
        if pasted is not None:
            return sample, pasted
    return None


def _still_street(background: Source, samples: Sequence[Sample]) -> Image | None:
    if not background.clip:
        return None
    chosen = samples[:: max(1, len(samples) // STILL_FRAMES)]
    return still_picture([_fitting(read_image(sample.image)) for sample in chosen])


def _fitting(picture: Image) -> Image:
    scale = LONGER_SIDE_PX / max(picture.shape[:2])
    if scale >= 1:
        return picture
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)
