from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.backends import load_detector
from detector.backends.letterbox import PAD_VALUE
from detector.backends.torch_runtime import load_ultralytics
from detector.backends.ultralytics import UltralyticsDetector
from detector.weights.export import ExportForm, ExportOrder, export_weights
from models.city import ModelChoice
from models.errors import InferenceError, WeightsError
from models.geometry import Box
from models.seeing import Image
from tests.backends.yolo import NAMES, disagreement, make_weights, street

pytestmark = pytest.mark.needs_ultralytics

SIZES = ((1280, 720), (640, 480), (300, 500), (352, 352), (97, 61))
LEAST = 0.22
MIN_COMPARED = 40


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_weights(tmp_path_factory.mktemp("weights") / "net.pt")


@pytest.fixture(scope="module")
def streets() -> list[Image]:
    return [street(seed, *size) for seed, size in enumerate(SIZES)]


@pytest.fixture(scope="module")
def network(weights: Path) -> Iterator[UltralyticsDetector]:
    detector = UltralyticsDetector(weights, ModelChoice(weights=str(weights)))
    yield detector
    detector.close()


@pytest.mark.parametrize("form", [ExportForm.OPENVINO_FLOAT16, ExportForm.ONNX])
def test_both_backends_find_the_same_boxes_with_the_same_weights(
    tmp_path: Path,
    weights: Path,
    network: UltralyticsDetector,
    streets: list[Image],
    form: ExportForm,
) -> None:
    exported = export_weights(ExportOrder(source=weights, target=tmp_path / "out", form=form))[0]
    detector = load_detector(ModelChoice(weights=str(exported)), precision="f32")
    assert detector.labels == network.labels == NAMES
    count, worst_iou, worst_gap, alone = disagreement(
        detector.detect(streets), network.detect(streets), LEAST
    )
    assert count >= MIN_COMPARED
    assert not alone
    assert worst_iou > 0.98
    assert worst_gap < 0.01


def test_the_boxes_are_those_of_ultralytics_own_predict(
    weights: Path, network: UltralyticsDetector, streets: list[Image]
) -> None:
    model = load_ultralytics().YOLO(str(weights))
    for image, found in zip(streets, network.detect(streets), strict=True):
        (result,) = model.predict(
            image, conf=0.2, iou=0.6, imgsz=640, device="cpu", verbose=False, save=False
        )
        theirs = result.boxes.data.numpy()
        ours = np.array([[*d.box.xyxy, d.confidence, NAMES.index(d.label)] for d in found])
        assert ours.reshape(-1, 6) == pytest.approx(theirs[: len(ours)], abs=0.05)
        assert len(ours) == len(theirs)


def test_several_threads_get_the_answers_of_their_own_pictures(
    network: UltralyticsDetector, streets: list[Image]
) -> None:
    alone = [network.detect([image])[0] for image in streets]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda image: network.detect([image])[0], streets * 2))
    assert together == alone * 2
    assert len({len(answer) for answer in alone}) > 1


def test_torch_keeps_to_one_thread(network: UltralyticsDetector) -> None:
    import torch

    network.detect([street(1, 64, 64)])
    assert torch.get_num_threads() == 1
    seen: list[int] = []
    other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    other.start()
    other.join(timeout=10)
    assert seen == [1]


def test_an_openvino_folder_runs_here_too(
    tmp_path: Path, weights: Path, network: UltralyticsDetector, streets: list[Image]
) -> None:
    folder = tmp_path / "net_openvino_model"
    exported = export_weights(ExportOrder(source=weights, target=folder))[0]
    detector = load_detector(ModelChoice(weights=str(exported), backend="ultralytics"))
    assert isinstance(detector, UltralyticsDetector)
    # Ultralytics leaves the precision to OpenVINO: with bfloat16, boxes move a little.
    count, worst_iou, worst_gap, _ = disagreement(
        detector.detect(streets), network.detect(streets), 0.3
    )
    assert count > 0
    assert worst_iou > 0.5
    assert worst_gap < 0.1


