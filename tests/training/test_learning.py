"""Surgery, loss and trainer, on a small network with drawn images."""

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

from detector.training.loss import (  # noqa: E402
    distilled_boxes,
    distilled_scores,
    masked_score_loss,
)
from detector.training.model import (  # noqa: E402
    interpolated,
    load_network,
    merged,
    save_network,
    with_classes,
)
from detector.training.teacher import Teacher  # noqa: E402
from detector.training.trainer import BACKBONE_LAYERS, with_rate  # noqa: E402
from models.errors import ConfigError, WeightsError  # noqa: E402

pytestmark = pytest.mark.needs_ultralytics

COCO = ("person", "bicycle", "car")
CLASSES = ("car", "person", "litter", "pothole")
KEPT = ("car", "person")
SIZE_PX = 64


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@pytest.fixture(scope="module")
def start() -> Any:
    """An untrained YOLO11n whose class branch has weights worth keeping."""
    torch.manual_seed(1)
    network = DetectionModel("yolo11n.yaml", nc=80, verbose=False)
    network.names = {i: COCO[i] if i < len(COCO) else f"other{i}" for i in range(80)}
    return network.eval()


@pytest.fixture
def images() -> Any:
    return torch.rand(2, 3, SIZE_PX, SIZE_PX, generator=torch.Generator().manual_seed(2))


def test_kept_classes_answer_exactly_as_before(start: Any, images: Any) -> None:
    network = with_classes(start, CLASSES, KEPT).eval()
    with torch.no_grad():
        before, after = start(images)[0], network(images)[0]
    assert after.shape[1] == 4 + len(CLASSES)
    assert torch.equal(after[:, :4], before[:, :4])
    assert torch.equal(after[:, 4], before[:, 4 + COCO.index("car")])
    assert torch.equal(after[:, 5], before[:, 4 + COCO.index("person")])
    assert network.names == dict(enumerate(CLASSES))


def test_the_class_branch_keeps_its_width(start: Any) -> None:
    network = with_classes(start, CLASSES, KEPT)
    assert [branch[-1].in_channels for branch in network.model[-1].cv3] == [80, 80, 80]


def test_a_class_that_the_start_does_not_know_cannot_be_kept(start: Any) -> None:
    with pytest.raises(WeightsError, match="litter"):
        with_classes(start, CLASSES, ("car", "litter"))


def test_a_saved_network_is_loaded_with_its_classes(start: Any, tmp_path: Path) -> None:
    save_network(with_classes(start, CLASSES, KEPT), tmp_path / "n.pt", {"task": "detect"})
    loaded = load_network(tmp_path / "n.pt")
    assert tuple(loaded.names.values()) == CLASSES
    assert next(loaded.parameters()).dtype == torch.float32


def test_a_file_that_holds_no_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nothing\.pt"):
        load_network(tmp_path / "nothing.pt")


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.25, 1.5), (1.0, 3.0)])
def test_interpolation_goes_from_one_network_to_the_other(share: float, value: float) -> None:
    first, last = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    torch.nn.init.constant_(first.weight, 1.0)
    torch.nn.init.constant_(last.weight, 3.0)
    assert interpolated(first, last, share).weight.item() == pytest.approx(value)


def test_merging_takes_the_rows_of_new_classes_from_the_trial(start: Any) -> None:
    first = with_classes(start, CLASSES, KEPT)
    trial = with_classes(start, CLASSES, KEPT)
    with torch.no_grad():
        for branch in trial.model[-1].cv3:
            branch[-1].bias.add_(1.0)
    mixed = merged(first, trial, 0.5, KEPT)
    for ours, a, b in zip(*(n.model[-1].cv3 for n in (mixed, first, trial)), strict=True):
        assert torch.equal(ours[-1].bias[:2], a[-1].bias[:2])
        assert torch.equal(ours[-1].bias[2:], b[-1].bias[2:])


def test_unlabelled_classes_get_no_gradient_except_on_a_labelled_object() -> None:
    logits = torch.zeros(1, 2, 3, requires_grad=True)
    targets = torch.zeros(1, 2, 3)
    targets[0, 1, 2] = 1.0
    known = torch.tensor([[True, False, False]])
    learnt = torch.ones(3, dtype=torch.bool)
    masked_score_loss(logits, targets, known, learnt).backward()
    assert logits.grad is not None
    assert (logits.grad[0] != 0).tolist() == [[True, False, False], [True, True, True]]


def test_classes_of_the_teacher_get_no_gradient_from_labels() -> None:
    logits = torch.zeros(1, 1, 2, requires_grad=True)
    known = torch.tensor([[True, True]])
    loss = masked_score_loss(logits, torch.ones(1, 1, 2), known, torch.tensor([False, True]))
    loss.backward()
    assert logits.grad is not None
    assert (logits.grad[0, 0] != 0).tolist() == [False, True]


def test_a_student_that_agrees_with_its_teacher_has_nothing_to_learn() -> None:
    logits = torch.randn(2, 5, 3)
    sides = torch.randn(2, 5, 16)
    assert distilled_scores(logits, logits).item() == pytest.approx(0.0, abs=1e-5)
    assert distilled_scores(logits + 1, logits).item() > 0
    weight = torch.ones(2, 5)
    assert distilled_boxes(sides, sides, weight, 4).item() == pytest.approx(0.0, abs=1e-5)
    assert distilled_boxes(sides.flip(-1), sides, weight, 4).item() > 0


