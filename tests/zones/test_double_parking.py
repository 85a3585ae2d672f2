"""Double parking: standing in the carriageway beside a vehicle that is parked in the row."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import Box, Points
from models.incident import IncidentChange
from models.parking import QueuePolicy
from models.seeing import Look
from tests.zones.looks import PARKING, Thing, camera, film, judge, renumbered, told, zone
from zones.engine import ZoneEngine

ROW: Points = ((0.1, 0.2), (0.9, 0.2), (0.9, 0.4), (0.1, 0.4))
LANE: Points = ((0.1, 0.4), (0.9, 0.4), (0.9, 0.6), (0.1, 0.6))
"""100 to 200 px and 200 to 300 px from the top."""
DOUBLE = replace(PARKING, category="double_parking", beside_zone_id="row", queue=QueuePolicy.IGNORE)
WATCHED = camera(zone(DOUBLE, zone_id="lane", polygon=LANE), zone(zone_id="row", polygon=ROW))
FEW = settings(max_examples=40, deadline=None)


def in_row(number: int = 1, x: float = 300, **how: object) -> Thing:
    """A car that is parked in the row."""
    return replace(Thing(track_id=number, box=Box(x, 130, x + 100, 190)), **how)  # type: ignore[arg-type]


def in_lane(number: int = 2, x: float = 310, **how: object) -> Thing:
    """A car that stands in the carriageway."""
    base = Thing(track_id=number, box=Box(x, 210, x + 100, 280), comes_s=5)
    return replace(base, **how)  # type: ignore[arg-type]


def judged(looks: list[Look]) -> list[IncidentChange]:
    return judge(ZoneEngine(WATCHED), looks)


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        pytest.param([in_row(), in_lane()], [("opened", 15)], id="beside a parked car"),
        pytest.param([in_lane()], [], id="the row is empty"),
        pytest.param([in_row()], [], id="only parked in the row"),
        pytest.param([in_row(x=700), in_lane()], [], id="parked further down the row"),
        pytest.param([in_row(stands_s=1e9), in_lane()], [], id="one that moves in the row"),
        pytest.param([in_row(label="person"), in_lane()], [], id="somebody in the row"),
        pytest.param(
            [in_row(hidden=lambda s: s > 6), in_lane()], [("opened", 15)], id="hidden by it"
        ),
        pytest.param(
            [in_row(comes_s=10), in_lane()], [("opened", 19)], id="parked beside it later"
        ),
        pytest.param(
            [in_row(leaves_s=10), in_lane()], [], id="the parked one drives off before its dwell"
        ),
        pytest.param(
            [in_row(leaves_s=12), in_row(3, comes_s=20), in_lane()],
            [("opened", 29)],
            id="another parks there",
        ),
        pytest.param(
            [in_row(leaves_s=20), in_lane(leaves_s=40)],
            [("opened", 15), ("cleared", 47)],
            id="what is filed stays until it leaves",
        ),
    ],
)
def test_who_is_double_parked(things: list[Thing], expected: list[tuple[str, float]]) -> None:
    assert told(judged(film(*things, to_s=60))) == expected


def test_a_queue_beside_a_parked_row_is_no_double_parking() -> None:
    queue = [
        in_lane(n, x=120 + 130 * n, comes_s=5 + n, stands_s=6 + n, leaves_s=40 + n)
        for n in (1, 2, 3)
    ]
    parked = [in_row(n + 10, x=110 + 130 * n) for n in (1, 2, 3)]
    assert judged(film(*queue, *parked, to_s=60)) == []


def test_without_its_row_nothing_is_double_parked() -> None:
    alone = camera(zone(DOUBLE, zone_id="lane", polygon=LANE))
    assert judge(ZoneEngine(alone), film(in_row(), in_lane(), to_s=60)) == []


@FEW
@given(st.integers(0, 30), st.integers(5, 60), st.integers(0, 20), st.integers(1, 60))
def test_no_order_before_both_stood_there_for_the_dwell_and_a_restart_changes_nothing(
    comes_s: int, leaves_s: int, lane_s: int, at: int
) -> None:
    row = in_row(comes_s=comes_s, leaves_s=comes_s + leaves_s)
    looks = film(row, in_lane(comes_s=lane_s), to_s=110)
    straight = judged(looks)
    together_s = max(comes_s, lane_s) + DOUBLE.dwell_s
    opened = [at_s for kind, at_s in told(straight) if kind == "opened"]
    assert opened == [at_s for at_s in opened if at_s >= together_s - 1]
    if comes_s + leaves_s != together_s:  # at the very end of the dwell either is right
        assert bool(opened) is (comes_s + leaves_s > together_s)
    engine = ZoneEngine(WATCHED)
    changes = judge(engine, looks[:at])
    again = ZoneEngine(WATCHED, engine.state())
    changes += judge(again, renumbered(looks[at:], at))
    assert changes == straight
