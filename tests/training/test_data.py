"""Sources, splits and the assembled data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from detector.training import data as training_data
from detector.training.data import (
    assemble,
    merge_near_duplicates,
    perceptual_hash,
    split_groups,
)
from detector.training.sources import SourceTable, load_sources, source_of
from models.errors import ConfigError

SHIPPED_TABLE = Path(training_data.__file__).parent / "sources.yaml"
CLASSES = ("car", "litter", "pothole", "graffiti")


def picture(seed: int) -> np.ndarray:
    """A smooth random picture, different for each seed."""
    small = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (96, 96), interpolation=cv2.INTER_CUBIC))


@pytest.fixture
def make_set(tmp_path: Path) -> Callable[..., None]:
    """Writes one set of images with YOLO labels below ``images``."""

    def make(name: str, labels: dict[str, str], seed: int = 0) -> None:
        for folder in ("images", "labels"):
            (tmp_path / "images" / name / folder).mkdir(parents=True)
        for number, (stem, text) in enumerate(labels.items()):
            target = tmp_path / "images" / name / "images" / f"{stem}.png"
            cv2.imwrite(str(target), picture(seed + number))
            (tmp_path / "images" / name / "labels" / f"{stem}.txt").write_text(text)

    return make


def write_table(path: Path, **sets: dict[str, object]) -> SourceTable:
    filled = {
        name: {"licence": "CC0", "licence_stated": True, "role": "split", **fields}
        for name, fields in sets.items()
    }
    document = {"label_ids": ["litter", "garbage_pile", "pothole"], "sets": filled}
    path.write_text(yaml.safe_dump(document))
    return load_sources(path)


def assemble_all(folder: Path, table: SourceTable, share: float = 0.3) -> Path:
    return assemble(
        images=folder / "images",
        clips=folder / "clips",
        output=folder / "out",
        table=table,
        classes=CLASSES,
        validation_share=share,
        clip_frames=3,
    )


def test_the_shipped_table_names_only_known_classes_and_a_licence_for_every_source() -> None:
    run = yaml.safe_load((SHIPPED_TABLE.parent / "street-n2.yaml").read_text())
    table = load_sources(SHIPPED_TABLE)
    for source in table.sources.values():
        assert set(source.known) <= set(run["classes"])
        assert source.licence
    assert set(run["kept"]) <= set(run["classes"])


def test_sources_without_a_stated_licence_can_be_left_out() -> None:
    everything = load_sources(SHIPPED_TABLE)
    licensed = load_sources(SHIPPED_TABLE, licensed_only=True)
    assert "city_graffiti" in everything.sources
    assert "city_graffiti" not in licensed.sources
    assert all(source.licence_stated for source in licensed.sources.values())


@pytest.mark.parametrize(
    "text", ["sets: [", "sets: {a: {}}", "just words"], ids=["no yaml", "no role", "no mapping"]
)
def test_a_broken_table_is_refused_with_its_file_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"sources\.yaml"):
        load_sources(path)


def test_only_labelled_and_absent_classes_are_known(tmp_path: Path) -> None:
    table = write_table(tmp_path / "s.yaml", a={"labels": ["litter"], "absent": ["graffiti"]})
    assert table.known_mask(CLASSES)["a"].tolist() == [False, True, False, True]


@pytest.mark.parametrize("change", ["scaled", "brighter", "compressed"])
def test_a_changed_copy_has_nearly_the_same_hash(change: str) -> None:
    original = picture(3)
    copies = {
        "scaled": cv2.resize(original, (61, 80)),
        "brighter": cv2.convertScaleAbs(original, alpha=0.8, beta=20),
        "compressed": cv2.imdecode(cv2.imencode(".jpg", original)[1], cv2.IMREAD_COLOR),
    }
    copy = np.asarray(copies[change])
    assert (perceptual_hash(original) ^ perceptual_hash(copy)).bit_count() <= 6
    assert (perceptual_hash(original) ^ perceptual_hash(picture(4))).bit_count() > 10


def test_groups_that_share_a_near_duplicate_become_one() -> None:
    merged = merge_near_duplicates(["a", "b", "c", "a"], [0, 0xFFFFFFFF, 2**64 - 1, 0xFFFFFFFE])
    assert merged[0] == merged[1] == merged[3]
    assert merged[2] != merged[0]


@given(
    groups=st.lists(st.sampled_from([f"g{i}" for i in range(12)]), min_size=1, max_size=60),
    share=st.floats(0.05, 0.5),
)
def test_a_split_never_holds_much_more_than_its_share(groups: list[str], share: float) -> None:
    held = split_groups(groups, share)
    assert sum(group in held for group in groups) <= share * len(groups) * 1.3
    assert held == split_groups(groups, share)


def test_near_duplicates_never_cross_the_split(
    tmp_path: Path, make_set: Callable[..., None]
) -> None:
    make_set("a", {f"scene{i % 5}_{i}": "" for i in range(20)})
    table = write_table(tmp_path / "s.yaml", a={"labels": ["litter"], "group": r"(scene\d)"})
    assemble_all(tmp_path, table)
    scenes = {
        split: {
            p.name.split("__")[1].split("_")[0] for p in (tmp_path / "out/images" / split).iterdir()
        }
        for split in ("train", "val")
    }
    assert scenes["train"]
    assert scenes["val"]
    assert not scenes["train"] & scenes["val"]


def test_labels_get_the_numbers_of_the_run_and_unlabelled_classes_are_dropped(
    tmp_path: Path, make_set: Callable[..., None]
) -> None:
    make_set("a", {"one": "0 0.5 0.5 0.2 0.2\n2 0.1 0.1 0.1 0.1\n"})
    table = write_table(tmp_path / "s.yaml", a={"labels": ["litter"], "role": "train"})
    assemble_all(tmp_path, table)
    written = (tmp_path / "out/labels/train/a__one.txt").read_text().splitlines()
    assert [line.split()[0] for line in written] == [str(CLASSES.index("litter"))]


def test_a_class_is_scored_only_where_it_is_known(
    tmp_path: Path, make_set: Callable[..., None]
) -> None:
    make_set("a", {"one": ""})
    make_set("b", {"two": ""}, seed=50)
    table = write_table(
        tmp_path / "s.yaml",
        a={"labels": ["litter"], "role": "validation"},
        b={"labels": ["pothole"], "role": "validation"},
    )
    assemble_all(tmp_path, table)
    listed = (tmp_path / "out/score_litter.txt").read_text().split()
    assert [source_of(line) for line in listed] == ["a"]
    assert yaml.safe_load((tmp_path / "out/score_litter.yaml").read_text())["score"] == ["litter"]


def test_frames_of_a_clip_are_spread_over_it(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    video = cv2.VideoWriter(
        str(tmp_path / "clips/street.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (96, 96)
    )
    for number in range(20):
        video.write(np.full((96, 96, 3), number * 12, dtype=np.uint8))
    video.release()
    path = tmp_path / "s.yaml"
    clip = {"role": "train", "absent": ["litter"], "licence": "CC0", "licence_stated": True}
    path.write_text(yaml.safe_dump({"label_ids": [], "sets": {}, "clips": {"street.avi": clip}}))
    assemble_all(tmp_path, load_sources(path))
    frames = sorted((tmp_path / "out/images/train").iterdir())
    assert [frame.stem for frame in frames] == [
        f"clip_street__{number:06d}" for number in (0, 9, 19)
    ]
