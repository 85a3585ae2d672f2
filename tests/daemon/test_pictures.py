"""Pictures that leave the daemon show what is there now, and no heads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest

from models.errors import DetectorError
from models.evidence import Privacy
from models.geometry import Box
from models.incident import ChangeKind, Incident, IncidentChange
from models.seeing import Detection, Frame, Image, Look, Track
from models.zone import RuleKind
from service.daemon import pictures
from service.daemon.pictures import Studio, change_pictures, concerns, snapshot
from service.pipeline import Processed
from tests.daemon.played import CAR, SIZE_PX, START, camera, street

CLOSE = 3.0
"""JPEG changes a pixel by less on average."""


def track(box: Box = CAR, **changes: object) -> Track:
    made = Track(
        track_id=1,
        label="car",
        confidence=0.9,
        box=box,
        first_seen=START,
        last_seen=START,
        stationary_since=START,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def processed(*tracks: Track, detections: tuple[Detection, ...] = ()) -> Processed:
    image = cv2.blur(street(), (9, 9))
    frame = Frame(camera_id="gate", sequence=0, image=image, captured_at=START, stream_s=0.0)
    look = Look(
        camera_id="gate", at=START, width_px=SIZE_PX[0], height_px=SIZE_PX[1], tracks=tracks
    )
    return Processed(frame=frame, detections=detections, look=look, changes=())


def change(kind: ChangeKind) -> IncidentChange:
    incident = Incident(
        incident_id="6f8e",
        camera_id="gate",
        zone_id="kerb",
        rule_id="parking",
        kind=RuleKind.ILLEGAL_PARKING,
        category="illegal_parking",
        label="car",
        box=CAR,
        width_px=SIZE_PX[0],
        height_px=SIZE_PX[1],
        confidence=0.9,
        started_at=START,
        opened_at=START,
        last_seen_at=START,
        observed_s=5.0,
    )
    return IncidentChange(kind=kind, at=START, incident=incident)


def decoded(jpeg: bytes | None) -> Image:
    assert jpeg is not None
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (ChangeKind.OPENED, {"opened-wide", "opened-close", "opened-clean"}),
        (ChangeKind.UPDATED, set()),
        (ChangeKind.CLEARED, {"cleared-wide"}),
    ],
)
def test_each_change_has_its_pictures(kind: ChangeKind, names: set[str]) -> None:
    assert set(change_pictures(change(kind), processed(track()), Studio(camera=camera()))) == names


def test_a_head_is_made_unrecognisable_in_every_picture() -> None:
    person = Box(100, 20, 140, 110)
    seen = processed(track(), detections=(Detection(label="person", confidence=0.5, box=person),))
    head = seen.frame.image[22:45, 104:136].astype(int)
    shots = change_pictures(change(ChangeKind.OPENED), seen, Studio(camera=camera(zones=())))
    for shot in (shots["opened-wide"], snapshot(seen, Studio(camera=camera(zones=())))):
        assert np.abs(decoded(shot)[22:45, 104:136].astype(int) - head).mean() > CLOSE


def test_the_clean_picture_shows_neither_drawings_nor_heads_nor_plates() -> None:
    person = Box(100, 20, 140, 110)
    seen = processed(track(), detections=(Detection(label="person", confidence=0.5, box=person),))
    clean = decoded(
        change_pictures(change(ChangeKind.OPENED), seen, Studio(camera=camera()))["opened-clean"]
    )
    away = np.abs(clean.astype(int) - seen.frame.image).mean(axis=2)
    plates = slice(int(CAR.y1 + 0.4 * CAR.height), int(CAR.y2)), slice(int(CAR.x1), int(CAR.x2))
    assert away[22:45, 104:136].mean() > CLOSE
    assert away[plates].mean() > CLOSE
    rest = np.ones(away.shape, bool)
    rest[plates] = rest[10:60, 90:150] = False
    rest[int(CAR.y1) : int(CAR.y2), int(CAR.x1) : int(CAR.x2)] = False
    assert away[rest].mean() < CLOSE, "neither zone, box nor caption"


@pytest.mark.parametrize(
    ("box", "is_sent"),
    [
        pytest.param(Box(45, 85, 60, 92), False, id="behind a plate"),
        pytest.param(Box(0, 0, 20, 20), True, id="beside the car"),
    ],
)
def test_what_had_to_be_hidden_is_not_sent_for_training(box: Box, is_sent: bool) -> None:
    opened = change(ChangeKind.OPENED)
    litter = replace(opened, incident=replace(opened.incident, label="litter", box=box))
    shots = change_pictures(litter, processed(track()), Studio(camera=camera()))
    assert ("opened-clean" in shots) is is_sent


def test_without_people_a_picture_keeps_its_pixels() -> None:
    seen = processed()
    shot = decoded(snapshot(seen, Studio(camera=camera(zones=()))))
    untouched = slice(0, 90)
    difference = shot[untouched].astype(int) - seen.frame.image[untouched]
    assert np.abs(difference).mean() < 2 * CLOSE


def test_the_latest_view_of_a_large_picture_is_made_small_with_everything_in_its_place() -> None:
    factor = 2 * pictures.SNAPSHOT_WIDTH_PX / SIZE_PX[0]
    person = Detection(label="person", confidence=0.5, box=Box(100, 20, 140, 110))
    large = cv2.resize(processed().frame.image, None, fx=factor, fy=factor)

    def look(*tracks: Track, detections: tuple[Detection, ...] = ()) -> Processed:
        bare = processed()
        height, width = large.shape[:2]
        return replace(
            bare,
            frame=replace(bare.frame, image=large),
            detections=detections,
            look=replace(bare.look, width_px=width, height_px=height, tracks=tracks),
        )

    studio = Studio(camera=camera(zones=()))
    bare = decoded(snapshot(look(), studio)).astype(int)
    found = replace(person, box=person.box.scaled(factor, factor))
    shown = look(track(CAR.scaled(factor, factor)), detections=(found,))
    changed = np.abs(decoded(snapshot(shown, studio)).astype(int) - bare).mean(axis=2)
    assert bare.shape[1] == pictures.SNAPSHOT_WIDTH_PX

    def mean_within(box: Box) -> float:
        x1, y1, x2, y2 = (round(side * factor / 2) for side in box.xyxy)
        return float(changed[y1:y2, x1:x2].mean())

    assert mean_within(Box(104, 22, 136, 45)) > CLOSE, "a head"
    assert mean_within(Box(CAR.x1, CAR.y1 + 0.4 * CAR.height, CAR.x2, CAR.y2)) > CLOSE, "plates"
    assert mean_within(Box(100, 60, 140, 80)) < CLOSE, "the rest of a person"


def test_the_time_in_a_picture_is_that_of_the_city() -> None:
    seen = processed()
    assert snapshot(seen, Studio(camera=camera(), timezone=ZoneInfo("Asia/Shanghai"))) != snapshot(
        seen, Studio(camera=camera())
    )
    assert snapshot(seen, Studio(camera=camera(), timezone=ZoneInfo("Etc/UTC"))) == snapshot(
        seen, Studio(camera=camera())
    )


def test_the_place_that_something_moving_has_left_is_not_drawn() -> None:
    gone = track(last_seen=START - timedelta(seconds=1), stationary_since=None)
    studio = Studio(camera=camera(privacy=Privacy(blur_plates=False)))
    assert snapshot(processed(gone), studio) == snapshot(processed(), studio)


def test_a_hidden_thing_that_stands_is_drawn() -> None:
    hidden = track(last_seen=START - timedelta(seconds=1))
    studio = Studio(camera=camera(privacy=Privacy(blur_plates=False)))
    assert snapshot(processed(hidden), studio) != snapshot(processed(), studio)


def test_an_incident_survives_pictures_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise DetectorError("no memory")

    monkeypatch.setattr(pictures, "encode_jpeg", broken)
    assert (
        change_pictures(change(ChangeKind.OPENED), processed(track()), Studio(camera=camera()))
        == {}
    )
    assert snapshot(processed(track()), Studio(camera=camera())) is None


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(track(), True, id="the vehicle itself"),
        pytest.param(track(Box(0, 0, 20, 20)), False, id="another one"),
        pytest.param(track(Box(45, 65, 60, 80)), True, id="a piece within it, of its label"),
        pytest.param(track(Box(45, 65, 60, 80), label="person"), False, id="somebody in it"),
    ],
)
def test_what_an_incident_is_about_is_highlighted(seen: Track, expected: bool) -> None:
    assert concerns(seen, change(ChangeKind.OPENED).incident) is expected
