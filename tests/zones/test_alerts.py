"""Alerts: people on watch are told before anything is filed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import Box
from models.incident import ChangeKind
from models.parking import AlreadyThere
from models.seeing import Look
from tests.zones.looks import (
    PARKING,
    Thing,
    camera,
    film,
    judge,
    look,
    parked,
    renumbered,
    told,
    zone,
)
from zones.engine import ZoneEngine

ALERTING = replace(PARKING, alert_after_s=4)


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        pytest.param(Thing(leaves_s=3), [], id="off before the alert"),
        pytest.param(Thing(leaves_s=8), [("alerted", 4)], id="off after the alert"),
        pytest.param(
            Thing(leaves_s=20), [("alerted", 4), ("opened", 10), ("cleared", 27)], id="it stays"
        ),
        pytest.param(Thing(confidence=0.2), [], id="never sure"),
        pytest.param(
            Thing(hidden=lambda s: 3 <= s < 6), [("alerted", 6), ("opened", 10)], id="seen again"
        ),
    ],
)
def test_an_alert_comes_once_before_the_incident(
    thing: Thing, expected: list[tuple[str, float]]
) -> None:
    assert parked(thing, to_s=40, rule=ALERTING) == expected


def test_what_the_rule_excuses_is_not_alerted_of() -> None:
    ignoring = replace(ALERTING, already_there=AlreadyThere.IGNORE)
    assert parked(Thing(), to_s=40, rule=ignoring) == []


def test_an_order_has_the_id_of_its_alert_though_the_box_wavers() -> None:
    looks: list[Look] = [
        look(s, Thing(box=Box(300 + s % 3, 200, 400 + s % 3, 260)).track(s, s)) for s in range(30)
    ]
    alert, opening = judge(ZoneEngine(camera(zone(ALERTING))), looks)
    assert (alert.kind, opening.kind) == (ChangeKind.ALERTED, ChangeKind.OPENED)
    assert alert.incident.incident_id == opening.incident.incident_id
    assert alert.incident.observed_s == 4


def test_an_alert_opens_nothing() -> None:
    engine = ZoneEngine(camera(zone(ALERTING)))
    judge(engine, film(Thing(), to_s=8))
    assert engine.incidents == ()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 30), st.integers(1, 60), st.integers(1, 50))
def test_alerts_change_nothing_of_what_is_filed_and_a_restart_repeats_none(
    comes_s: int, stays_s: int, at: int
) -> None:
    looks = film(Thing(comes_s=comes_s, leaves_s=comes_s + stays_s), to_s=120)
    plain = told(judge(ZoneEngine(camera(zone(PARKING))), looks))
    straight = told(judge(ZoneEngine(camera(zone(ALERTING))), looks))
    assert [item for item in straight if item[0] != "alerted"] == plain
    engine = ZoneEngine(camera(zone(ALERTING)))
    first = judge(engine, looks[:at])
    second = judge(ZoneEngine(camera(zone(ALERTING)), engine.state()), renumbered(looks[at:], at))
    alerts = [item for item in told([*first, *second]) if item[0] == "alerted"]
    assert alerts == [item for item in straight if item[0] == "alerted"]
