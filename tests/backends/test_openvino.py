from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.backends import Detector, load_detector
from detector.backends.openvino import MAX_SHAPES, OpenVinoDetector, OpenVinoOptions
from models.city import ModelChoice
from models.errors import InferenceError, WeightsError
from models.seeing import Detection
from tests.backends import networks
from tests.backends.networks import BOX_XYXY, COLOURS, plain

SIZE_PX = 64
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def open_network(path: Path, **changes: Any) -> OpenVinoDetector:
    choice = ModelChoice(weights=str(path), image_size_px=SIZE_PX, **changes)
    return OpenVinoDetector(path, choice, options=OpenVinoOptions(precision="f32"))


@pytest.fixture
def colours(tmp_path: Path) -> Iterator[OpenVinoDetector]:
    detector = open_network(networks.save(networks.raw_head(), tmp_path))
    yield detector
    detector.close()


def label_of(detections: tuple[Detection, ...]) -> str:
    (only,) = detections
    return only.label


@pytest.mark.parametrize(
    ("colour", "label"),
    [
        pytest.param(RED, "red", id="red"),
        pytest.param(GREEN, "green", id="green"),
        pytest.param(BLUE, "blue", id="blue"),
    ],
)
def test_a_picture_reaches_the_network_as_rgb_from_0_to_1(
    colours: OpenVinoDetector, colour: tuple[int, int, int], label: str
) -> None:
    ((found,),) = colours.detect([plain(colour)])
    assert found.label == label
    assert found.confidence == pytest.approx(1.0, abs=1e-3)
    assert found.box.xyxy == pytest.approx(BOX_XYXY)


def test_the_same_box_at_two_anchors_is_one_object(colours: OpenVinoDetector) -> None:
    ((found,),) = colours.detect([plain((128, 0, 0))])
    assert found.confidence == pytest.approx(128 / 255, abs=1e-3)


def test_nothing_confident_enough_is_an_empty_answer(colours: OpenVinoDetector) -> None:
    assert colours.detect([plain((40, 40, 40))]) == [()]


def test_no_images_are_no_answers(colours: OpenVinoDetector) -> None:
    assert colours.detect([]) == []


def test_images_of_different_sizes_in_one_call_each_get_their_own_pixels(
    colours: OpenVinoDetector,
) -> None:
    images = [plain(RED), plain(GREEN, 128, 128), plain(BLUE, 320, 160), plain(RED, 90, 160)]
    answers = colours.detect(images)
    assert [label_of(answer) for answer in answers] == ["red", "green", "blue", "red"]
    boxes = [answer[0].box.xyxy for answer in answers]
    assert boxes[0] == pytest.approx(BOX_XYXY)
    assert boxes[1] == pytest.approx([2 * side for side in BOX_XYXY])
    # 320x160 becomes 64x32, a fifth, with nothing to pad.
    assert boxes[2] == pytest.approx((30, 95, 130, 145))
    # 90x160 becomes 36x64 with 14 px of grey at either side, where the box begins.
    assert boxes[3] == pytest.approx((0, 47.5, 30, 72.5))


def test_many_threads_get_the_answer_for_their_own_picture(colours: OpenVinoDetector) -> None:
    pictures = [(plain(c, w, w), n) for c, n in zip((RED, GREEN, BLUE), COLOURS, strict=True)
                for w in (64, 96, 200)] * 20  # fmt: skip
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda p: colours.detect([p[0]])[0], pictures))
    assert [label_of(answer) for answer in answers] == [name for _, name in pictures]


def test_one_shape_is_compiled_once_however_many_threads_want_it_first(
    colours: OpenVinoDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[tuple[int, int]] = []
    compile_network = colours._compile

    def counted(width: int, height: int) -> Any:
        compiled.append((width, height))
        return compile_network(width, height)

    monkeypatch.setattr(colours, "_compile", counted)
    barrier = threading.Barrier(4)

    def look(_index: int) -> None:
        barrier.wait(timeout=10)
        colours.detect([plain(RED, 128, 64)])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(look, range(4)))
    assert compiled == [(64, 32)]


