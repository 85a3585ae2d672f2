"""A city's rules against the model that will look: its labels, thresholds, experimental classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.city import City, ModelChoice, ModelFacts
from models.errors import ConfigError, WeightsError
from models.zone import CloserLook, Rule
from service.config import load_city
from service.config.vocabulary import DEFAULT_CLOSER_LOOK
from tests.config.builders import changed, shown, write

FACTS = ModelFacts(
    name="street-n",
    labels=("person", "car", "truck", "litter", "garbage_pile", "pothole", "fallen_tree"),
    thresholds={"car": 0.3, "litter": 0.45, "fallen_tree": 0.6},
    experimental=frozenset({"fallen_tree"}),
    card="docs/models/street-n.md",
)
PLACE = "cameras[0].zones[0].rules[0]"


def load(folder: Path, text: str, facts: ModelFacts | None = FACTS) -> City:
    return load_city(write(folder, text), environ={}, facts_of=lambda _: facts)


def rule_of(folder: Path, *lines: str, model: str = "{}", **given: Any) -> Rule:
    return load(folder, ruled(*lines) + f"model: {model}\n", **given).cameras[0].zones[0].rules[0]


def ruled(*lines: str) -> str:
    """The file with these lines in place of those of its rule."""
    first, *rest = lines
    written = "\n".join([f"          - {first}", *(f"            {line}" for line in rest)])
    return changed(
        "          - kind: illegal_parking\n            schedule: working_hours\n", written + "\n"
    )


def problems(folder: Path, text: str, facts: ModelFacts = FACTS) -> list[str]:
    path = write(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_city(path, environ={}, facts_of=lambda _: facts)
    return shown(caught.value, path)


@pytest.mark.parametrize(
    ("lines", "model", "thresholds"),
    [
        pytest.param((), "{}", {"car": 0.3, "truck": 0.25}, id="of the weights, else the usual"),
        pytest.param((), "{thresholds: {car: 0.5}}", {"car": 0.5, "truck": 0.25}, id="the city's"),
        pytest.param(
            ("min_confidence: 0.4",),
            "{thresholds: {car: 0.5}}",
            {"car": 0.4, "truck": 0.4},
            id="the rule's own, for all",
        ),
    ],
)
def test_what_is_said_nearest_to_the_rule_counts(
    tmp_path: Path, lines: tuple[str, ...], model: str, thresholds: dict[str, float]
) -> None:
    rule = rule_of(tmp_path, "kind: illegal_parking", *lines, model=model)
    assert {label: rule.threshold(label) for label in rule.labels} == thresholds


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("illegal_parking", {"car", "truck"}),
        ("litter", {"litter", "garbage_pile"}),
        ("damaged_facility", {"pothole"}),
    ],
)
def test_a_rule_without_labels_takes_what_the_model_surely_sees_of_its_kind(
    tmp_path: Path, kind: str, labels: set[str]
) -> None:
    assert rule_of(tmp_path, f"kind: {kind}").labels == labels


def test_an_experimental_class_is_taken_where_that_is_allowed(tmp_path: Path) -> None:
    usual = rule_of(tmp_path, "kind: damaged_facility", "allow_experimental: true")
    assert usual.labels == {"pothole", "fallen_tree"}
    named = rule_of(
        tmp_path, "kind: damaged_facility", "labels: [fallen_tree]", "allow_experimental: true"
    )
    assert named.labels == {"fallen_tree"}


def test_an_experimental_class_is_refused_with_what_to_write_and_where_its_figures_are(
    tmp_path: Path,
) -> None:
    text = ruled("kind: damaged_facility", "labels: [pothole, fallen_tree]")
    assert problems(tmp_path, text) == [
        f"city.yaml:19: {PLACE}.labels[1]: fallen_tree: experimental in street-n, with too little"
        " evidence on real pictures; write 'allow_experimental: true' in the rule to use it all"
        " the same; its figures: docs/models/street-n.md"
    ]


def test_a_rule_whose_usual_classes_are_all_experimental_is_refused(tmp_path: Path) -> None:
    facts = ModelFacts(name="mine", labels=("pothole",), experimental=frozenset({"pothole"}))
    (problem,) = problems(tmp_path, ruled("kind: damaged_facility"), facts)
    assert problem.startswith(f"city.yaml:18: {PLACE}.kind: pothole: experimental in mine, ")
    assert "allow_experimental: true" in problem
    assert "figures" not in problem


def test_a_class_that_the_model_does_not_see_is_refused(tmp_path: Path) -> None:
    text = ruled("kind: litter", "labels: [litter, overflowing_bin]") + (
        "model: {thresholds: {graffiti: 0.4}}\n"
    )
    assert problems(tmp_path, text) == [
        f"city.yaml:19: {PLACE}.labels[1]: the model street-n: unknown label 'overflowing_bin'"
        " (known: car, fallen_tree, garbage_pile, litter, person, pothole, truck)",
        "city.yaml:20: model.thresholds.graffiti: the model street-n: unknown label 'graffiti'"
        " (known: car, fallen_tree, garbage_pile, litter, person, pothole, truck)",
    ]


def test_a_model_that_sees_nothing_of_a_rules_kind_is_refused(tmp_path: Path) -> None:
    coco = ModelFacts(name="yolo26n.pt", labels=("person", "car", "bench"))
    (problem,) = problems(tmp_path, ruled("kind: litter"), coco)
    assert problem == (
        f"city.yaml:18: {PLACE}.kind: the model yolo26n.pt sees nothing of this kind (litter,"
        " garbage_pile, overflowing_bin): choose other weights, or say with 'labels' what to look"
        " for"
    )


def test_weights_of_which_nothing_is_known_yet_are_taken_at_their_word(tmp_path: Path) -> None:
    for facts in (None, ModelFacts(name="own.pt")):
        rule = rule_of(tmp_path, "kind: litter", "labels: [litter, overflowing_bin]", facts=facts)
        assert rule.labels == {"litter", "overflowing_bin"}


def test_weights_that_cannot_be_known_are_a_problem_at_their_line(tmp_path: Path) -> None:
    def broken(choice: ModelChoice) -> ModelFacts:
        raise WeightsError(f"{choice.weights} is torn")

    path = write(tmp_path, ruled("kind: litter") + "model: {weights: street-n}\n")
    with pytest.raises(ConfigError) as caught:
        load_city(path, environ={}, facts_of=broken)
    assert shown(caught.value, path) == ["city.yaml:19: model: street-n is torn"]


def test_a_threshold_for_a_label_that_no_rule_can_know_is_a_typing_mistake(tmp_path: Path) -> None:
    text = ruled("kind: litter") + "model: {thresholds: {liter: 0.4}}\n"
    with pytest.raises(ConfigError, match=r"unknown label .liter. .did you mean .litter."):
        load(tmp_path, text, None)


@pytest.mark.parametrize(
    ("model", "floor"),
    [
        pytest.param("{}", 0.2, id="as usual"),
        pytest.param("{thresholds: {litter: 0.2}}", 0.16, id="as low as a class needs"),
        pytest.param("{thresholds: {car: 0.1}}", 0.2, id="no rule asks for that class"),
        pytest.param("{thresholds: {litter: 0.2}, min_confidence: 0.3}", 0.3, id="as written"),
        pytest.param("{thresholds: {litter: 0}}", 0.2, id="nothing can be that low"),
    ],
)
def test_boxes_are_followed_from_below_the_lowest_threshold_on(
    tmp_path: Path, model: str, floor: float
) -> None:
    city = load(tmp_path, ruled("kind: litter") + f"model: {model}\n")
    assert city.model.min_confidence == pytest.approx(floor)


@pytest.mark.parametrize("kind", ["illegal_parking", "litter", "damaged_facility"])
def test_each_kind_has_its_usual_closer_look(tmp_path: Path, kind: str) -> None:
    assert rule_of(tmp_path, f"kind: {kind}").closer_look is DEFAULT_CLOSER_LOOK[kind]
    written = rule_of(tmp_path, f"kind: {kind}", "closer_look: require")
    assert written.closer_look is CloserLook.REQUIRE


@pytest.mark.parametrize(("written", "most"), [("true", 12), ("false", 0), ("5", 5)])
def test_slices_are_as_many_as_it_takes_or_as_written(
    tmp_path: Path, written: str, most: int
) -> None:
    text = changed("      - id: kerb\n", f"      - id: kerb\n        slices: {written}\n")
    assert load(tmp_path, text).cameras[0].zones[0].slices == most
