"""Pasting whole sets: what may be used, what is known of them, going on after a stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer
import yaml
from typer.testing import CliRunner

from detector.training import data as training_data
from detector.training.data import assemble, read_samples, split_samples
from detector.training.paste import PREFIX, paste
from detector.training.paste_parts import load_paste_table
from detector.training.run import load_run
from detector.training.sources import load_sources
from models.errors import ConfigError
from service.cli import training

SHIPPED = Path(training_data.__file__).parent
LABEL_IDS = ["litter", "garbage_pile", "pothole"]


def road(seed: int) -> np.ndarray:
    """Rough grey ground under large soft patches, so that no two are near-duplicates."""
    rng = np.random.default_rng(seed)
    patches = cv2.resize(rng.normal(0, 9, (6, 8)), (320, 240), interpolation=cv2.INTER_CUBIC)
    rough = 110 + patches[..., None] + cv2.GaussianBlur(rng.normal(0, 14, (240, 320, 3)), (0, 0), 1)
    return np.asarray(np.clip(rough, 0, 255), dtype=np.uint8)


def with_piece(seed: int) -> tuple[np.ndarray, str]:
    """A road with one coloured piece on it, and its label line."""
    picture = road(seed)
    colour = [(20, 20, 200), (20, 190, 20), (200, 60, 20)][seed % 3]
    cv2.ellipse(picture, (160, 120), (40, 28), 0, 0, 360, colour, cv2.FILLED)
    for x in range(126, 196, 8):
        cv2.line(picture, (x, 110), (x, 130), (230, 230, 230), 1)
    return picture, f"0 0.5 0.5 {81 / 320} {57 / 240}\n"


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A folder with pieces in two sets, a road to paste onto, and the run's YAML files."""
    for name, first, count in (("pieces", 0, 16), ("other_pieces", 100, 4), ("road", 200, 6)):
        for folder in ("images", "labels"):
            (tmp_path / "images" / name / folder).mkdir(parents=True)
        for number in range(first, first + count):
            picture, label = with_piece(number)
            if name == "road":
                picture, label = road(number), "2 0.3 0.9 0.2 0.1\n1 0.8 0.9 0.1 0.1\n"
            cv2.imwrite(str(tmp_path / f"images/{name}/images/{number}.png"), picture)
            (tmp_path / f"images/{name}/labels/{number}.txt").write_text(label)
    origin: dict[str, Any] = {"licence": "CC0", "licence_stated": True}
    sets = {
        "pieces": {**origin, "role": "split", "labels": ["litter"]},
        "other_pieces": {**origin, "role": "train", "labels": ["litter"]},
        "road": {
            **origin, "role": "train", "labels": ["pothole"], "absent": ["litter", "garbage_pile"],
        },
        PREFIX + "road": {
            **origin, "role": "train", "generated": True,
            "labels": ["litter", "garbage_pile", "pothole"],
        },
    }  # fmt: skip
    table = {"label_ids": LABEL_IDS, "sets": sets}
    (tmp_path / "sources.yaml").write_text(yaml.safe_dump(table))
    view = {"horizon_ratio": -0.2, "camera_height_m": 1.0, "top_ratio": 0.2}
    objects = {name: {"seen_from_above": False} for name in ("pieces", "other_pieces")}
    document = {"objects": objects, "backgrounds": {"road": view}}
    (tmp_path / "paste.yaml").write_text(yaml.safe_dump(document))
    write_run(tmp_path)
    return tmp_path


def write_run(folder: Path, **fields: object) -> Path:
    run = {
        "name": "test", "classes": LABEL_IDS, "kept": [], "sources": "sources.yaml",
        "images": "images", "clips": "clips", "start": "none.pt", "validation_share": 0.4,
        **fields,
    }  # fmt: skip
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(run))
    return path


