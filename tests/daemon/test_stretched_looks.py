"""Rules stay right when looks come later than they should, as long as those count as watched."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from models.incident import IncidentChange
from models.zone import Rule
from service.config.convert import CLEAR_AFTER_LOOKS, GRACE_LOOKS, MIN_CLEAR_AFTER_S, MIN_GRACE_S
from service.daemon.turns import cadence_of
from tests.zones.looks import BAG, CAR, LITTER, PARKING, Thing, camera, film, judge, told, zone
from zones.engine import ZoneEngine

DWELL_S = 60.0
UNTIL_S = 600.0
CASES = [
    pytest.param(PARKING, 1.0, id="parking"),
    pytest.param(LITTER, 10.0, id="litter"),
]
SHARES = [
    pytest.param(0.2, id="in_time"),
    pytest.param(0.5, id="stretched"),
    pytest.param(0.99, id="about_to_go_blind"),
]


def usual(rule: Rule, interval_s: float) -> Rule:
    """A rule with the patience that a configuration gives it."""
    return replace(
        rule,
        dwell_s=DWELL_S,
        grace_s=max(MIN_GRACE_S[rule.kind], GRACE_LOOKS * interval_s),
        clear_after_s=max(MIN_CLEAR_AFTER_S, CLEAR_AFTER_LOOKS * interval_s),
    )


def watched(
    rule: Rule, interval_s: float, gap_s: float, missed_at: frozenset[int] = frozenset()
) -> list[IncidentChange]:
    """What comes of looks so far apart at something that stays; a few looks do not notice it."""
    label, box = ("car", CAR) if rule is PARKING else ("litter", BAG)
    thing = Thing(label=label, box=box, hidden=lambda at_s: round(at_s / gap_s) in missed_at)
    engine = ZoneEngine(replace(camera(zone(usual(rule, interval_s))), look_interval_s=interval_s))
    return judge(engine, film(thing, to_s=UNTIL_S, rate=1 / gap_s))


def longest_s(rule: Rule, interval_s: float) -> float:
    """The longest gap that the scheduler takes for watched."""
    return cadence_of(replace(camera(zone(rule)), look_interval_s=interval_s)).longest_gap_s


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize(("rule", "interval_s"), CASES)
def test_dwell_is_the_same_at_stretched_looks(rule: Rule, interval_s: float, share: float) -> None:
    gap_s = share * longest_s(rule, interval_s)
    ((change, at_s),) = told(watched(rule, interval_s, gap_s))
    assert change == "opened"
    looks = max(3, math.ceil(DWELL_S / gap_s))
    assert at_s == pytest.approx(looks * gap_s, abs=gap_s + 0.01)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize(("rule", "interval_s"), CASES)
def test_a_single_look_that_misses_decides_nothing_at_stretched_looks(
    rule: Rule, interval_s: float, share: float
) -> None:
    gap_s = share * longest_s(rule, interval_s)
    n = math.ceil(DWELL_S / gap_s)
    before = watched(rule, interval_s, gap_s, frozenset({n - 1}))
    ((_, opened_s),) = told(before)
    assert opened_s <= (max(3, n) + 2) * gap_s + 0.01
    afterwards = watched(rule, interval_s, gap_s, frozenset({n + 4}))
    assert [change for change, _ in told(afterwards)] == ["opened"]


@pytest.mark.parametrize(("rule", "interval_s"), CASES)
def test_looks_that_are_too_far_apart_count_for_nothing(rule: Rule, interval_s: float) -> None:
    assert told(watched(rule, interval_s, 1.02 * longest_s(rule, interval_s))) == []
