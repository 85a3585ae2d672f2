from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detector.backends import load_detector
from detector.backends.loading import weights_version
from detector.backends.openvino import OpenVinoDetector
from detector.weights.form import (
    Listed,
    Status,
    WeightsEntry,
    WeightsFile,
    WeightsFormat,
    WeightsVariant,
)
from detector.weights.registry import Registry, load_registry, sha256_of
from models.city import ModelChoice
from models.errors import WeightsError
from models.labels import KNOWN_LABELS
from tests.backends import networks
from tests.backends.networks import plain


def registry_of(folder: Path, labels: tuple[str, ...] = networks.COLOURS) -> Registry:
    """A registry with the network that lies in the folder, under the name ``colours``."""
    files = tuple(
        WeightsFile(path=name, sha256=sha256_of(folder / name)) for name in ("net.xml", "net.bin")
    )
    entry = WeightsEntry(
        name="colours",
        description="",
        status=Status.TRIAL,
        licence="CC0-1.0",
        labels=labels,
        variants=(WeightsVariant(format=WeightsFormat.OPENVINO, files=files),),
    )
    listed = Listed(entry=entry, folder=folder, fetched_folder=folder, shipped=True)
    return Registry(listed=(listed,))


@pytest.mark.parametrize("backend", ["auto", "openvino"])
def test_a_name_of_the_registry_is_found_verified_and_loaded(tmp_path: Path, backend: str) -> None:
    networks.save(networks.raw_head(), tmp_path, names=None)
    choice = ModelChoice(weights="colours", backend=backend, image_size_px=64)
    detector = load_detector(choice, registry=registry_of(tmp_path))
    assert isinstance(detector, OpenVinoDetector)
    assert detector.detect([plain((0, 255, 0))])[0][0].label == "green"


def test_an_altered_file_is_not_loaded(tmp_path: Path) -> None:
    networks.save(networks.raw_head(), tmp_path)
    registry = registry_of(tmp_path)
    graph = tmp_path / "net.bin"
    graph.write_bytes(graph.read_bytes() + b"\x00")
    with pytest.raises(WeightsError, match=r"net.bin of colours is not what the registry lists"):
        load_detector(ModelChoice(weights="colours", image_size_px=64), registry=registry)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"weights": "nothing"}, "no weights named 'nothing'", id="unknown name"),
        pytest.param({"weights": "no/where.pt"}, "no weights at no/where.pt", id="missing file"),
        pytest.param({"image_size_px": 500}, "multiple of 32", id="size off the stride"),
        pytest.param({"image_size_px": 0}, "multiple of 32", id="no size"),
        pytest.param({"image_size_px": 64000}, "multiple of 32", id="size beyond reason"),
        pytest.param({"backend": "tensorflow"}, "use auto, openvino", id="unknown backend"),
        pytest.param(
            {"backend": "openvino", "device": "cuda"}, "does not run on CUDA", id="OpenVINO on CUDA"
        ),
        pytest.param(
            {"device": "cuda", "weights": "colours"}, "extra|ultralytics", id="no form for CUDA"
        ),
        pytest.param(
            {"backend": "openvino", "weights": "{folder}/own.pt"},
            "is a pytorch model, but openvino or onnx is needed",
            id=".pt on OpenVINO",
        ),
        pytest.param({"weights": "{folder}/text.txt"}, "not a model that can", id="other file"),
        pytest.param({"weights": "{folder}/empty"}, "holds 0 .xml files", id="empty folder"),
        pytest.param({"weights": "{folder}/lone.xml"}, "has no lone.bin", id="graph alone"),
    ],
)
def test_what_cannot_be_loaded_says_what_to_do(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    networks.save(networks.raw_head(), tmp_path / "net")
    for name in ("own.pt", "text.txt", "lone.xml"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    filled = {k: v.format(folder=tmp_path) if k == "weights" else v for k, v in changes.items()}
    choice = replace(ModelChoice(weights="colours"), **filled)
    with pytest.raises(WeightsError, match=said):
        load_detector(choice, registry=registry_of(tmp_path / "net"))


def test_weights_that_learnt_have_another_version(tmp_path: Path) -> None:
    networks.save(networks.raw_head(), tmp_path)
    choice = ModelChoice(weights=str(tmp_path / "net.xml"))
    before = weights_version(choice)
    learnt = tmp_path / "net.bin"
    learnt.write_bytes(learnt.read_bytes() + b"\x00")
    assert before.startswith("net.xml@")
    assert weights_version(choice) not in {before, weights_version(ModelChoice())}


def test_every_shipped_model_loads_and_looks(tmp_path: Path) -> None:
    names = load_registry(user_folder=tmp_path).names()
    if not names:
        pytest.skip("no weights are shipped yet")
    for name in names:
        with closing(load_detector(ModelChoice(weights=name))) as detector:
            assert set(detector.labels) & KNOWN_LABELS
            assert len(detector.detect([plain((90, 90, 90), 1280, 720)])) == 1
