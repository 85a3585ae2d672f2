"""Faults and assets through the pipeline: rules rest, orders are made, restarts forget not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from detector.backends import ScriptedDetector
from models.errors import NotFoundError
from models.geometry import Box
from models.incident import ChangeKind, IncidentChange
from models.seeing import Detection, Frame, Image
from models.upkeep import FaultKind
from models.zone import Camera, IllegalParkingRule, RuleKind, Zone
from service.config.convert_upkeep import to_asset, to_faults
from service.config.upkeep_forms import AssetForm, FaultName, FaultsForm, FaultTimesForm
from service.daemon.requests import work_order_request
from service.pipeline import CameraPipeline
from service.references import Asked, CameraReferences
from service.upkeep import join_states, split_states
from tests.camera_faults.street import SIZE_PX, START, Sky, seen, street

CAR = Box(60, 150, 160, 220)
ALL_FAULTS = [*get_args(FaultName)]
TIMES = FaultTimesForm(moved=8, covered=8, black=8, frozen=12, offline=8)


def _camera(*, parking_dwell_s: float = 15.0) -> Camera:
    rule = IllegalParkingRule(
        rule_id="parking",
        labels=frozenset({"car"}),
        dwell_s=parking_dwell_s,
        clear_after_s=10,
        category="illegal_parking",
    )
    zone = Zone(
        zone_id="kerb",
        name="Kerb",
        polygon=((0, 0), (1, 0), (1, 1), (0, 1)),
        in_pixels=False,
        rules=(rule,),
    )
    form = AssetForm(id="sign", kind="sign", box=[0.6, 0.3, 0.8, 0.7], dwell=10, clear_after=5)
    return Camera(
        camera_id="cam",
        name="Camera",
        source="rtsp://camera",
        legal_basis="test",
        zones=(zone,),
        faults=to_faults(FaultsForm(look_for=ALL_FAULTS, report_after=TIMES, clear_after=4), 1.0),
        assets=(to_asset(form),),
        closer_looks=False,
    )


def _place(*, with_sign: bool = True) -> Image:
    image = street()
    image[60:220, 250:420] = 128  # a wall, and a sign on it
    image[75::24, 250:420] = 110
    if with_sign:
        image[85:185, 292:380] = (30, 30, 190)
        image[100:110, 300:372] = image[125:135, 300:372] = image[150:160, 300:350] = 235
    return image


def _detector(car: bool = True) -> ScriptedDetector:
    cars = (Detection(label="car", confidence=0.9, box=CAR),) if car else ()
    return ScriptedDetector(lambda _: cars, labels=("car", "person"))


def _run(
    pipeline: CameraPipeline, seconds: Iterable[int], picture: Callable[[int], Image]
) -> list[IncidentChange]:
    changes: list[IncidentChange] = []
    for second in seconds:
        frame = Frame(
            camera_id="cam",
            sequence=second,
            image=picture(second),
            captured_at=START + timedelta(seconds=second),
            stream_s=float(second),
        )
        changes += pipeline.process(frame).changes
    return [change for change in changes if change.kind is not ChangeKind.UPDATED]


def _home(second: int) -> Image:
    return seen(_place(), Sky(), second)


def _elsewhere(second: int) -> Image:
    return seen(street(seed=77), Sky(), second)


def _labels(changes: Iterable[IncidentChange]) -> list[tuple[str, str]]:
    return [(change.kind.value, change.incident.label) for change in changes]


def test_while_the_view_is_moved_its_rules_rest_and_neither_open_nor_clear() -> None:
    pipeline = CameraPipeline(_camera(parking_dwell_s=35), _detector())
    assert _run(pipeline, range(30), _home) == []
    away = _run(pipeline, range(30, 60), _elsewhere)
    assert _labels(away) == [("opened", "moved_view")]
    back = _run(pipeline, range(60, 80), _home)
    assert _labels(back) == [("cleared", "moved_view"), ("opened", "car")]
    (parked,) = [change.incident for change in back if change.incident.label == "car"]
    assert 35 <= parked.observed_s < 38


def test_a_fault_that_nobody_asked_for_suspends_nothing() -> None:
    camera = replace(_camera(), faults=to_faults(FaultsForm(), 1.0))
    assert camera.faults is not None
    assert {rule.rule_id for rule in camera.faults.rules} == {"frozen", "offline"}
    pipeline = CameraPipeline(camera, _detector())

    _run(pipeline, range(20), _home)
    changes = _run(pipeline, range(20, 60), _elsewhere)

    assert not pipeline.upkeep.is_blind
    assert not [c for c in changes if c.incident.kind is RuleKind.CAMERA_FAULT]


def test_an_incident_is_not_cleared_by_a_black_picture() -> None:
    pipeline = CameraPipeline(_camera(parking_dwell_s=10), _detector())
    assert _labels(_run(pipeline, range(30), _home)) == [("opened", "car")]
    blind = _run(pipeline, range(30, 70), lambda _: np.zeros((270, 480, 3), np.uint8))
    assert _labels(blind) == [("opened", "black_picture")]
    assert {incident.label for incident in pipeline.incidents} == {"car", "black_picture"}


def test_a_frozen_picture_adds_nothing_to_the_dwell_once_it_is_known() -> None:
    pipeline = CameraPipeline(_camera(parking_dwell_s=60), _detector())
    _run(pipeline, range(25), _home)
    still = _home(25)
    changes = _run(pipeline, range(25, 120), lambda _: still)
    assert _labels(changes) == [("opened", "frozen_picture")]


def test_an_accepted_view_lets_the_rules_go_on(tmp_path: Path) -> None:
    references = CameraReferences(tmp_path, "cam")
    pipeline = CameraPipeline(_camera(), _detector(car=False), None, references)
    _run(pipeline, range(25), _home)
    assert _labels(_run(pipeline, range(25, 40), _elsewhere)) == [("opened", "moved_view")]
    references.ask(Asked(accept_view=True))
    frames = _run(pipeline, range(40, 75), _elsewhere)
    assert ("cleared", "moved_view") in _labels(frames)
    assert not pipeline.upkeep.is_blind


def test_a_restart_knows_the_home_view_and_open_faults(tmp_path: Path) -> None:
    references = CameraReferences(tmp_path, "cam")
    first = CameraPipeline(_camera(), _detector(car=False), None, references)
    _run(first, range(25), _home)
    _run(first, range(25, 40), _elsewhere)
    first.upkeep.save()
    again = CameraPipeline(_camera(), _detector(car=False), first.state(), references)
    assert again.upkeep.faults == {FaultKind.MOVED}
    assert _run(again, range(41, 50), _elsewhere) == []
    assert _labels(_run(again, range(50, 58), _home)) == [("cleared", "moved_view")]


def test_a_sign_that_is_taken_away_becomes_an_order_after_its_dwell() -> None:
    pipeline = CameraPipeline(_camera(), _detector(car=False))
    _run(pipeline, range(40), _home)
    gone = _run(pipeline, range(40, 60), lambda n: seen(_place(with_sign=False), Sky(), n))
    assert _labels(gone) == [("opened", "missing_sign")]
    order = work_order_request(gone[0].incident, _camera())
    assert (order.category, order.zone_id) == ("damaged_facility", "sign")
    assert order.observed_s >= order.dwell_s == 10
    assert order.description == "Camera, sign: missing sign seen for 10 s"
    assert _labels(_run(pipeline, range(60, 70), _home)) == [("cleared", "missing_sign")]


def test_what_appeared_during_an_outage_is_found_without_any_motion() -> None:
    camera = replace(_camera(parking_dwell_s=10), assets=())
    pipeline = CameraPipeline(camera, _detector(car=False))
    _run(pipeline, range(5), _home)
    # An hour later: a car stands in a picture in which nothing moves, and never has moved.
    later = CameraPipeline(camera, _detector(), pipeline.state())
    assert _labels(_run(later, range(3605, 3625), _home)) == [("opened", "car")]


def test_an_offline_camera_is_reported_without_a_frame() -> None:
    pipeline = CameraPipeline(_camera(), _detector())
    at = [START + timedelta(seconds=second) for second in range(12)]
    changes = [c for one in at for c in pipeline.upkeep.no_frame(one, is_offline=True)]
    assert _labels(changes) == [("opened", "offline_camera")]
    order = work_order_request(changes[0].incident, _camera())
    assert (order.category, order.rule_kind) == ("camera_fault", "camera_fault")
    assert order.description == "Camera, camera: offline camera for 8 s"
    assert _labels(_run(pipeline, range(20, 30), _home)) == [("cleared", "offline_camera")]


def test_states_of_earlier_versions_are_those_of_the_rules() -> None:
    assert split_states('{"version":1}') == ('{"version":1}', None)
    assert split_states(None) == (None, None)
    assert split_states(join_states('{"version":1}', "")) == ('{"version":1}', None)
    assert split_states(join_states("a", "b")) == ("a", "b")
    with pytest.raises(ValueError, match="not the state"):
        split_states(json.dumps({"rules": 1, "upkeep": 2}))


def test_nothing_can_be_asked_of_a_camera_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nothing was learnt"):
        CameraReferences(tmp_path, "ghost").ask(Asked(accept_view=True))


def test_a_broken_file_of_references_is_learnt_anew(tmp_path: Path) -> None:
    (tmp_path / "cam.npz").write_bytes(b"PK\x03\x04 cut off")
    references = CameraReferences(tmp_path, "cam")
    pipeline = CameraPipeline(_camera(), _detector(car=False), None, references)
    assert _run(pipeline, range(25), _home) == []
    assert references.load().views.keys() == {"bright"}


def test_pictures_have_the_size_that_the_tests_think() -> None:
    assert _home(0).shape == (SIZE_PX[1], SIZE_PX[0], 3)
