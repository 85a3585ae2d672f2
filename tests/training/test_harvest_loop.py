"""The whole loop: a false alarm that people reject is no longer seen after a retrain.

Everything is real: the shipped network, the dispatch service over HTTP, both commands. Only the
training is short. A scene is drawn upon a frame of a sample clip: scribbles on a wall and on the
pavement, both of which the network takes for graffiti; people say that only those on the wall are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from detector.backends import Detector, load_detector  # noqa: E402 - only where it is installed
from detector.evidence import encode_jpeg  # noqa: E402
from models.city import ModelChoice  # noqa: E402
from models.geometry import Box  # noqa: E402
from models.seeing import Image  # noqa: E402
from service.cli.app import app  # noqa: E402
from service.decisions.access import Role  # noqa: E402
from tests.support.dispatch import KEYS, Service, migrated, running_service  # noqa: E402

pytestmark = [
    pytest.mark.needs_ultralytics,
    # A minute on one free core; several where cores are shared with other work.
    pytest.mark.timeout(600),
    # ultralytics asks for pinned memory and steps its schedule before the first optimiser step.
    pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*lr_scheduler.*:UserWarning"),
]

ROOT = Path(__file__).parents[2]
CLIP, FRAME = ROOT / "sample_videos/pothole_appears.mp4", 65
RECIPE = ROOT / "detector/training/retrain.yaml"
THRESHOLD = 0.25
"""Rules go from here on unless told otherwise."""
CLEARLY = 0.35
SAME_IOU = 0.3
PAINT = ((200, 40, 40), (40, 40, 220), (30, 160, 30))
DARK = ((50, 50, 50),)
WALL, PAVEMENT = Box(60, 40, 260, 140), Box(620, 300, 780, 380)
HOLE = Box(460, 271, 580, 352)
"""Where the clip shows its pothole."""


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Something in the scene, and what people say of it."""

    label: str
    box: Box
    is_real: bool


THINGS = {
    "cables on the pavement": Thing(label="graffiti", box=PAVEMENT, is_real=False),
    "scribbles on the wall": Thing(label="graffiti", box=WALL, is_real=True),
    "pothole": Thing(label="pothole", box=HOLE, is_real=True),
}


def scribbled(image: Image, box: Box, seed: int, colours: tuple[tuple[int, ...], ...]) -> Image:
    """The picture with wild lines in a box."""
    drawn = image.copy()
    rng = np.random.default_rng(seed)
    steps = np.linspace(0, 6, 80)
    for number in range(6):
        x = np.interp(steps, np.arange(7), rng.uniform(box.x1, box.x2, 7))
        y = np.interp(steps, np.arange(7), rng.uniform(box.y1, box.y2, 7))
        line = cv2.GaussianBlur(np.stack([x, y], 1).astype(np.float32), (1, 15), 3)
        colour = colours[number % len(colours)]
        cv2.polylines(drawn, [line.astype(np.int32)], False, colour, 4, cv2.LINE_AA)
    return drawn


def frame() -> Image:
    clip = cv2.VideoCapture(str(CLIP))
    clip.set(cv2.CAP_PROP_POS_FRAMES, FRAME)
    read, image = clip.read()
    clip.release()
    assert read
    return np.asarray(image, np.uint8)


def seen(detector: Detector, image: Image, thing: Thing) -> float:
    """How sure a detector is of a thing; 0 if it does not see it."""
    (found,) = detector.detect([image])
    hits = (
        each.confidence
        for each in found
        if each.label == thing.label and each.box.iou(thing.box) > SAME_IOU
    )
    return max(hits, default=0.0)


def looked(weights: str, image: Image) -> dict[str, float]:
    choice = ModelChoice(weights=weights, min_confidence=0.05, backend="ultralytics")
    with closing(load_detector(choice)) as detector:
        return {name: seen(detector, image, thing) for name, thing in THINGS.items()}


def fooling_scene() -> Image:
    """The first scene in which the shipped network clearly sees all things, also the false one."""
    choice = ModelChoice(min_confidence=0.05, backend="ultralytics")
    with closing(load_detector(choice)) as detector:
        for seed in range(20):
            scene = scribbled(frame(), WALL, seed, PAINT)
            scene = scribbled(scene, PAVEMENT, seed + 50, DARK)
            if min(seen(detector, scene, thing) for thing in THINGS.values()) > CLEARLY:
                return scene
    raise AssertionError("no scene fools the shipped network any more: draw others")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with (
        migrated("sqlite", tmp_path) as database,
        running_service(database, tmp_path) as service,
    ):
        yield service


def report(service: Service, scene: Image, thing: Thing) -> None:
    """What the daemon posts of a thing, and what people then say of it."""
    height, width = scene.shape[:2]
    order = service.post_order(
        label=thing.label, box_xyxy=thing.box.xyxy, width_px=width, height_px=height
    )
    path = f"/api/v1/incidents/{order['incident_id']}/evidence/opened-clean"
    jpeg = {"Content-Type": "image/jpeg"}
    answer = service.detector.put(path, content=encode_jpeg(scene, 92), headers=jpeg)
    assert answer.status_code == 201, answer.text
    rejected = [{"status": "rejected", "reason_code": "false_alarm"}]
    confirmed = [{"status": "resolved"}, {"status": "verified"}]
    for step in confirmed if thing.is_real else rejected:
        answer = service.client.patch(f"/api/v1/work-orders/{order['order_id']}", json=step)
        assert answer.status_code == 200, answer.text


def command(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["model", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def harvested(service: Service, folder: Path) -> str:
    """Name of the version that the command writes below ``folder/harvests``."""
    output = str(folder / "harvests")
    key = KEYS[Role.CLIENT]
    command("harvest", "--dispatch", service.url, "--key", key, "--output", output, "--json")
    (version,) = (path for path in (folder / "harvests").iterdir() if path.name != ".pictures")
    manifest = (version / "manifest.jsonl").read_text().splitlines()
    assert len([json.loads(line) for line in manifest]) == len(THINGS)
    return version.name


def retrained(folder: Path, version: str) -> str:
    """Weights that the shipped recipe makes of a harvest, in a few steps on small pictures."""
    run = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    run |= {
        "extra_sources": [f"harvests/{version}/sources.yaml"],
        "image_size_px": 320, "batch": 4, "epoch_images": 16, "epochs": 6,
        "learning_rate": 0.0003, "precision": "fp32", "threads": 1,
    }  # fmt: skip
    config = folder / "retrain.yaml"
    config.write_text(yaml.safe_dump(run), encoding="utf-8")
    output = folder / "run"
    command("train", "--config", str(config), "--data", str(folder), "--output", str(output))
    return str(output / "weights" / f"{run['name']}.pt")


def test_a_rejected_false_alarm_is_not_seen_after_a_retrain_and_what_was_confirmed_is(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOLO_OFFLINE", "1")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    scene = fooling_scene()
    for thing in THINGS.values():
        report(service, scene, thing)
    before = looked("street-n", scene)
    after = looked(retrained(tmp_path, harvested(service, tmp_path)), scene)
    assert min(before.values()) > CLEARLY
    alarms = {name for name, confidence in after.items() if confidence >= THRESHOLD}
    assert alarms == {name for name, thing in THINGS.items() if thing.is_real}, (before, after)