def test_compiled_shapes_are_bounded_and_dropped_ones_come_back(tmp_path: Path) -> None:
    path = networks.save(networks.raw_head(), tmp_path)
    choice = ModelChoice(weights=str(path), image_size_px=640)
    detector = OpenVinoDetector(path, choice)
    for height in range(32, 32 * (MAX_SHAPES + 4), 32):
        detector.detect([plain(RED, 640, height)])
    assert len(detector._requests) == MAX_SHAPES
    assert label_of(detector.detect([plain(GREEN, 640, 640)])[0]) == "green"


def test_an_end_to_end_head_is_taken_as_it_is(tmp_path: Path) -> None:
    detector = open_network(networks.save(networks.end_to_end_head(), tmp_path))
    ((first, second),) = detector.detect([plain((100, 0, 200))])
    assert (first.label, second.label) == ("blue", "red")
    assert first.box == second.box
    assert first.box.xyxy == pytest.approx(BOX_XYXY)


@pytest.mark.parametrize("build", [networks.raw_head, networks.end_to_end_head])
def test_a_network_of_one_size_sees_every_picture_letterboxed_into_it(
    tmp_path: Path, build: Any
) -> None:
    detector = open_network(networks.save(build(networks.FIXED_SIZE), tmp_path))
    found = detector.detect([plain((255, 255, 0), 128, 64)])[0]
    # 128x64 becomes 64x32 with 16 px of grey above and below.
    assert found[0].box.xyxy == pytest.approx((12, 6, 52, 26))
    assert found[0].confidence == pytest.approx((1 + 114 / 255) / 2, abs=1e-3)


def test_a_network_of_one_size_refuses_another_size(tmp_path: Path) -> None:
    path = networks.save(networks.raw_head(networks.FIXED_SIZE), tmp_path)
    with pytest.raises(WeightsError, match=r"for 64x64 only, model.image_size_px is 640: set it"):
        OpenVinoDetector(path, ModelChoice(image_size_px=640))


def test_values_that_are_no_numbers_are_a_failure_and_not_an_empty_answer(tmp_path: Path) -> None:
    detector = open_network(networks.save(networks.undefined_in_the_dark(), tmp_path))
    assert len(detector.detect([plain((200, 200, 200))])[0]) == 1
    with pytest.raises(InferenceError, match="not numbers"):
        detector.detect([plain((5, 5, 5))])


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(np.zeros((64, 64), np.uint8), id="grey"),
        pytest.param(np.zeros((64, 64, 4), np.uint8), id="with alpha"),
        pytest.param(np.zeros((64, 64, 3), np.float32), id="float"),
        pytest.param(np.zeros((0, 64, 3), np.uint8), id="empty"),
    ],
)
def test_what_is_no_picture_is_a_failure(colours: OpenVinoDetector, image: Any) -> None:
    with pytest.raises(InferenceError, match="not a BGR picture"):
        colours.detect([plain(RED), image])


def test_an_error_of_openvino_becomes_ours_and_the_next_picture_works(
    colours: OpenVinoDetector,
) -> None:
    pool = colours._pool((64, 64))
    with pytest.raises(InferenceError, match="OpenVINO failed on a frame"):
        pool.infer(plain(RED, 32, 32))
    assert label_of(colours.detect([plain(RED)])[0]) == "red"


def test_a_closed_detector_fails(colours: OpenVinoDetector) -> None:
    colours.close()
    with pytest.raises(InferenceError, match="closed"):
        colours.detect([plain(RED)])


def test_a_class_map_renames_and_ignores(tmp_path: Path) -> None:
    path = networks.save(networks.raw_head(), tmp_path)
    detector = open_network(path, class_map={"red": "car", "green": "truck"})
    assert detector.labels == ("car", "truck")
    answers = detector.detect([plain(RED), plain(GREEN), plain(BLUE)])
    assert [[d.label for d in answer] for answer in answers] == [["car"], ["truck"], []]


def test_classes_merged_by_the_map_count_as_one_object(tmp_path: Path) -> None:
    path = networks.save(networks.end_to_end_head(), tmp_path)
    detector = open_network(path, class_map={"red": "car", "green": "car"})
    ((found,),) = detector.detect([plain((200, 220, 0))])
    assert found.label == "car"
    assert found.confidence == pytest.approx(220 / 255, abs=1e-3)