def entries(output: Path) -> list[dict[str, Any]]:
    text = (output / f"{PREFIX}road/manifest.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_objects_of_validation_images_are_never_pasted(city: Path) -> None:
    made = paste(city / "run.yaml", city, city / "out", count=12, seed=3)
    assert made == {PREFIX + "road": 12}
    used = {(o["source"], o["image"]) for e in entries(city / "out") for o in e["objects"]}
    table = load_sources(city / "sources.yaml")
    samples = read_samples(city / "images", table.sources["pieces"], table, LABEL_IDS)
    parts = split_samples(
        table.sources["pieces"], samples, load_run(city / "run.yaml").validation_share
    )
    held = {("pieces", sample.image.name) for sample in parts["val"]}
    assert len(held) >= 4
    assert not used & held
    assert {source for source, _ in used} == {"pieces", "other_pieces"}


def test_what_looks_like_a_validation_image_is_not_used_either(city: Path) -> None:
    copy = cv2.imread(str(city / "images/pieces/images/0.png"))
    for number in range(100, 104):
        cv2.imwrite(str(city / f"images/other_pieces/images/{number}.png"), copy)
    config = write_run(city, held_out=["pieces"])
    with pytest.raises(ConfigError, match="no object"):
        paste(config, city, city / "out", count=4, seed=1)


def test_held_out_sources_are_neither_cut_nor_pasted_onto(city: Path) -> None:
    config = write_run(city, held_out=["pieces"])
    paste(config, city, city / "out", count=6, seed=1)
    used = {o["source"] for e in entries(city / "out") for o in e["objects"]}
    assert used == {"other_pieces"}
    config = write_run(city, held_out=["road"])
    assert paste(config, city, city / "other", count=6, seed=1) == {PREFIX + "road": 0}


def test_the_backgrounds_own_labels_stay_and_what_it_does_not_state_does_not(city: Path) -> None:
    paste(city / "run.yaml", city, city / "out", count=6, seed=1)
    for entry in entries(city / "out"):
        path = city / f"out/{PREFIX}road/labels" / f"{Path(entry['image']).stem}.txt"
        lines = path.read_text().splitlines()
        assert lines[0].split() == ["2", "0.300000", "0.900000", "0.200000", "0.100000"]
        assert len(lines) == 1 + len(entry["objects"])
        assert entry["background"]["source"] == "road"


def test_the_same_seed_makes_the_same_pictures_and_a_stop_changes_nothing(city: Path) -> None:
    paste(city / "run.yaml", city, city / "once", count=6, seed=5)
    paste(city / "run.yaml", city, city / "twice", count=3, seed=5)
    stopped = city / f"twice/{PREFIX}road"
    (stopped / "images/00001.webp").unlink()
    with (stopped / "manifest.jsonl").open("a") as manifest:
        manifest.write('{"image": "0000')
    untouched = (stopped / "images/00000.webp").stat().st_mtime_ns
    paste(city / "run.yaml", city, city / "twice", count=6, seed=5)
    assert (stopped / "images/00000.webp").stat().st_mtime_ns == untouched
    for name in ("images", "labels"):
        for path in sorted((city / f"once/{PREFIX}road" / name).iterdir()):
            assert path.read_bytes() == (stopped / name / path.name).read_bytes()
    whole = {entry["image"]: entry for entry in entries(city / "once")}
    assert {entry["image"]: entry for entry in entries(city / "twice")} == whole
    assert len(entries(city / "twice")) == 6


@pytest.mark.parametrize(
    ("fields", "seed"),
    [({}, 2), ({"held_out": ["pieces"]}, 1), ({"validation_share": 0.1}, 1)],
    ids=["seed", "held out", "share"],
)
def test_pictures_of_another_split_are_not_mixed_in(
    city: Path, fields: dict[str, object], seed: int
) -> None:
    paste(city / "run.yaml", city, city / "out", count=2, seed=1)
    with pytest.raises(ConfigError, match="another folder"):
        paste(write_run(city, **fields), city, city / "out", count=2, seed=seed)


def test_a_pasted_set_can_be_assembled_for_training(city: Path) -> None:
    paste(city / "run.yaml", city, city / "out", count=4, seed=1)
    assemble(
        images=city / "images", clips=city / "clips", generated=city / "out",
        output=city / "data", table=load_sources(city / "sources.yaml"), classes=LABEL_IDS,
        validation_share=0.4, clip_frames=2,
    )  # fmt: skip
    found = sorted((city / "data/images/train").glob(f"{PREFIX}road__*"))
    assert len(found) == 4


def test_the_command_says_how_many_pictures_each_set_holds(city: Path) -> None:
    app = typer.Typer()
    app.command()(training.paste)
    arguments = ["--config", str(city / "run.yaml"), "--data", str(city)]
    result = CliRunner().invoke(app, [*arguments, "--output", str(city / "out"), "--count", "2"])
    assert result.exit_code == 0, result.output
    assert f"{PREFIX}road: 2 pictures" in result.stdout


@pytest.mark.parametrize(
    "text",
    ["objects: [", "objects: {}", "objects: {}\nbackgrounds: {a: {hight: 1}}"],
    ids=["no yaml", "no backgrounds", "unknown field"],
)
def test_a_broken_table_is_refused_with_its_file_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "paste.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"paste\.yaml"):
        load_paste_table(path)


def test_a_shipped_pasted_set_knows_no_more_than_its_background() -> None:
    table = load_sources(SHIPPED / "sources.yaml")
    paste_table = load_paste_table(SHIPPED / "paste.yaml")
    assert set(paste_table.objects) <= set(table.sources)
    pasted = [s for s in table.sources.values() if s.name.startswith(PREFIX)]
    assert {s.name.removeprefix(PREFIX) for s in pasted} == set(paste_table.backgrounds)
    for source in pasted:
        background = table.sources[source.name.removeprefix(PREFIX)]
        assert set(source.known) == set(background.known)
        both = {"litter", "garbage_pile"}
        assert set(source.labels) == set(background.labels) | (both & set(background.known))
        assert set(source.positives) == both - set(background.known)
        assert source.generated
        assert source.role == "train"
        assert background.role != "validation"
        assert source.licence_stated <= background.licence_stated
