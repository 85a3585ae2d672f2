"""Littering and full bins from frames to orders, through the real tracker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from detector.backends import ScriptedDetector
from models.geometry import Box
from models.incident import Incident, IncidentChange
from models.seeing import Detection, Frame, Image
from models.zone import Camera
from service.config import load_city
from service.daemon.pictures import Studio
from service.daemon.requests import work_order_request
from service.daemon.sights import SightMemory
from service.pipeline import CameraPipeline

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
RNG = np.random.default_rng(5)
PARK: Image = RNG.integers(90, 150, (360, 640, 3), dtype=np.uint8)
BOTTLE = Box(320, 240, 344, 252)
BIN = Box(320, 200, 360, 260)
BOTTLE_PICTURE: Image = RNG.integers(0, 255, (12, 24, 3), dtype=np.uint8)
BIN_PICTURE: Image = RNG.integers(0, 255, (60, 40, 3), dtype=np.uint8)
DROP_S, WALK_PX_S = 9, 40

City = Callable[[float], tuple[Image, list[Detection]]]

YAML = """\
city: {{name: Testville, timezone: Asia/Shanghai}}
departments: [{{id: sanitation, name: Sanitation}}]
routing: {{default: sanitation}}
cameras:
  - id: park
    source: park.mp4
    legal_basis: test
    closer_looks: false
    faults: {{look_for: []}}
    zones:
      - id: lawn
        polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]
        rules: [{rule}]
"""


def camera_with(folder: Path, rule: str) -> Camera:
    path = folder / "city.yaml"
    path.write_text(YAML.format(rule=rule), encoding="utf-8")
    return load_city(path, environ={}).cameras[0]


def with_picture(image: Image, box: Box, picture: Image) -> None:
    x1, y1, x2, y2 = (int(side) for side in box.xyxy)
    image[y1:y2, x1:x2] = picture


def park(at_s: float) -> tuple[Image, list[Detection]]:
    """Somebody walks through and drops a bottle beside the feet."""
    image = PARK.copy()
    found = []
    if at_s >= DROP_S:
        with_picture(image, BOTTLE, BOTTLE_PICTURE)
        found.append(Detection(label="litter", confidence=0.6, box=BOTTLE))
    left = 300 + WALK_PX_S * (at_s - DROP_S)
    walker = Box(left, 150, left + 36, 250)
    if walker.x1 >= 0 and walker.x2 <= 640:
        image[150:250, int(walker.x1) : int(walker.x2)] = (40, 40, 120)
        found.append(Detection(label="person", confidence=0.8, box=walker))
    return image, found


def corner(at_s: float) -> tuple[Image, list[Detection]]:
    """A bin that is too full, seen in most looks."""
    image = PARK.copy()
    with_picture(image, BIN, BIN_PICTURE)
    is_seen = at_s % 4 != 1
    found = [Detection(label="overflowing_bin", confidence=0.7, box=BIN)] if is_seen else []
    return image, found


def played(
    camera: Camera, city: City, to_s: int, sights: SightMemory | None = None
) -> tuple[list[IncidentChange], Sequence[datetime]]:
    """The changes, and when the first sight of each opening was taken."""
    found: list[Detection] = []
    pipeline = CameraPipeline(camera, ScriptedDetector(lambda _: found))
    changes: list[IncidentChange] = []
    first: list[datetime] = []
    for second in range(to_s):
        image, found[:] = city(second)
        at = START + timedelta(seconds=second)
        frame = Frame(
            camera_id="park", sequence=second, image=image, captured_at=at, stream_s=float(second)
        )
        processed = pipeline.process(frame)
        changes += processed.changes
        if sights is None:
            continue
        opened = [change for change in processed.changes if change.kind == "opened"]
        looks = [sights.first(change.incident, processed.look) for change in opened]
        first += [sight.at for sight in looks if sight is not None]
        sights.note(processed, pipeline.incidents)
    return changes, first


def seconds(incident: Incident) -> tuple[float, float]:
    """When it began and when it was confirmed."""
    return (
        (incident.started_at - START).total_seconds(),
        (incident.opened_at - START).total_seconds(),
    )


def test_a_bottle_dropped_in_passing_is_an_order_within_seconds_that_shows_the_act(
    tmp_path: Path,
) -> None:
    camera = camera_with(tmp_path, "{kind: littering}")
    changes, first = played(camera, park, 40, SightMemory(Studio(camera=camera)))
    (change,) = changes
    began_s, opened_s = seconds(change.incident)
    assert began_s == DROP_S
    # Four seconds to walk out of reach, three more alone.
    assert DROP_S < opened_s <= DROP_S + 8
    # At that look the walker is still beside the bottle.
    assert [(at - START).total_seconds() for at in first] == [DROP_S]
    order = work_order_request(change.incident, camera)
    assert (order.category, order.label, order.rule_kind) == ("littering", "litter", "littering")
    assert "person" not in order.description
    assert "dropped and left" in order.description


def test_a_bin_that_is_too_full_is_an_order_of_its_own_category(tmp_path: Path) -> None:
    camera = camera_with(
        tmp_path, "{kind: litter, labels: [overflowing_bin], dwell: 10s, closer_look: 'off'}"
    )
    changes, _ = played(camera, corner, 30)
    (opened,) = (change.incident for change in changes if change.kind == "opened")
    order = work_order_request(opened, camera)
    assert (order.category, order.label, order.dwell_s) == ("overflowing_bin",) * 2 + (10,)
    assert seconds(opened) == (0, 10)