def test_labels_of_the_registry_stand_in_where_the_graph_says_nothing(tmp_path: Path) -> None:
    path = networks.save(networks.raw_head(), tmp_path, names=None)
    detector = OpenVinoDetector(path, ModelChoice(image_size_px=64), labels=("a", "b", "c"))
    assert detector.labels == ("a", "b", "c")


@pytest.mark.parametrize(
    ("network", "names", "task", "said"),
    [
        pytest.param(networks.raw_head, None, "", "does not say the names", id="no names"),
        pytest.param(networks.raw_head, ("a", "b"), "detect", "2 classes", id="too few names"),
        pytest.param(networks.raw_head, COLOURS, "segment", "task 'segment'", id="other task"),
        pytest.param(networks.two_outputs, COLOURS, "detect", "2 outputs", id="two outputs"),
        pytest.param(networks.classifier, COLOURS, "detect", "output has the shape", id="no boxes"),
    ],
)
def test_networks_of_another_kind_are_refused_with_a_reason(
    tmp_path: Path, network: Any, names: tuple[str, ...] | None, task: str, said: str
) -> None:
    path = networks.save(network(), tmp_path, names, task)
    with pytest.raises(WeightsError, match=said):
        open_network(path)


def test_labels_that_contradict_the_graph_are_refused(tmp_path: Path) -> None:
    path = networks.save(networks.raw_head(), tmp_path)
    with pytest.raises(WeightsError, match="do not belong together"):
        OpenVinoDetector(path, ModelChoice(image_size_px=64), labels=("a", "b", "c"))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda p: p.write_text("<net"), id="graph cut off"),
        pytest.param(lambda p: p.write_bytes(b"\x00" * 100), id="graph is binary"),
        pytest.param(lambda p: p.with_suffix(".bin").write_bytes(b""), id="numbers are missing"),
        pytest.param(
            lambda p: (p.parent / "metadata.yaml").write_text("names: [a"), id="metadata cut off"
        ),
        pytest.param(
            lambda p: (p.parent / "metadata.yaml").write_text("names: {1: a}"), id="names from 1"
        ),
        pytest.param(
            lambda p: (p.parent / "metadata.yaml").write_text("just text"), id="no mapping"
        ),
    ],
)
def test_a_damaged_model_is_a_weights_error(tmp_path: Path, damage: Any) -> None:
    path = networks.save(networks.raw_head(), tmp_path)
    damage(path)
    with pytest.raises(WeightsError):
        open_network(path)


def test_an_unknown_device_is_a_weights_error(tmp_path: Path) -> None:
    path = networks.save(networks.raw_head(), tmp_path)
    with pytest.raises(WeightsError, match="on NPU9"):
        open_network(path, device="npu9")


def test_loading_by_path_and_detecting_needs_no_torch_and_reports_to_nobody(tmp_path: Path) -> None:
    path = networks.save(networks.raw_head(), tmp_path / "net")
    home = tmp_path / "home"
    home.mkdir()
    code = f"""
import sys
sys.modules["torch"] = sys.modules["ultralytics"] = None
connections = []
sys.addaudithook(lambda e, a: connections.append(a) if e == "socket.connect" else None)
from detector.backends import load_detector
from models.city import ModelChoice
import numpy as np
detector = load_detector(ModelChoice(weights={str(path)!r}, image_size_px=64))
red = np.zeros((64, 64, 3), np.uint8); red[..., 2] = 255
assert detector.detect([red])[0][0].label == "red"
assert not connections, connections
assert not [m for m in sys.modules if m.startswith("openvino_telemetry.")]
"""
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert list(home.iterdir()) == []


def test_the_protocol_is_kept(colours: OpenVinoDetector) -> None:
    detector: Detector = colours
    assert detector.labels == COLOURS


def test_a_folder_is_loaded_through_the_front_door(tmp_path: Path) -> None:
    networks.save(networks.raw_head(), tmp_path)
    detector = load_detector(
        ModelChoice(weights=str(tmp_path), image_size_px=64), precision="f32", streams=1
    )
    assert label_of(detector.detect([plain(BLUE)])[0]) == "blue"
