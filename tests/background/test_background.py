"""New things in a background: found, and told from light, passers-by and things that go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.backends import ScriptedDetector
from detector.background.watch import GLOBAL_S, BackgroundWatch
from models.city import RecordingChoice
from models.geometry import Box, Points
from models.incident import IncidentChange
from models.seeing import Detection, Frame, Image
from models.zone import Camera, LitterRule, Zone
from service.backgrounds import KeptBackground
from service.pipeline import CameraPipeline
from service.recording.reader import CameraRecording, Span
from service.recording.recorder import CameraRecorder
from service.recording.replaying import changes_of
from service.references import CameraReferences

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
WHOLE: Points = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
COMES_S = 40
BOX = Box(300, 200, 340, 232)
RULE = LitterRule(
    rule_id="unknown", labels=frozenset({"unknown_object"}), dwell_s=10, grace_s=15, clear_after_s=8
)
RNG = np.random.default_rng(11)
GROUND = cv2.GaussianBlur(RNG.integers(60, 160, (360, 640, 3), dtype=np.uint8), (0, 0), 3)
MATTRESS: Image = RNG.integers(190, 235, (32, 40, 3), dtype=np.uint8)
LARGE_BOX = Box(300, 200, 380, 264)
RUBBLE = np.kron(RNG.integers(-45, 46, (16, 20, 1)), np.ones((4, 4, 1), np.int64))

NOISE = RNG.normal(0, 2, (5, 360, 640, 3)).round().astype(np.int16)
"""A sensor's, of five pictures in turn."""

Paint = Callable[[float, Image], None]


def camera(polygon: Points = WHOLE, rule: LitterRule = RULE) -> Camera:
    zone = Zone(zone_id="yard", name="Yard", polygon=polygon, in_pixels=False, rules=(rule,))
    return Camera(
        camera_id="cam", name="Cam", source="x", legal_basis="test", zones=(zone,),
        redetect_every_s=0,
    )  # fmt: skip


def picture(at_s: float, paint: Paint | None = None) -> Image:
    """The yard at a time."""
    shown: Image = (GROUND + NOISE[int(at_s) % len(NOISE)]).astype(np.uint8)
    if paint is not None:
        paint(at_s, shown)
    return shown


def dumped(at_s: float, image: Image, box: Box = BOX) -> None:
    """Somebody has left a mattress."""
    if at_s >= COMES_S:
        x1, y1, x2, y2 = (int(side) for side in box.xyxy)
        image[y1:y2, x1:x2] = MATTRESS[: y2 - y1, : x2 - x1]


def of_the_grounds_brightness(at_s: float, image: Image) -> None:
    """A blue tarpaulin, just as bright as the ground."""
    if at_s >= COMES_S:
        x1, y1, x2, y2 = (int(side) for side in BOX.xyxy)
        level = int(image[y1:y2, x1:x2, 1].mean())
        image[y1:y2, x1:x2] = (level + 60, level, level - 40)


def rough(at_s: float, image: Image) -> None:
    """Rubble, of the ground's brightness and colour."""
    if at_s >= COMES_S:
        x1, y1, x2, y2 = (int(side) for side in LARGE_BOX.xyxy)
        level = image[y1:y2, x1:x2].mean(axis=(0, 1))
        image[y1:y2, x1:x2] = np.clip(RUBBLE + level, 0, 255).astype(np.uint8)


def tinted(at_s: float, image: Image) -> None:
    """Sodium lamps come on: everything turns yellow."""
    if at_s >= COMES_S:
        image[:] = (image * (0.6, 0.95, 1.1)).clip(0, 255).astype(np.uint8)


def red_light(at_s: float, image: Image) -> None:
    """A red light falls on a part of the ground and stays."""
    if at_s >= COMES_S:
        image[180:260, 200:300] = (image[180:260, 200:300] * (0.9, 0.95, 1.35)).clip(0, 255)


def passing(at_s: float, image: Image) -> None:
    """A white van crosses, and no detector knows it."""
    left = int(30 * (at_s - COMES_S))
    if 0 < left < 560:
        image[150:230, left : left + 80] = 230