def test_boxes_are_not_taught_where_the_teacher_is_unsure() -> None:
    sides = torch.randn(1, 2, 16, requires_grad=True)
    distilled_boxes(sides, torch.randn(1, 2, 16), torch.tensor([[1.0, 0.0]]), 4).backward()
    assert sides.grad is not None
    assert sides.grad[0, 0].abs().sum() > 0
    assert sides.grad[0, 1].abs().sum() == 0


def test_the_teacher_answers_the_same_from_the_students_shared_layers(
    start: Any, images: Any
) -> None:
    student = with_classes(start, CLASSES, KEPT).eval()
    alone = Teacher(with_classes(start, CLASSES, KEPT), shared_layers=0, precision=torch.float32)
    sharing = Teacher(with_classes(start, CLASSES, KEPT), shared_layers=5, precision=torch.float32)
    sharing.listen(student)
    with torch.no_grad():
        student(images)
    for part in ("boxes", "scores"):
        assert torch.allclose(alone(images)[part], sharing(images)[part], atol=1e-5)


def write_run(folder: Path, start: Any, epochs: int) -> Path:
    """Four drawn images of two sources, the start weights and the YAML of a run on them."""
    save_network(start, folder / "start.pt", {"task": "detect", "imgsz": SIZE_PX})
    for source, number in (("litter_set", 0), ("hole_set", 1)):
        for name in ("images", "labels"):
            (folder / "images" / source / name).mkdir(parents=True, exist_ok=True)
        for index in range(2):
            image = np.full((48, 64, 3), 90 + 60 * index, dtype=np.uint8)
            cv2.rectangle(image, (20, 10), (40, 30), (0, 200, 255 * number), -1)
            cv2.imwrite(str(folder / f"images/{source}/images/{index}.png"), image)
            label = folder / f"images/{source}/labels/{index}.txt"
            label.write_text(f"{number} 0.47 0.42 0.31 0.42\n")
    fields = {"licence": "CC0", "licence_stated": True}
    sets = {
        "litter_set": {**fields, "labels": ["litter"], "role": "train"},
        "hole_set": {**fields, "labels": ["pothole"], "absent": ["litter"], "role": "train"},
        "held": {**fields, "labels": ["litter"], "role": "validation"},
    }
    held = folder / "images/held"
    if not held.exists():
        held.symlink_to(folder / "images/litter_set")
    table = {"label_ids": ["litter", "pothole"], "sets": sets}
    (folder / "sources.yaml").write_text(yaml.safe_dump(table))
    run = {
        "name": "tiny", "classes": list(CLASSES), "kept": list(KEPT), "sources": "sources.yaml",
        "images": "images", "clips": "clips", "start": "start.pt", "image_size_px": SIZE_PX,
        "batch": 2, "epoch_images": 4, "epochs": epochs, "precision": "fp32",
        "warmup_epochs": 0.0, "last_epochs_without_mosaic": 1,
    }  # fmt: skip
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(run))
    return path


# ultralytics asks for pinned memory and steps its schedule before the first optimiser step.
@pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning")
@pytest.mark.filterwarnings("ignore:.*lr_scheduler.*:UserWarning")
def test_training_writes_a_network_of_its_classes_and_resumes(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from detector.training.trainer import train

    monkeypatch.setenv("YOLO_OFFLINE", "1")
    output = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("detector.training.trainer.StreetTrainer.final_eval", lambda _self: None)
        run = write_run(tmp_path, start, epochs=2)
        stop_after_first_epoch(patch)
        train(run, tmp_path, output)
    before = torch.load(output / "weights/last.pt", weights_only=False)
    assert before["epoch"] == 0
    weights = train(run, tmp_path, output, resume=True)
    after = torch.load(output / "weights/last.pt", weights_only=False)
    assert after["epoch"] == 1
    trained = load_network(weights)
    assert tuple(trained.names.values()) == CLASSES
    first = load_network(tmp_path / "start.pt")
    changed = [
        not torch.equal(a, b)
        for (_, a), (_, b) in zip(first.named_parameters(), trained.named_parameters(), strict=True)
        if a.shape == b.shape
    ]
    assert any(changed)
    assert torch.equal(first.model[0].conv.weight, trained.model[0].conv.weight), "is frozen"


def stop_after_first_epoch(patch: pytest.MonkeyPatch) -> None:
    """What an interrupted run looks like: the checkpoint of its first epoch, nothing more."""
    from detector.training.trainer import StreetTrainer

    def validate(trainer: Any) -> tuple[dict[str, float], None]:
        trainer.stop = True
        return {}, None

    patch.setattr(StreetTrainer, "validate", validate)


def test_a_run_with_an_unknown_field_is_refused(tmp_path: Path) -> None:
    from detector.training.run import load_run

    path = tmp_path / "run.yaml"
    path.write_text("name: x\nlearning_speed: 3\n")
    with pytest.raises(ConfigError, match="learning_speed"):
        load_run(path)


def test_each_part_of_the_network_learns_at_its_own_rate(start: Any) -> None:
    network = with_classes(start, CLASSES, KEPT)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1)
    chosen = {id(p) for p in network.model[:BACKBONE_LAYERS].parameters()}
    with_rate(optimizer, chosen, 0.2)
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert all(rates[number] == pytest.approx(0.02) for number in chosen)
    assert {rate for number, rate in rates.items() if number not in chosen} == {0.1}
    assert len(rates) == len(list(network.parameters()))