# Ultralytics opens TorchScript with what torch calls out of date.
@pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated:FutureWarning")
def test_a_form_of_one_size_sees_pictures_letterboxed_into_it(
    tmp_path: Path, weights: Path
) -> None:
    source = shutil.copy(weights, tmp_path / "net.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch has much to say on TorchScript
        exported = load_ultralytics().YOLO(source).export(format="torchscript", imgsz=320)
    sized = ModelChoice(weights=str(exported), image_size_px=320)
    fixed, any_size = load_detector(sized), load_detector(replace(sized, weights=str(source)))
    wide, square = street(3, 640, 360), street(4, 352, 352)
    padded = np.full((640, 640, 3), PAD_VALUE, np.uint8)
    padded[140:500] = wide
    found_wide, found_square = fixed.detect([wide, square])
    (expected_square,) = any_size.detect([square])
    (expected_wide,) = any_size.detect([padded])
    moved = tuple(
        replace(d, box=Box(d.box.x1, d.box.y1 - 140, d.box.x2, d.box.y2 - 140).clipped(640, 360))
        for d in expected_wide
    )
    seen = tuple(d for d in moved if d.box.area > 0)
    ours, theirs = [found_wide, found_square], [seen, expected_square]
    count, worst_iou, worst_gap, alone = disagreement(ours, theirs, LEAST)
    assert count > 0
    assert (alone, worst_iou > 0.98, worst_gap < 0.01) == ([], True, True)


def test_a_class_map_renames_here_too(weights: Path, streets: list[Image]) -> None:
    choice = ModelChoice(weights=str(weights), class_map={"litter": "garbage_pile", "car": ""})
    detector = load_detector(choice)
    assert detector.labels == ("person", "garbage_pile")
    found = {d.label for answer in detector.detect(streets) for d in answer}
    assert found <= {"person", "garbage_pile"}
    assert "garbage_pile" in found


def test_a_picture_that_is_none_and_a_closed_detector_are_failures(weights: Path) -> None:
    detector = UltralyticsDetector(weights, ModelChoice(weights=str(weights), image_size_px=64))
    with pytest.raises(InferenceError, match="not a BGR picture"):
        detector.detect([np.zeros((8, 8), np.uint8)])
    detector.close()
    with pytest.raises(InferenceError, match="closed"):
        detector.detect([street(1, 64, 64)])


def test_an_error_inside_torch_becomes_ours(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = UltralyticsDetector(weights, ModelChoice(weights=str(weights), image_size_px=64))

    def out_of_memory(*_args: object, **_options: object) -> None:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(detector._model, "predict", out_of_memory)
    with pytest.raises(InferenceError, match="CUDA out of memory"):
        detector.detect([street(1, 64, 64)])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a pickle at all", id="text"),
        pytest.param(b"PK\x03\x04" + b"\x00" * 64, id="cut off"),
    ],
)
def test_a_file_that_holds_no_weights_is_a_weights_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"broken\.pt"):
        load_detector(ModelChoice(weights=str(path)))


def test_labels_that_contradict_the_weights_are_refused(weights: Path) -> None:
    with pytest.raises(WeightsError, match="do not belong together"):
        UltralyticsDetector(weights, ModelChoice(image_size_px=64), labels=("a", "b", "c"))


def test_a_cuda_device_that_is_not_there_is_a_weights_error(weights: Path) -> None:
    with pytest.raises(WeightsError, match="on cuda:7"):
        load_detector(ModelChoice(weights=str(weights), device="cuda:7"))


def test_an_openvino_folder_under_another_name_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "net.xml").write_text("<net/>")
    (tmp_path / "net.bin").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"named \*_openvino_model.*backend: openvino"):
        load_detector(ModelChoice(weights=str(tmp_path), backend="ultralytics"))


def test_without_torch_the_message_says_what_to_install(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(WeightsError, match=r"pip install 'streetwarden\[ultralytics\]'"):
        load_detector(ModelChoice(weights=str(weights)))


def test_ultralytics_touches_neither_network_nor_pip_nor_home(
    tmp_path: Path, weights: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(weights, tmp_path / "own.pt")
    code = """
import sys
seen = []
watched = {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"}
sys.addaudithook(lambda e, a: seen.append((e, a)) if e in watched else None)
from detector.backends import load_detector
from models.city import ModelChoice
import numpy as np
detector = load_detector(ModelChoice(weights="{weights}", image_size_px=64))
detector.detect([np.zeros((64, 64, 3), np.uint8)])
abroad = [(e, a) for e, a in seen if e.startswith("socket") or "pip" in str(a)]
assert not abroad, abroad
""".replace("{weights}", str(tmp_path / "own.pt"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("YOLO_", "XDG_"))}
    environment["HOME"] = str(home)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = {str(p.relative_to(home)) for p in home.rglob("*") if p.is_file()}
    assert {name for name in written if not name.startswith(".cache/streetwarden/")} == set()
    assert done.stdout == ""
