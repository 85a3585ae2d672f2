"""From judged orders to a data set."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from detector.training.cutting import MIN_CUTTING_PX, NEUTRAL, around
from detector.training.evaluation_data import load_evaluation_data
from detector.training.harvest import Harvest, class_numbers, harvest
from detector.training.judged import Judged, Verdict
from detector.training.run import load_run
from detector.training.sources import SourceTable, load_sources, with_extra
from models.errors import ConfigError, ConflictError, SetupError
from models.geometry import Box

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SIZE_PX = (640, 360)
MIDDLE = Box(0.45, 0.45, 0.55, 0.55)
BESIDE = Box(0.6, 0.45, 0.65, 0.55)
FAR = Box(0.0, 0.0, 0.05, 0.1)
RECIPE = Path(__file__).parents[2] / "detector/training/retrain.yaml"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    noise = np.random.default_rng(5).integers(0, 90, (SIZE_PX[1], SIZE_PX[0], 3), dtype=np.uint8)
    path = tmp_path / "clean.png"
    cv2.imwrite(str(path), noise)
    return path


@pytest.fixture
def order(picture: Path) -> Judged:
    return Judged(
        order_id="7f3c1f6e-6f0f-4f43-8f2f-0a4f7c0b7d11",
        number=1,
        verdict=Verdict.FALSE_ALARM,
        label="litter",
        place=MIDDLE,
        object_count=1,
        camera_id="gate",
        started_at=START,
        last_seen_at=START + timedelta(minutes=5),
        judged_at=START + timedelta(hours=1),
        judged_by="cleaning",
        model="street-n@1f3a9c02",
        config_version="5f0c9a1be2d7",
        picture=picture,
        picture_sha256="ab" * 32,
    )


def another(order: Judged, number: int = 2, **changes: Any) -> Judged:
    """A further order of the same camera and time."""
    changed: dict[str, Any] = {"order_id": f"{number:08d}-0000", "number": number, **changes}
    return replace(order, **changed)


def images_of(done: Harvest, part: str = "") -> list[np.ndarray]:
    paths = sorted(done.folder.glob(f"*{part}/images/*.jpg"))
    return [np.asarray(cv2.imread(str(path))) for path in paths]


def test_a_false_alarm_becomes_pictures_of_itself_alone_in_which_its_class_is_absent(
    order: Judged, tmp_path: Path
) -> None:
    done = harvest([order], tmp_path / "out")
    crop, wide = images_of(done)
    assert crop.shape == (MIN_CUTTING_PX, MIN_CUTTING_PX, 3)
    assert wide.shape == (SIZE_PX[1], SIZE_PX[0], 3)
    away = np.abs(wide.astype(int) - NEUTRAL).max(axis=2)
    assert (away[:, :200] < 12).all(), "what may be elsewhere in the picture is not seen"
    assert away[100:260, 240:400].mean() > 12
    (source,) = load_sources(done.folder / "sources.yaml").sources.values()
    assert source.name == f"harvest_{done.version}_rejected_litter"
    assert (source.known, source.positives) == (("litter",), ())
    assert [p.read_text() for p in done.folder.glob("*/labels/*.txt")] == ["", ""]


def test_what_was_confirmed_becomes_boxes_that_leave_the_rest_of_the_picture_unknown(
    order: Judged, tmp_path: Path
) -> None:
    confirmed = replace(order, verdict=Verdict.CONFIRMED, label="pothole")
    done = harvest([confirmed], tmp_path / "out")
    (source,) = load_sources(done.folder / "sources.yaml").sources.values()
    assert source.name == f"harvest_{done.version}_confirmed"
    assert (source.known, source.positives) == ((), ("pothole",))
    crop, wide = (p.read_text() for p in sorted(done.folder.glob("*/labels/*.txt")))
    number = class_numbers().index("pothole")
    assert wide == f"{number} 0.500000 0.500000 0.100000 0.100000\n"
    _, x, y, width, height = (float(value) for value in crop.split())
    assert x == pytest.approx(0.5, abs=0.01)
    assert y == pytest.approx(0.5, abs=0.01)
    assert width == pytest.approx(64 / MIN_CUTTING_PX, abs=0.01)
    assert height == pytest.approx(36 / MIN_CUTTING_PX, abs=0.01)


@pytest.mark.parametrize(
    ("other", "is_painted"),
    [
        pytest.param({"verdict": Verdict.CONFIRMED}, True, id="real"),
        pytest.param({"verdict": Verdict.UNCLEAR}, True, id="perhaps real"),
        pytest.param({"verdict": Verdict.FALSE_ALARM}, False, id="false as well"),
        pytest.param({"verdict": Verdict.CONFIRMED, "label": "pothole"}, False, id="other class"),
        pytest.param({"verdict": Verdict.CONFIRMED, "camera_id": "park"}, False, id="elsewhere"),
        pytest.param(
            {"verdict": Verdict.CONFIRMED, "started_at": START + timedelta(hours=1)},
            False,
            id="later",
        ),
    ],
)
def test_what_may_really_be_there_is_painted_over_beside_a_false_alarm(
    order: Judged, tmp_path: Path, other: dict[str, Any], is_painted: bool
) -> None:
    later = other.get("started_at", START) + timedelta(minutes=5)
    beside = another(order, place=BESIDE, last_seen_at=later, **other)
    done = harvest([order, beside], tmp_path / "out")
    image = images_of(done, "rejected_litter")[0]
    place = image[112, 112 + round(0.125 * SIZE_PX[0])]
    assert bool(np.abs(place.astype(int) - NEUTRAL).max() < 12) is is_painted


def test_false_alarms_are_painted_over_in_pictures_of_what_was_confirmed(
    order: Judged, tmp_path: Path
) -> None:
    confirmed = another(order, verdict=Verdict.CONFIRMED, place=FAR, label="graffiti")
    later = another(order, 3, started_at=START + timedelta(days=9))
    done = harvest([order, confirmed, later], tmp_path / "out")
    _, wide = images_of(done, "confirmed")
    assert np.abs(wide[180, 320].astype(int) - NEUTRAL).max() < 12


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"picture": None}, "it has no clean picture", id="older daemon"),
        pytest.param({"label": "kiosk"}, "its class is not trained", id="foreign class"),
        pytest.param(
            {"verdict": Verdict.CONFIRMED, "object_count": 3},
            "one box encloses several objects",
            id="several pieces",
        ),
        pytest.param(
            {"place": BESIDE.grown(0.2)},
            "something of its class may really be there",
            id="beside a real one",
        ),
    ],
)
def test_orders_that_teach_nothing_are_counted_with_the_reason(
    order: Judged, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    real = another(order, 2, verdict=Verdict.CONFIRMED, place=BESIDE)
    done = harvest([another(order, 3, **change), real], tmp_path / "out")
    assert done.unused == Counter([reason])
    assert (done.confirmed, done.false_alarms) == (1, 0)


def test_without_a_verdict_there_is_nothing_to_learn(order: Judged, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no judged order"):
        harvest([replace(order, verdict=Verdict.UNCLEAR)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_same_orders_give_the_same_version_which_is_never_written_again(
    order: Judged, tmp_path: Path
) -> None:
    first = harvest([order], tmp_path / "out")
    image = next(first.folder.glob("*/images/*"))
    written = image.stat().st_mtime_ns
    again = harvest([replace(order, judged_by="somebody else")], tmp_path / "out")
    more = harvest([order, another(order, place=FAR)], tmp_path / "out")
    assert (first.is_new, again.is_new, more.is_new) == (True, False, True)
    assert first.version == again.version != more.version
    assert image.stat().st_mtime_ns == written
    assert {path.name for path in (tmp_path / "out").iterdir()} == {first.version, more.version}


def test_a_name_is_not_used_for_other_content(order: Judged, tmp_path: Path) -> None:
    first = harvest([order], tmp_path / "out", "autumn")
    assert first.folder.name == "autumn"
    assert not harvest([order], tmp_path / "out", "autumn").is_new
    with pytest.raises(ConflictError, match="other content"):
        harvest([replace(order, label="pothole")], tmp_path / "out", "autumn")


def test_a_harvest_that_fails_leaves_nothing_behind(order: Judged, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    with pytest.raises(Exception, match=r"broken\.jpg"):
        harvest([order, another(order, picture=broken)], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_manifest_says_where_each_picture_comes_from(order: Judged, tmp_path: Path) -> None:
    done = harvest([order], tmp_path / "out")
    (line,) = (done.folder / "manifest.jsonl").read_text().splitlines()
    entry = json.loads(line)
    images = entry.pop("images")
    assert {done.folder / image for image in images} == set(done.folder.glob("*/images/*"))
    assert entry == {
        "order_id": order.order_id,
        "number": 1,
        "verdict": "false_alarm",
        "judged_at": "2026-11-24T09:00:00+00:00",
        "judged_by": "cleaning",
        "camera_id": "gate",
        "label": "litter",
        "box_ratios": [0.45, 0.45, 0.55, 0.55],
        "model": "street-n@1f3a9c02",
        "config_version": "5f0c9a1be2d7",
        "picture_sha256": "ab" * 32,
    }


def test_its_data_yaml_can_be_scored(order: Judged, tmp_path: Path) -> None:
    confirmed = another(order, verdict=Verdict.CONFIRMED, label="pothole", place=FAR)
    done = harvest([order, confirmed], tmp_path / "out")
    data = load_evaluation_data(done.folder / "data.yaml")
    assert data.score == ("litter", "pothole")
    found = [label for image in data.images for label, _ in image.read()[1]]
    assert (len(data.images), found) == (4, ["pothole", "pothole"])


@pytest.mark.parametrize("place", [MIDDLE, FAR, Box(0.9, 0.9, 1.0, 1.0), Box(0, 0, 1, 1)])
def test_a_cutting_lies_in_the_picture_and_holds_its_place(place: Box) -> None:
    cut = around(np.zeros((360, 640, 3), np.uint8), place, 2.5, "crop")
    height, width = cut.image.shape[:2]
    assert height >= MIN_CUTTING_PX
    assert width >= MIN_CUTTING_PX
    assert cut.box.clipped(width, height) == cut.box
    assert cut.box.width == pytest.approx(place.width * 640)


def test_a_harvest_joins_a_table_of_sources_and_finds_its_own_pictures(
    order: Judged, tmp_path: Path
) -> None:
    done = harvest([order], tmp_path / "out")
    table = with_extra(
        SourceTable(label_ids=class_numbers()[:3], sources={}), [done.folder / "sources.yaml"]
    )
    (source,) = table.sources.values()
    assert source.folder == done.folder
    assert table.label_ids == class_numbers()
    with pytest.raises(ConfigError, match="given twice"):
        with_extra(table, [done.folder / "sources.yaml"])


def test_tables_that_number_classes_differently_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({"label_ids": ["pothole", "litter"], "sets": {}}))
    with pytest.raises(ConfigError, match="label_ids differ"):
        with_extra(SourceTable(label_ids=("litter",), sources={}), [path])


def test_the_recipe_for_a_retrain_goes_on_from_the_shipped_model() -> None:
    run = load_run(RECIPE)
    assert (run.start, run.classes, run.teacher_elsewhere) == ("street-n", (), True)
    assert run.sources is None
    assert run.extra_sources
