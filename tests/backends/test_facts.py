"""What is known of the weights that a city chose, before and after they are loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.backends import ScriptedDetector, model_facts
from detector.weights.form import (
    Listed,
    Status,
    WeightsEntry,
    WeightsFile,
    WeightsFormat,
    WeightsVariant,
)
from detector.weights.registry import Registry
from models.city import ModelChoice, ModelFacts
from models.errors import WeightsError

ENTRY = WeightsEntry(
    name="street-x",
    description="for tests",
    status=Status.TRIAL,
    licence="AGPL-3.0-only",
    variants=(
        WeightsVariant(
            format=WeightsFormat.ONNX, files=(WeightsFile(path="x.onnx", sha256="0" * 64),)
        ),
    ),
    labels=("car", "litter", "rubbish", "fallen_tree"),
    card="docs/models/street-x.md",
    thresholds={"litter": 0.4, "rubbish": 0.6, "fallen_tree": 0.7},
    experimental=("rubbish", "fallen_tree"),
)
REGISTRY = Registry(
    listed=(Listed(entry=ENTRY, folder=Path(), fetched_folder=Path(), shipped=False),)
)


def facts(class_map: dict[str, str], weights: str = "street-x") -> ModelFacts | None:
    return model_facts(ModelChoice(weights=weights, class_map=class_map), registry=REGISTRY)


def test_the_registry_says_what_weights_see_and_how_well() -> None:
    assert facts({}) == ModelFacts(
        name="street-x",
        labels=("car", "litter", "rubbish", "fallen_tree"),
        thresholds={"litter": 0.4, "rubbish": 0.6, "fallen_tree": 0.7},
        experimental=frozenset({"rubbish", "fallen_tree"}),
        card="docs/models/street-x.md",
    )


def test_renamed_classes_take_their_thresholds_along() -> None:
    known = facts({"rubbish": "garbage_pile"})
    assert known is not None
    assert known.labels == ("car", "litter", "garbage_pile", "fallen_tree")
    assert known.thresholds == {"litter": 0.4, "garbage_pile": 0.6, "fallen_tree": 0.7}
    assert known.experimental == {"garbage_pile", "fallen_tree"}


def test_of_two_classes_with_one_label_the_higher_threshold_counts_and_the_proven_one_vouches() -> (
    None
):
    known = facts({"rubbish": "litter"})
    assert known is not None
    assert known.thresholds["litter"] == 0.6
    assert known.experimental == {"fallen_tree"}


def test_a_class_that_is_left_out_is_not_experimental_either() -> None:
    known = facts({"fallen_tree": ""})
    assert known is not None
    assert "fallen_tree" not in known.labels
    assert known.experimental == frozenset()


def test_of_ones_own_weights_nothing_is_known_until_they_are_loaded() -> None:
    choice = ModelChoice(weights="own.pt")
    assert model_facts(choice, registry=REGISTRY) is None
    loaded = ScriptedDetector([], labels=("car", "litter"))
    assert model_facts(choice, loaded, REGISTRY) == ModelFacts(
        name="own.pt", labels=("car", "litter")
    )


def test_a_class_map_that_does_not_fit_is_said_before_anything_is_loaded() -> None:
    with pytest.raises(WeightsError, match="HGV"):
        facts({"HGV": "truck"})
