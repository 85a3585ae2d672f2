"""Zones on their way into service: drafts do not run, shadows run and say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.incident import IncidentChange
from models.zone import Camera, Stage
from tests.zones.looks import LITTER, PARKING, Thing, camera, film, judge, told, zone
from zones.engine import ZoneEngine

CAR, BAG = Thing(leaves_s=40), Thing(track_id=2, label="litter", leaves_s=40)


def staged(stage: Stage) -> Camera:
    """A camera with one zone in this stage."""
    return camera(replace(zone(PARKING, LITTER), stage=stage))


def switched(first: Stage, then: Stage) -> list[IncidentChange]:
    """What comes of a car and a bag if the stage changes while they are there."""
    looks = film(CAR, BAG, to_s=80)
    engine = ZoneEngine(staged(first))
    changes = judge(engine, looks[:30])
    return changes + judge(ZoneEngine(staged(then), engine.state()), looks[30:])


def test_a_draft_does_not_run() -> None:
    assert judge(ZoneEngine(staged(Stage.DRAFT)), film(CAR, BAG, to_s=80)) == []


@pytest.mark.parametrize(("stage", "is_shadow"), [(Stage.SHADOW, True), (Stage.LIVE, False)])
def test_a_shadow_judges_as_it_would_live_and_says_so(stage: Stage, is_shadow: bool) -> None:
    changes = judge(ZoneEngine(staged(stage)), film(CAR, BAG, to_s=80))
    live = judge(ZoneEngine(staged(Stage.LIVE)), film(CAR, BAG, to_s=80))
    assert told(changes) == told(live)
    assert len(changes) == 4
    assert {change.incident.is_shadow for change in changes} == {is_shadow}


@pytest.mark.parametrize(
    ("first", "then", "is_shadow"),
    [(Stage.SHADOW, Stage.LIVE, True), (Stage.LIVE, Stage.SHADOW, False)],
)
def test_an_incident_stays_what_it_was_opened_as(
    first: Stage, then: Stage, is_shadow: bool
) -> None:
    changes = switched(first, then)
    assert sorted(kind for kind, _ in told(changes)) == ["cleared", "cleared", "opened", "opened"]
    assert {change.incident.is_shadow for change in changes} == {is_shadow}


def test_what_is_open_when_a_zone_goes_back_to_draft_is_cleared() -> None:
    assert [kind for kind, at_s in told(switched(Stage.LIVE, Stage.DRAFT)) if at_s == 30] == [
        "cleared",
        "cleared",
    ]
