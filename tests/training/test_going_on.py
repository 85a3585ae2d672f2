"""Going on from a trained model: its classes, its layers, and what it says where labels do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from ultralytics.nn.tasks import DetectionModel  # noqa: E402 - only where it is installed

from detector.training.loss import distilled_scores, labels_say  # noqa: E402
from detector.training.model import (  # noqa: E402
    load_network,
    same_layers,
    save_network,
    shared,
    weights_file,
    with_classes,
)
from detector.training.run import load_run  # noqa: E402
from models.errors import ConfigError, WeightsError  # noqa: E402

pytestmark = [
    pytest.mark.needs_ultralytics,
    # ultralytics asks for pinned memory and steps its schedule before the first optimiser step.
    pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*lr_scheduler.*:UserWarning"),
]

KNOWN = ("car", "litter", "pothole")
SIZE_PX = 64


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@pytest.fixture(scope="module")
def model() -> Any:
    """A model in service, untrained for speed."""
    torch.manual_seed(1)
    network = DetectionModel("yolo11n.yaml", nc=len(KNOWN), verbose=False)
    network.names = dict(enumerate(KNOWN))
    return network.eval()


def test_the_teacher_is_asked_only_where_labels_say_nothing() -> None:
    student = torch.zeros(1, 2, 2, requires_grad=True)
    targets = torch.zeros(1, 2, 2)
    targets[0, 1, 0] = 1.0  # an object of class 0 at the second place
    known = torch.tensor([[False, True]])  # class 1 is absent elsewhere
    said = labels_say(targets, known, torch.tensor([True, True]))
    assert said.tolist() == [[[False, True], [True, True]]]
    distilled_scores(student, torch.full_like(student, 2.0), ~said).backward()
    assert student.grad is not None
    assert (student.grad[0] != 0).tolist() == [[True, False], [False, False]]


def test_without_limits_the_teacher_is_asked_everywhere() -> None:
    student, teacher = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    everywhere = torch.ones(2, 5, 3, dtype=torch.bool)
    assert distilled_scores(student, teacher, everywhere) == distilled_scores(student, teacher)
    assert distilled_scores(student, teacher, ~everywhere).item() == 0.0


def test_only_layers_with_the_same_weights_are_shared(model: Any) -> None:
    copy = with_classes(model, KNOWN, KNOWN)
    assert same_layers(copy, model, 5)
    with torch.no_grad():
        copy.model[4].cv1.conv.weight.add_(0.1)
    assert same_layers(copy, model, 4)
    assert not same_layers(copy, model, 5)
    wider = DetectionModel("yolo11s.yaml", nc=3, verbose=False)
    assert not same_layers(wider, model, 1)


def test_weights_are_found_by_path_or_by_name(tmp_path: Path) -> None:
    own = tmp_path / "own.pt"
    own.write_bytes(b"x")
    assert weights_file(tmp_path, "own.pt") == own
    assert weights_file(tmp_path, "street-n").suffix == ".pt"
    with pytest.raises(WeightsError, match=r"missing\.pt"):
        weights_file(tmp_path, "missing.pt")


def write_run(folder: Path, model: Any, **changes: Any) -> Path:
    """A run on two drawn pictures of an extra table, from ``start.pt``."""
    save_network(model, folder / "start.pt", {"task": "detect", "imgsz": SIZE_PX})
    for kind in ("images", "labels"):
        (folder / "own/verdicts" / kind).mkdir(parents=True)
    for number in range(2):
        image = np.full((SIZE_PX, SIZE_PX, 3), 90 + 60 * number, dtype=np.uint8)
        cv2.imwrite(str(folder / f"own/verdicts/images/{number}.png"), image)
        (folder / f"own/verdicts/labels/{number}.txt").write_text("")
    fields = {"licence": "own", "licence_stated": True, "labels": [], "absent": ["litter"]}
    table = {"label_ids": ["litter", "pothole"], "sets": {"verdicts": {**fields, "role": "train"}}}
    (folder / "own/sources.yaml").write_text(yaml.safe_dump(table))
    run = {
        "name": "ours", "start": "start.pt", "teacher_elsewhere": True,
        "extra_sources": ["own/sources.yaml"], "image_size_px": SIZE_PX, "batch": 2,
        "epoch_images": 2, "epochs": 1, "precision": "fp32", "warmup_epochs": 0.0,
        "mosaic_ratio": 0.0, "last_epochs_without_mosaic": 0, **changes,
    }  # fmt: skip
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(run))
    return path


@pytest.mark.parametrize(
    ("classes", "learnt"),
    [
        pytest.param((), KNOWN, id="those of the start"),
        pytest.param((*KNOWN, "graffiti"), (*KNOWN, "graffiti"), id="one more"),
    ],
)
def test_a_run_on_extra_tables_alone_goes_on_from_its_start(
    model: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    classes: tuple[str, ...],
    learnt: tuple[str, ...],
) -> None:
    from detector.training.trainer import train

    monkeypatch.setenv("YOLO_OFFLINE", "1")
    config = write_run(tmp_path, model, classes=list(classes))
    trained = load_network(train(config, tmp_path, tmp_path / "out"))
    assert tuple(trained.names.values()) == learnt
    rows = trained.model[-1].cv3[0][-1].weight[: len(KNOWN)]
    first = load_network(tmp_path / "start.pt").model[-1].cv3[0][-1].weight
    assert torch.allclose(rows, first, atol=0.02), "rows of known classes are not begun anew"


def test_a_run_may_go_on_from_other_weights_than_its_teachers(model: Any, tmp_path: Path) -> None:
    from detector.training.trainer import StreetTrainer

    config = write_run(tmp_path, model, continue_from="later.pt", classes=[*KNOWN, "graffiti"])
    later = with_classes(model, KNOWN, KNOWN)
    with torch.no_grad():
        later.model[-1].cv3[0][-1].bias.add_(1.0)
    save_network(later, tmp_path / "later.pt", {"task": "detect", "imgsz": SIZE_PX})
    trainer = StreetTrainer.__new__(StreetTrainer)
    trainer.run, trainer.root, trainer.resume = load_run(config), tmp_path, False
    trainer.start, trainer.merge_with = tmp_path / "start.pt", None
    begun = trainer.get_model(weights=load_network(tmp_path / "start.pt"))
    expected = load_network(tmp_path / "later.pt").model[-1].cv3[0][-1].bias
    assert torch.equal(begun.model[-1].cv3[0][-1].bias[: len(KNOWN)], expected)
    assert shared(begun, ("graffiti", "kiosk")) == ("graffiti",)


def test_a_run_without_any_source_is_refused(model: Any, tmp_path: Path) -> None:
    from detector.training.trainer import train

    config = write_run(tmp_path, model, extra_sources=[])
    with pytest.raises(ConfigError, match="neither sources nor extra_sources"):
        train(config, tmp_path, tmp_path / "out")