def shaded(at_s: float, image: Image) -> None:
    """The shadow of a house falls on a part of the yard."""
    if at_s >= COMES_S:
        image[180:300, 200:360] = (image[180:300, 200:360] * 0.6).astype(np.uint8)


def dimmed(at_s: float, image: Image) -> None:
    """A cloud: everything is darker, within two seconds."""
    if at_s >= COMES_S:
        image[:] = (image * (0.8 if at_s < COMES_S + 1 else 0.6)).astype(np.uint8)


def taken(at_s: float, image: Image) -> None:
    """What has lain there since the camera came up is taken away."""
    if at_s < COMES_S:
        dumped(COMES_S, image)


def lit(at_s: float, image: Image) -> None:
    """Lamps light half of the yard."""
    if at_s >= COMES_S:
        image[:, 320:] = 250 - image[:, 320:] // 2


def swaying(at_s: float, image: Image) -> None:
    """The mast moves by a few pixels."""
    image[:] = np.roll(image, int(at_s) % 3 - 1, axis=1)


def watched(
    paint: Paint | None, to_s: int, known: Callable[[float], list[Box]] = lambda _: []
) -> list[tuple[float, Box]]:
    """Unknown objects at one look a second, with their times."""
    watch = BackgroundWatch(camera())
    found = []
    for second in range(to_s):
        at = START + timedelta(seconds=second)
        for thing in watch.look(picture(second, paint), at, known(second)):
            assert thing.label == "unknown_object"
            found.append((float(second), thing.box))
    return found


def test_what_is_left_lying_is_found_within_seconds_at_its_place() -> None:
    found = watched(dumped, COMES_S + 30)
    assert found[0][0] <= COMES_S + 10
    assert {second for second, _ in found} == set(range(int(found[0][0]), COMES_S + 30))
    assert all(box.iou(BOX) > 0.6 for _, box in found[2:])


@pytest.mark.parametrize(
    ("paint", "box"),
    [
        pytest.param(of_the_grounds_brightness, BOX, id="another colour"),
        pytest.param(rough, LARGE_BOX, id="another surface"),
    ],
)
def test_what_is_as_bright_as_the_ground_is_found_too(paint: Paint, box: Box) -> None:
    found = watched(paint, COMES_S + 14)
    assert found
    assert all(second >= COMES_S and thing.iou(box) > 0.5 for second, thing in found)


@pytest.mark.parametrize(
    "paint",
    [
        pytest.param(None, id="nothing happens"),
        pytest.param(passing, id="something passes"),
        pytest.param(shaded, id="a shadow falls"),
        pytest.param(dimmed, id="a cloud comes"),
        pytest.param(taken, id="something is taken away"),
        pytest.param(lit, id="lamps light half of it"),
        pytest.param(tinted, id="lamps tint everything"),
        pytest.param(red_light, id="a red light falls on it"),
        pytest.param(swaying, id="the mast sways"),
        pytest.param(lambda s, image: dumped(s + COMES_S, image), id="it lay there at the start"),
        pytest.param(
            lambda s, image: dumped(s, image, Box(300, 200, 308, 208)), id="it is too small"
        ),
    ],
)
def test_what_is_no_new_thing_is_not_found(paint: Paint | None) -> None:
    assert watched(paint, COMES_S + 30) == []


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(lambda _: [BOX], id="a known thing is there"),
        pytest.param(lambda s: [BOX] if s % 6 == 0 else [], id="detected now and then"),
        pytest.param(
            lambda s: [Box(290, 150, 350, 215)] if s >= COMES_S else [], id="somebody covers it"
        ),
    ],
)
def test_what_is_known_to_be_there_is_not_unknown(known: Callable[[float], list[Box]]) -> None:
    assert watched(dumped, COMES_S + 30, known) == []


def test_a_scene_that_has_changed_for_good_becomes_the_background() -> None:
    later_s = COMES_S + int(GLOBAL_S) + 60

    def rebuilt(at_s: float, image: Image) -> None:
        if at_s >= COMES_S:
            image[:, 200:] = 250 - image[:, 200:] // 2
        if at_s >= later_s:
            image[200:232, 80:120] = MATTRESS

    found = watched(rebuilt, later_s + 20)
    assert found
    assert all(second >= later_s for second, _ in found)


