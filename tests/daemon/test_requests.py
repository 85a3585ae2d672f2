"""What is posted for a change: complete, in order, and the same bytes for the same change."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from models.geometry import Box
from models.incident import ChangeKind, Incident, IncidentChange
from models.work_order import WorkOrderRequest
from models.zone import Camera, IllegalParkingRule, Location, RuleKind, Zone
from service.daemon.requests import (
    config_version,
    evidence_request,
    find_rule,
    requests_for,
    to_json,
)

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
RULE = IllegalParkingRule(
    rule_id="no-parking",
    labels=frozenset({"car"}),
    dwell_s=60.0,
    category="illegal_parking",
    department_id="traffic",
)
CAMERA = Camera(
    camera_id="gate",
    name="North Gate",
    source="rtsp://127.0.0.1/gate",
    legal_basis="test",
    zones=(
        Zone(
            zone_id="kerb",
            name="North kerb",
            polygon=((0, 0), (1, 0), (1, 1)),
            in_pixels=False,
            rules=(RULE,),
        ),
    ),
    location=Location(latitude=31.2, longitude=121.5, address="1 Market Road"),
)
INCIDENT = Incident(
    incident_id="6f8e",
    camera_id="gate",
    zone_id="kerb",
    rule_id="no-parking",
    kind=RuleKind.ILLEGAL_PARKING,
    category="illegal_parking",
    label="car",
    box=Box(10, 20, 110, 90),
    width_px=640,
    height_px=360,
    confidence=0.91,
    started_at=START,
    opened_at=START + timedelta(seconds=60),
    last_seen_at=START + timedelta(seconds=60),
    observed_s=60.0,
)


def change(kind: ChangeKind, incident: Incident = INCIDENT) -> IncidentChange:
    return IncidentChange(kind=kind, at=incident.last_seen_at, incident=incident)


def test_an_opened_incident_posts_its_order() -> None:
    (order,) = requests_for(change(ChangeKind.OPENED), CAMERA)
    assert (order.method, order.path) == ("POST", "/api/v1/work-orders")
    assert (order.incident_id, order.note) == ("6f8e", "")


def test_an_order_tells_what_was_seen_from_what_was_inferred() -> None:
    partly = replace(INCIDENT, inferred_s=8.25)
    (order,) = requests_for(change(ChangeKind.OPENED, partly), CAMERA)
    body = json.loads(order.body)
    assert (body["observed_s"], body["inferred_s"]) == (60.0, 8.25)
    assert body["description"].endswith("car standing for 60 s (52 s seen, 8 s inferred)")
    (update,) = requests_for(change(ChangeKind.UPDATED, partly), CAMERA)
    assert json.loads(update.body)["inferred_s"] == 8.25


def test_an_alert_posts_nothing() -> None:
    assert requests_for(change(ChangeKind.ALERTED), CAMERA) == ()


def test_a_piece_of_evidence_is_put_under_its_name() -> None:
    request = evidence_request("6f8e", "clip", "video/mp4", b"film", "noted")
    assert request.method == "PUT"
    assert request.path == "/api/v1/incidents/6f8e/evidence/clip"
    assert (request.content_type, request.body, request.note) == ("video/mp4", b"film", "noted")


def test_an_order_carries_every_field_with_times_that_have_an_offset() -> None:
    (order,) = requests_for(change(ChangeKind.OPENED), CAMERA)
    body = json.loads(order.body)
    assert set(body) == {field.name for field in fields(WorkOrderRequest)}
    assert body["started_at"] == "2026-11-24T08:00:00+00:00"
    assert body["box_xyxy"] == [10, 20, 110, 90]
    assert (body["department_id"], body["dwell_s"]) == ("traffic", 60.0)
    assert (body["latitude"], body["address"]) == (31.2, "1 Market Road")
    assert body["description"] == "North Gate, North kerb: car standing for 60 s"


def test_an_order_says_which_model_saw_it_and_by_which_rules_it_was_judged() -> None:
    (order,) = requests_for(change(ChangeKind.OPENED), CAMERA, "street-n@1f3a9c02")
    body = json.loads(order.body)
    assert (body["model"], body["config_version"]) == ("street-n@1f3a9c02", config_version(CAMERA))


def test_a_configuration_has_another_version_when_it_judges_otherwise() -> None:
    stricter = replace(RULE, dwell_s=30.0, labels=frozenset({"car", "bus", "truck"}))
    changed = replace(CAMERA, zones=(replace(CAMERA.zones[0], rules=(stricter,)),))
    same = replace(CAMERA, source="rtsp://user:secret@127.0.0.1/gate")
    versions = {config_version(CAMERA), config_version(changed), config_version(same)}
    assert len(versions) == 2


def test_a_cleared_incident_posts_when_it_was_gone() -> None:
    gone = replace(INCIDENT, cleared_at=START + timedelta(seconds=120), observed_s=90.0)
    (observation,) = requests_for(change(ChangeKind.CLEARED, gone), CAMERA)
    assert observation.path == "/api/v1/incidents/6f8e/observation"
    body = json.loads(observation.body)
    assert body["state"] == "cleared"
    assert body["cleared_at"] == "2026-11-24T08:02:00+00:00"
    assert body["observed_s"] == 90.0


def test_the_same_change_gives_the_same_bytes() -> None:
    opened = change(ChangeKind.OPENED)
    assert requests_for(opened, CAMERA) == requests_for(opened, CAMERA)


def test_an_id_cannot_break_out_of_its_path() -> None:
    hostile = replace(INCIDENT, incident_id="../work-orders?x=1")
    (observation,) = requests_for(change(ChangeKind.UPDATED, hostile), CAMERA)
    assert observation.path == "/api/v1/incidents/..%2Fwork-orders%3Fx%3D1/observation"


def test_an_incident_of_a_rule_that_is_gone_is_named() -> None:
    with pytest.raises(LookupError, match="gate: no rule kerb/other"):
        find_rule(CAMERA, replace(INCIDENT, rule_id="other"))


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot be written as JSON"):
        to_json({"at": datetime(2026, 1, 1)})  # noqa: DTZ001 - the naive time is the point
