from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detector.backends import load_detector
from detector.backends.openvino_runtime import ov
from detector.weights import export as exporting
from detector.weights.export import (
    CALIBRATION_IMAGES,
    ExportForm,
    ExportOrder,
    calibration_inputs,
    export_weights,
)
from models.city import ModelChoice
from models.errors import WeightsError
from tests.backends.yolo import NAMES, disagreement, make_weights, street


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_weights(tmp_path_factory.mktemp("weights") / "net.pt")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(12):
        cv2.imwrite(str(folder / f"{seed}.png"), street(seed, 320, 180))
    return folder


def operation_types(path: Path) -> set[str]:
    return {op.get_type_name() for op in ov.Core().read_model(path).get_ops()}


@pytest.mark.needs_ultralytics
def test_int8_is_quantised_runs_at_any_shape_and_finds_about_the_same(
    tmp_path: Path, weights: Path, pictures: Path
) -> None:
    target = tmp_path / "int8"
    files = export_weights(
        ExportOrder(
            source=weights,
            target=target,
            form=ExportForm.OPENVINO_INT8,
            image_size_px=320,
            calibration=pictures,
        )
    )
    assert {path.name for path in files} == {"net.xml", "net.bin", "metadata.yaml"}
    assert "FakeQuantize" in operation_types(files[0])
    assert files[1].stat().st_size < 0.6 * weights.stat().st_size
    choice = ModelChoice(weights=str(target), image_size_px=320)
    quantised = load_detector(choice, precision="f32")
    floating = load_detector(ModelChoice(weights=str(weights), image_size_px=320))
    streets = [street(40, 320, 180), street(41, 300, 300), street(42, 180, 320)]
    assert quantised.labels == NAMES
    count, _, worst_gap, alone = disagreement(
        quantised.detect(streets), floating.detect(streets), 0.3
    )
    assert count > 10
    assert worst_gap < 0.15
    assert len(alone) < 0.2 * count


@pytest.mark.needs_ultralytics
def test_float16_is_not_quantised(tmp_path: Path, weights: Path) -> None:
    files = export_weights(ExportOrder(source=weights, target=tmp_path / "new" / "f16"))
    assert "FakeQuantize" not in operation_types(files[0])
    assert sorted(path.name for path in files) == ["metadata.yaml", "net.bin", "net.xml"]
    assert all(path.is_file() for path in files)
    assert [path.name for path in weights.parent.iterdir()] == [weights.name]


@pytest.mark.needs_ultralytics
def test_a_failure_leaves_nothing_behind(
    tmp_path: Path, weights: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_network: Any, _inputs: Any) -> Any:
        raise WeightsError("the network cannot be quantised: no reason")

    monkeypatch.setattr(exporting, "quantise", fail)
    order = ExportOrder(
        source=weights,
        target=tmp_path / "out",
        form=ExportForm.OPENVINO_INT8,
        calibration=pictures,
    )
    with pytest.raises(WeightsError, match="cannot be quantised"):
        export_weights(order)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.needs_ultralytics
def test_what_holds_no_weights_cannot_be_exported(tmp_path: Path) -> None:
    source = tmp_path / "broken.pt"
    source.write_bytes(b"no weights")
    with pytest.raises(WeightsError, match=r"broken\.pt cannot be exported"):
        export_weights(ExportOrder(source=source, target=tmp_path / "out"))
    assert [path.name for path in tmp_path.iterdir()] == ["broken.pt"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"source": "missing.pt"}, "is no .pt file", id="missing source"),
        pytest.param({"source": "x.onnx"}, "is no .pt file", id="already exported"),
        pytest.param({"target": "full"}, "exists already", id="target in use"),
        pytest.param({"target": "x.pt"}, "exists already", id="target is a file"),
        pytest.param({"form": ExportForm.OPENVINO_INT8}, "needs --calibration", id="no pictures"),
        pytest.param(
            {"form": ExportForm.OPENVINO_INT8, "calibration": "full"},
            "holds 1 pictures; INT8 needs 10",
            id="too few pictures",
        ),
    ],
)
def test_an_order_that_cannot_be_met_is_refused_at_once(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    for name in ("x.pt", "x.onnx"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.jpg").write_bytes(b"x")
    named = {k: tmp_path / v if k != "form" else v for k, v in change.items()}
    settings: dict[str, Any] = {"source": tmp_path / "x.pt", "target": tmp_path / "out", **named}
    with pytest.raises(WeightsError, match=said):
        export_weights(ExportOrder(**settings))


def test_calibration_pictures_are_shown_as_in_inference(pictures: Path) -> None:
    first, *others = list(calibration_inputs(pictures, 320))
    assert len(others) == 11
    assert first.shape == (1, 3, 192, 320)
    assert first.dtype == np.float32
    drawn = street(0, 320, 180)
    assert first[0, 0, 6:186] * 255 == pytest.approx(drawn[..., 2], abs=0.01)


def test_calibration_pictures_are_taken_from_all_over_the_folder() -> None:
    paths = [Path(str(index)) for index in range(3 * CALIBRATION_IMAGES)]
    chosen = list(exporting._spread(paths, CALIBRATION_IMAGES))
    assert len(chosen) == CALIBRATION_IMAGES
    assert [int(path.name) for path in chosen[:3]] == [0, 3, 6]
    assert int(chosen[-1].name) > len(paths) - 4


def test_a_picture_that_cannot_be_read_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(WeightsError, match=r"broken\.jpg is not a picture"):
        list(calibration_inputs(tmp_path, 320))
