"""Faults and assets over time: what lasts is reported once; what is not seen is not judged."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.incident import ChangeKind, IncidentChange
from models.upkeep import AssetState, FaultKind
from models.zone import RuleKind
from tests.zones.looks import after, camera, seconds
from tests.zones.upkeep import BENCH, SIZE_PX, bench_views, judged, told, watched
from zones.upkeep import UpkeepJudge

DWELL = int(BENCH.rule.dwell_s)
LETTERS = st.text(alphabet="=xmto.", max_size=120)


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        pytest.param("=" * 100, [], id="as it should be"),
        pytest.param("x" * 20, [], id="not long enough"),
        pytest.param("x" * 21, [("opened", "missing_bench")], id="missing for the dwell"),
        pytest.param("x" * 15 + "=" * 6 + "x" * 15, [], id="back in between"),
        pytest.param("x" * 15 + "==" + "x" * 10, [("opened", "missing_bench")], id="a short doubt"),
        pytest.param("x=" * 60, [], id="half of the looks"),
        pytest.param("x" * 10 + "o" * 200 + "x" * 5, [], id="hidden does not count"),
        pytest.param(
            "x" * 12 + "o" * 50 + "x" * 12, [("opened", "missing_bench")], id="goes on when seen"
        ),
        pytest.param("x" * 12 + "." * 300 + "x" * 5, [], id="an outage does not count"),
        pytest.param(
            "xmt" * 20, [("opened", "changed_bench")], id="where looks differ nobody is sure"
        ),
        pytest.param("m" * 15 + "t" * 15, [("opened", "moved_bench")], id="most looks decide"),
        pytest.param(
            "x" * 25 + "=" * 20,
            [("opened", "missing_bench"), ("cleared", "missing_bench")],
            id="put back",
        ),
        pytest.param(
            "x" * 25 + "o" * 100, [("opened", "missing_bench")], id="hidden is not put back"
        ),
    ],
)
def test_an_asset_is_reported_when_it_differs_long_enough(
    letters: str, expected: list[tuple[str, str]]
) -> None:
    assert told(judged(UpkeepJudge(watched()), letters)) == expected


def test_the_incident_says_what_where_and_for_how_long() -> None:
    (change,) = judged(UpkeepJudge(watched()), "=" * 5 + "x" * 25)
    incident = change.incident
    assert (incident.zone_id, incident.rule_id) == ("bench", "watched_asset")
    assert (incident.kind, incident.category) == (RuleKind.DAMAGED_FACILITY, "damaged_facility")
    assert incident.box.xyxy == (100, 100, 300, 300)
    assert (seconds(incident.started_at), seconds(incident.opened_at)) == (5, 25)
    assert (incident.observed_s, incident.confidence) == (20, 1.0)


@given(LETTERS)
def test_nothing_is_reported_before_it_was_seen_for_the_dwell(letters: str) -> None:
    changes = judged(UpkeepJudge(watched()), letters)
    for change in changes:
        if change.kind is ChangeKind.OPENED:
            until = int(seconds(change.at))
            # A look left out here and there is no blindness.
            assert sum(letter in "xmt." for letter in letters[: until + 1]) > DWELL
            assert change.incident.observed_s >= DWELL


@given(LETTERS)
def test_looks_that_could_not_tell_never_change_anything(letters: str) -> None:
    judge = UpkeepJudge(watched())
    for second, letter in enumerate(letters):
        for change in (
            judge.look_at_assets(after(second), bench_views(letter or "o"), SIZE_PX)
            if (letter != ".")
            else ()
        ):
            assert letter != "o", change


@given(LETTERS, st.integers(0, 120))
def test_a_restart_at_any_look_changes_nothing(letters: str, at: int) -> None:
    straight = judged(UpkeepJudge(watched()), letters)
    before = UpkeepJudge(watched())
    first = judged(before, letters[:at])
    second = judged(UpkeepJudge(watched(), before.state()), letters[at:], from_s=at)
    assert first + second == straight


@given(LETTERS)
def test_openings_and_clearings_of_one_asset_alternate(letters: str) -> None:
    kinds = [kind for kind, _ in told(judged(UpkeepJudge(watched()), letters))]
    assert all(one != other for one, other in pairwise(kinds))
    assert kinds[:1] in ([], ["opened"])


def _faults(judge: UpkeepJudge, kind: FaultKind, signs: str) -> list[IncidentChange]:
    meaning = {"x": True, "=": False, "o": None}
    return [
        change
        for second, sign in enumerate(signs)
        for change in judge.look_at_camera(after(second), {kind: meaning[sign]}, SIZE_PX)
    ]


@pytest.mark.parametrize("kind", list(FaultKind))
def test_a_fault_becomes_one_incident_and_ends_by_itself(kind: FaultKind) -> None:
    judge = UpkeepJudge(watched())
    changes = _faults(judge, kind, "=" * 3 + "x" * 30)
    assert [change.kind for change in changes] == [ChangeKind.OPENED]
    assert judge.faults == {kind}
    incident = changes[0].incident
    assert (incident.kind, incident.category) == (RuleKind.CAMERA_FAULT, "camera_fault")
    assert incident.box.xyxy == (0, 0, 1000, 500)
    ended = [
        change
        for second in range(33, 45)
        for change in judge.look_at_camera(after(second), {kind: False}, SIZE_PX)
    ]
    assert [change.kind for change in ended] == [ChangeKind.CLEARED]
    assert (judge.faults, judge.incidents) == (frozenset(), ())


def test_faults_are_apart_from_each_other() -> None:
    judge = UpkeepJudge(watched())
    signs = {FaultKind.BLACK: True, FaultKind.FROZEN: True, FaultKind.MOVED: None}
    changes = [
        change
        for second in range(12)
        for change in judge.look_at_camera(after(second), signs, SIZE_PX)
    ]
    assert sorted(change.incident.label for change in changes) == [
        "black_picture",
        "frozen_picture",
    ]


def test_what_is_no_longer_configured_is_cleared() -> None:
    judge = UpkeepJudge(watched())
    judged(judge, "x" * 25)
    after_change = UpkeepJudge(camera(), judge.state())
    assert len(after_change.incidents) == 1
    (change,) = after_change.look_at_assets(after(30), (), SIZE_PX)
    assert (change.kind, change.incident.zone_id) == (ChangeKind.CLEARED, "bench")
    assert not after_change.incidents


def test_an_incident_that_lasts_is_reported_again_now_and_then() -> None:
    changes = judged(UpkeepJudge(watched()), "x" * 700)
    assert [change.kind for change in changes] == [
        ChangeKind.OPENED,
        ChangeKind.UPDATED,
        ChangeKind.UPDATED,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"version": 2, "memories": []}',
        '{"version": 1, "memories": [{"zone_id": "a"}]}',
        "null",
    ],
)
def test_a_state_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        UpkeepJudge(watched(), text)


def test_a_view_of_something_that_is_not_watched_is_passed_over() -> None:
    views = bench_views("x")
    assert UpkeepJudge(camera()).look_at_assets(after(0), views, SIZE_PX) == ()
    assert views[0].state is AssetState.MISSING
