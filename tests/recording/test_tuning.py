"""Thresholds out of verdicts."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from models.geometry import Box
from models.incident import ChangeKind, Incident, IncidentChange
from models.zone import Rule
from service.recording.comparing import Made, Share, Verdict
from service.recording.plot import tradeoff_svg
from service.recording.tuning import (
    MOST_CHANGES,
    NEEDED_CONFIRMED,
    NEEDED_FALSE,
    Advice,
    Outcome,
    RulePlace,
    advise,
    frontier,
    settings_for,
    yaml_lines,
)
from tests.recording.worlds import ALWAYS, record, recording
from tests.zones.looks import DAMAGE, LITTER, PARKING, Thing, camera, film, zone

WATCHED = camera(zone(PARKING))
PLACES = [Box(x, 200, x + 90, 255) for x in (120, 320, 520, 720)]
LONG_S, SHORT_S = 60, 17
"""How long a parked car stands, and one in a queue."""


def cars(long: int, short: int, *, short_confidence: float = 0.8) -> list[Thing]:
    """So many that stand long, and so many that stand short, four at a time."""
    things = []
    for number in range(long + short):
        comes_s = 100 * (number // len(PLACES))
        is_short = number >= long
        things.append(
            Thing(
                track_id=number + 1,
                box=PLACES[number % len(PLACES)],
                confidence=short_confidence if is_short else 0.8,
                comes_s=comes_s,
                leaves_s=comes_s + (SHORT_S if is_short else LONG_S),
            )
        )
    return things


def judged(changes: Sequence[IncidentChange]) -> list[Made]:
    """The incidents as orders: what stood long was right."""
    last: dict[str, Incident] = {change.incident.incident_id: change.incident for change in changes}
    assert all(incident.cleared_at is not None for incident in last.values())
    return [
        Made(
            incident=incident,
            verdict=Verdict.CONFIRMED
            if (incident.last_seen_at - incident.started_at).total_seconds() > 30
            else Verdict.FALSE_ALARM,
        )
        for incident in last.values()
    ]


def advice_on(folder: Path, things: Sequence[Thing]) -> Advice:
    to_s = max(thing.leaves_s for thing in things) + 30
    changes = record(folder, film(*things, to_s=to_s), WATCHED, flush_every=50)
    assert {change.kind for change in changes} == {ChangeKind.OPENED, ChangeKind.CLEARED}
    place = RulePlace(camera=WATCHED, zone=WATCHED.zones[0], rule=PARKING)
    return advise([place], {"cam": recording(folder)}, ALWAYS, judged(changes))


def test_a_queue_is_told_from_parking_by_a_longer_dwell(tmp_path: Path) -> None:
    advice = advice_on(tmp_path, cars(NEEDED_CONFIRMED, NEEDED_FALSE))
    assert (advice.confirmed, advice.false_alarms) == (NEEDED_CONFIRMED, NEEDED_FALSE)
    current, best = advice.outcomes[0], advice.best
    assert (current.kept.part, current.false.part) == (NEEDED_CONFIRMED, NEEDED_FALSE)
    assert best is not None
    assert (best.kept.part, best.false.part) == (NEEDED_CONFIRMED, 0)
    assert yaml_lines(best.setting) == ["dwell: 20s"]
    picture = Xml.fromstring(tradeoff_svg(advice, "gate <kerb>"))  # noqa: S314 - our own
    titles = [title.text for title in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert "dwell: 20s" in titles
    assert "as it is" in titles


def test_what_is_unsure_is_told_by_confidence(tmp_path: Path) -> None:
    things = cars(NEEDED_CONFIRMED, NEEDED_FALSE, short_confidence=0.36)
    things = [replace(thing, leaves_s=thing.comes_s + LONG_S) for thing in things[:-NEEDED_FALSE]]
    unsure = cars(NEEDED_CONFIRMED, NEEDED_FALSE, short_confidence=0.36)[-NEEDED_FALSE:]
    advice = advice_on(tmp_path, [*things, *unsure])
    assert advice.best is not None
    assert yaml_lines(advice.best.setting) == ["min_confidence: 0.4"]


def test_nothing_is_advised_on_too_few_verdicts(tmp_path: Path) -> None:
    advice = advice_on(tmp_path, cars(3, 1))
    assert advice.best is None
    assert advice.lacking == (
        f"{NEEDED_CONFIRMED - 3} more confirmed orders and {NEEDED_FALSE - 1} more false alarms"
    )
    assert len(advice.outcomes) > 1


@pytest.mark.parametrize(
    "rule", [pytest.param(rule, id=rule.kind) for rule in (PARKING, LITTER, DAMAGE)]
)
def test_the_first_setting_is_the_files_own_and_no_two_are_alike(rule: Rule) -> None:
    settings = settings_for([rule])
    assert settings[0] == {}
    assert len({tuple(sorted(setting.items())) for setting in settings}) == len(settings)
    assert all(len(setting) <= MOST_CHANGES for setting in settings)
    assert all(getattr(rule, name) != value for s in settings for name, value in s.items())


def outcome(kept: int, false: int) -> Outcome:
    return Outcome(
        setting={},
        changes=0,
        kept=Share(part=kept, whole=10),
        false=Share(part=false, whole=10),
        unjudged=0,
    )


def test_the_frontier_holds_what_no_other_setting_beats() -> None:
    found = frontier([outcome(10, 9), outcome(10, 5), outcome(7, 2), outcome(6, 3), outcome(0, 0)])
    assert [(o.kept.part, o.false.part) for o in found] == [(0, 0), (7, 2), (10, 5)]
