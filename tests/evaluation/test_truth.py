"""Ground truth: what is read from a clip's YAML, and what is expected at which dwell."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import ConfigError
from models.geometry import Box
from models.zone import IllegalParkingRule, RuleKind
from service.evaluation.cameras import Terms, camera_for
from service.evaluation.truth import ClipTruth, Thing, ZoneTruth, load_conditions, load_truths

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


def test_a_thing_is_due_from_when_it_can_be_seen(tmp_path: Path) -> None:
    text = CLIP.replace(
        "abandoned_things: []",
        """abandoned_things:
- {label: bag, box_xyxy: [1, 2, 3, 4], on_ground_from_s: 3, in_sight_from_s: 5}
- {label: box, box_xyxy: [1, 2, 3, 4], on_ground_from_s: 3}""",
    )
    (clip,) = load_truths(write(tmp_path, text))
    hidden, plain = clip.things[RuleKind.LITTER]
    assert (hidden.from_s, hidden.due_from_s) == (3, 5)
    assert (plain.from_s, plain.due_from_s) == (3, 3)


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
        ("littering: something is dropped inside polygon", RuleKind.LITTERING),
        ("litter: pieces that are left, whether or not by littering", RuleKind.LITTER),
        ("somebody is littering", RuleKind.LITTERING),
        ("illegal_parking beside the garbage bins", RuleKind.ILLEGAL_PARKING),
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


UPKEEP = (
    CLIP
    + """\
faults: [{kind: moved, from_s: 4, expected_events_by_dwell_s: {5: 1}}]
assets:
- name: bin-7
  kind: bin
  state: toppled
  box_xyxy: [1, 2, 30, 40]
  from_s: 6
  expected_events_by_dwell_s: {8: 1, 30: 0}
conditions: [dusk]
starts_at: '2026-06-01T21:59:48+08:00'
timezone: Asia/Shanghai
outages: [[2, 3.5]]
"""
)


def loaded(folder: Path, text: str) -> ClipTruth:
    (folder / "a.mp4").touch()
    (folder / "a.yaml").write_text(text)
    return load_truths(folder)[0]


def test_faults_and_assets_are_read_with_what_orders_must_call_them(tmp_path: Path) -> None:
    clip = loaded(tmp_path, UPKEEP)
    fault, asset = clip.upkeep
    assert (fault.name, fault.label, fault.box) == ("camera", "moved_view", None)
    assert (asset.name, asset.label, asset.from_s) == ("bin-7", "toppled_bin", 6.0)
    assert [asset.expected(dwell_s) for dwell_s in (5, 8, 30, 60)] == [None, 1, 0, 0]
    assert clip.conditions == ("dusk",)
    assert clip.starts_at is not None
    assert clip.starts_at.utcoffset() is not None
    assert [clip.is_out(second) for second in (1.9, 2.0, 3.4, 3.5)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        pytest.param("kind: moved", "kind: gone", "should be one of moved, covered", id="fault"),
        pytest.param("state: toppled", "state: fallen", "should be one of alike", id="state"),
        pytest.param("48+08:00", "48", "needs its offset from UTC", id="no-offset"),
        pytest.param("2026-06-01T21", "soon", "should be a time", id="no-time"),
        pytest.param("[dusk]", "dusk", "should be a list of words", id="conditions"),
    ],
)
def test_what_is_wrong_with_a_truth_is_said_with_its_place(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        loaded(tmp_path, UPKEEP.replace(before, after))


def test_settings_of_a_zone_are_those_of_a_city_file(tmp_path: Path) -> None:
    settings = "  settings: {kind: bus_stop, traffic_light: true, rule: {grace: 3s}}\n"
    rule_line = "  rule: vehicle bottom-centre inside polygon and stationary for >= dwell\n"
    clip = loaded(tmp_path, CLIP.replace(rule_line, rule_line + settings))
    camera = camera_for(clip, clip.zones[0], 5.0, Terms())
    rule = camera.zones[0].rules[0]
    assert isinstance(rule, IllegalParkingRule)
    assert "bus" not in rule.labels
    assert (rule.dwell_s, rule.grace_s, rule.longest_red_s) == (5.0, 3.0, 120.0)


def test_settings_that_no_city_file_takes_are_refused_with_the_truth_and_the_zone(
    tmp_path: Path,
) -> None:
    rule_line = "  rule: vehicle bottom-centre inside polygon and stationary for >= dwell\n"
    text = CLIP.replace(rule_line, rule_line + "  settings: {traffic_lights: true}\n")
    clip = loaded(tmp_path, text)
    with pytest.raises(ConfigError, match=r"a\.yaml:1: kerb: zones\[0\]"):
        camera_for(clip, clip.zones[0], 5.0, Terms())


def test_conditions_can_be_given_beside_the_truth(tmp_path: Path) -> None:
    path = tmp_path / "conditions.yaml"
    path.write_text("a.mp4: [rain, dusk]\n")
    assert load_conditions(path) == {"a.mp4": ("rain", "dusk")}