def frame(second: int, paint: Paint | None) -> Frame:
    at = START + timedelta(seconds=second)
    return Frame(
        camera_id="cam", sequence=second, image=picture(second, paint), captured_at=at,
        stream_s=float(second),
    )  # fmt: skip


def leaves(at_s: float, image: Image) -> None:
    """The mattress is there for 40 seconds."""
    if at_s < COMES_S + 40:
        dumped(at_s, image)


def run(
    folder: Path, restarts: tuple[int, ...] = (), *, to_s: int = 110
) -> tuple[list[IncidentChange], list[IncidentChange]]:
    """What a daemon says of the mattress, stopped and started at these seconds; and a replay."""
    watched_camera, nothing = camera(), ScriptedDetector(lambda _: ())
    references = CameraReferences(folder, "cam")
    live: list[IncidentChange] = []
    state: str | None = None
    bounds = (0, *restarts, to_s)
    for begin, end in pairwise(bounds):
        pipeline = CameraPipeline(watched_camera, nothing, state, references)
        recorder = CameraRecorder(
            folder / "recordings", "cam", RecordingChoice(), resumed_at=pipeline.last_at
        )
        for second in range(begin, end):
            processed = pipeline.process(frame(second, leaves))
            recorder.add(processed.look, processed.changes, ())
            live += processed.changes
        recorder.close()
        pipeline.save()
        state = pipeline.state()
    span = Span(begin=START - timedelta(days=1), end=START + timedelta(days=1))
    recording = CameraRecording(folder / "recordings", "cam")
    return live, list(changes_of(watched_camera, recording, span))


@pytest.mark.parametrize("restarts", [(), (20,), (COMES_S + 9,), (COMES_S + 25,), (30, 60, 75)])
def test_it_is_one_order_over_restarts_and_in_a_replay(
    tmp_path: Path, restarts: tuple[int, ...]
) -> None:
    live, replayed = run(tmp_path, restarts)
    assert [change.kind for change in live] == ["opened", "cleared"]
    opened = live[0].incident
    assert (opened.label, opened.kind) == ("unknown_object", "litter")
    assert COMES_S <= (opened.started_at - START).total_seconds() <= COMES_S + 12
    assert opened.observed_s >= RULE.dwell_s
    assert replayed == live


def test_without_a_rule_that_asks_nothing_is_watched(tmp_path: Path) -> None:
    other = LitterRule(rule_id="litter", labels=frozenset({"litter"}), dwell_s=10)
    pipeline = CameraPipeline(
        camera(rule=other), ScriptedDetector(lambda _: ()), None, CameraReferences(tmp_path, "cam")
    )
    for second in range(COMES_S + 10):
        assert pipeline.process(frame(second, dumped)).look.tracks == ()
    pipeline.save()
    assert not list(tmp_path.glob("*.background"))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 and no more"])
def test_a_file_that_cannot_be_read_begins_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cam.background").write_bytes(content)
    kept = KeptBackground(camera(), tmp_path)
    seen: tuple[Detection, ...] = ()
    for second in range(COMES_S + 12):
        seen = kept.look(frame(second, dumped), (), ())
    assert [thing.label for thing in seen] == ["unknown_object"]
    kept.save()
    assert (tmp_path / "cam.background").stat().st_size > 1000


def test_a_zone_that_was_redrawn_begins_anew(tmp_path: Path) -> None:
    kept = KeptBackground(camera(), tmp_path)
    for second in range(COMES_S):
        kept.look(frame(second, dumped), (), ())
    kept.save()
    half: Points = ((0.0, 0.0), (0.9, 0.0), (0.9, 1.0), (0.0, 1.0))
    again = KeptBackground(camera(half), tmp_path)
    found = [again.look(frame(second, dumped), (), ()) for second in range(COMES_S, 70)]
    assert not any(found)
