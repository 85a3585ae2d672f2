"""Ordinary YOLO weights drop in: from the YAML with a class map to tracks with the right labels."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detector.backends import load_detector, model_facts
from detector.backends.openvino import OpenVinoDetector
from detector.backends.ultralytics import UltralyticsDetector
from detector.weights.export import ExportForm, ExportOrder, export_weights
from models.errors import ConfigError
from models.seeing import Frame
from service.config import load_city
from service.pipeline import CameraPipeline
from tests.backends.yolo import make_weights, street

pytestmark = pytest.mark.needs_ultralytics

CITY = """\
city: {{name: C, timezone: UTC}}
model:
  weights: {weights}
  class_map: {{car: truck, litter: "trash bag", person: ""}}
  thresholds: {{"trash bag": 0.3}}
cameras:
  - id: gate
    source: gate.mp4
    legal_basis: test
    zones:
      - id: kerb
        polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]
        rules: [{{kind: {kind}}}, {{kind: litter, labels: [trash bag]}}]
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_weights(tmp_path_factory.mktemp("weights") / "own.pt")


@pytest.mark.parametrize(
    ("form", "kind_of_detector"),
    [
        pytest.param(None, UltralyticsDetector, id="pt"),
        pytest.param(ExportForm.ONNX, OpenVinoDetector, id="onnx"),
        pytest.param(ExportForm.OPENVINO_FLOAT16, OpenVinoDetector, id="openvino"),
    ],
)
def test_weights_beside_the_file_are_looked_with_under_the_citys_names(
    tmp_path: Path, weights: Path, form: ExportForm | None, kind_of_detector: type
) -> None:
    if form is None:
        used = weights
    else:
        used = export_weights(ExportOrder(source=weights, target=tmp_path / "out", form=form))[0]
    path = tmp_path / "city.yaml"
    path.write_text(CITY.format(weights=used, kind="illegal_parking"))
    before = load_city(path, facts_of=model_facts)
    with closing(load_detector(before.model)) as detector:
        assert isinstance(detector, kind_of_detector)
        city = load_city(path, facts_of=lambda choice: model_facts(choice, detector))
        (camera,) = city.cameras
        parking, rubbish = camera.zones[0].rules
        assert set(parking.labels) == {"truck"}
        assert set(rubbish.labels) == {"trash bag"}
        assert rubbish.threshold("trash bag") == 0.3
        frame = Frame(
            camera_id="gate",
            sequence=0,
            image=street(1, 640, 480),
            captured_at=datetime(2026, 11, 24, tzinfo=UTC),
            stream_s=0.0,
        )
        processed = CameraPipeline(camera, detector).process(frame)
    assert processed.detections
    assert {item.label for item in processed.detections} <= {"truck", "trash bag"}


def test_a_rule_that_they_cannot_serve_is_refused_once_they_are_loaded(
    tmp_path: Path, weights: Path
) -> None:
    path = tmp_path / "city.yaml"
    path.write_text(CITY.format(weights=weights, kind="damaged_facility"))
    city = load_city(path, facts_of=model_facts)
    with (
        closing(load_detector(city.model)) as detector,
        pytest.raises(ConfigError, match=r"city.yaml:13: .*sees nothing of this kind .pothole"),
    ):
        load_city(path, facts_of=lambda choice: model_facts(choice, detector))
