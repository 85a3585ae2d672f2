"""Ground truth: what is read from a clip's YAML, and what is expected at which dwell."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import ConfigError
from models.geometry import Box
from models.zone import RuleKind
from service.evaluation.truth import Thing, ZoneTruth, load_truths

CLIP = """\
clip: a.mp4
source: {repository: somewhere, note: [1, 2]}
video: {codec: h264, width: 640, height: 360, fps: 10.0}
stationary_vehicles:
- label: car
  box_xyxy: [10, 20, 60, 50]
  stationary_from_s: 3
  stationary_to_s: 20.5
  already_there_at_start: false
abandoned_things: []
something_new: {x: 1}
zones:
- name: kerb
  polygon_xy:
  - [0, 0]
  - [100, 0]
  - [100.5, 90]
  rule: vehicle bottom-centre inside polygon and stationary for >= dwell
  expected_events_by_dwell_s: {5: 1, 10: 1, 30: 0}
- name: verge
  polygon_xy: [[0, 0], [100, 0], [100, 90]]
  rule: litter present in frame
  expected_litter_present: true
  expected_events_by_dwell_s: {1: 1}
"""


def write(folder: Path, text: str = CLIP, name: str = "a") -> Path:
    (folder / f"{name}.yaml").write_text(text, "utf-8")
    (folder / f"{name}.mp4").touch()
    return folder


def test_a_clip_with_keys_nobody_knows_is_read(tmp_path: Path) -> None:
    (clip,) = load_truths(write(tmp_path))
    assert (clip.name, clip.size_px) == ("a.mp4", (640, 360))
    assert clip.things[RuleKind.ILLEGAL_PARKING] == (
        Thing(label="car", box=Box(10, 20, 60, 50), from_s=3, to_s=20.5),
    )
    kerb, verge = clip.zones
    assert (kerb.kind, kerb.polygon[2]) == (RuleKind.ILLEGAL_PARKING, (100.5, 90))
    assert (verge.kind, verge.lasting) == (RuleKind.LITTER, True)


def test_yaml_files_that_are_no_ground_truth_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "notes.yaml").write_text("- nothing of the kind\n")
    assert len(load_truths(tmp_path)) == 1


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("vehicle bottom-centre inside polygon, also near a garbage bin", RuleKind.ILLEGAL_PARKING),
        ("litter present in frame", RuleKind.LITTER),
        ("abandoned bag on the ground for >= dwell", RuleKind.LITTER),
        ("damaged_facility: pothole for >= dwell", RuleKind.DAMAGED_FACILITY),
        ("something else", RuleKind.ILLEGAL_PARKING),
    ],
)
def test_the_words_of_a_rule_say_its_kind(tmp_path: Path, rule: str, kind: RuleKind) -> None:
    text = CLIP.replace(
        "vehicle bottom-centre inside polygon and stationary for >= dwell", f"'{rule}'"
    )
    (clip,) = load_truths(write(tmp_path, text))
    assert clip.zones[0].kind is kind


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("[10, 20, 60, 50]", "[10, 20, 60]", "a.yaml:6: stationary_vehicles[0].box_xyxy"),
        ("stationary_from_s: 3", "stationary_from_s: soon", "a.yaml:7: .*should be a number"),
        ("{5: 1, 10: 1, 30: 0}", "{five: 1}", "a.yaml:19: .*needs seconds"),
        ("  name: verge\n", "", "name"),
        ("clip: a.mp4", "clip: b.mp4", "no such video"),
    ],
    ids=["short box", "word for a number", "word for a dwell", "no name", "no video"],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    text = CLIP.replace("- name: verge", "-\n  name: verge").replace(before, after)
    with pytest.raises(ConfigError, match=message.replace("[", r"\[").replace("]", r"\]")):
        load_truths(write(tmp_path, text))


def test_a_folder_without_ground_truth_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no ground truth"):
        load_truths(tmp_path)
    with pytest.raises(ConfigError, match="holds no ground truth"):
        load_truths(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("known", "lasting", "dwell_s", "expected"),
    [
        ({5: 2, 10: 1}, False, 5, 2),
        ({5: 2, 10: 1}, False, 7, None),
        ({5: 1, 10: 1}, False, 7, 1),
        ({5: 1, 10: 0}, False, 30, 0),
        ({5: 1, 10: 1}, False, 30, None),
        ({5: 1}, False, 1, None),
        ({1: 1}, True, 30, 1),
    ],
    ids=[
        "known",
        "between",
        "between equal ones",
        "none stays none",
        "beyond",
        "before",
        "lasting",
    ],
)
def test_what_is_expected_at_thresholds_the_file_does_not_name(
    known: dict[float, int], lasting: bool, dwell_s: float, expected: int | None
) -> None:
    zone = ZoneTruth(
        name="z",
        polygon=((0, 0), (1, 0), (1, 1)),
        kind=RuleKind.LITTER,
        expected_by_dwell_s=known,
        lasting=lasting,
    )
    assert zone.expected(dwell_s) == expected
