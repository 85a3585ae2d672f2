"""What the latency benchmark makes of what it saw; no server, no daemon."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.arrivals import DWELL_S, LOOP_S, PHASES, Arrival
from benchmarks.latency import Level, latencies, spread
from benchmarks.latency_site import Told
from benchmarks.streams import FPS, GOP

ARRIVAL = Arrival(path=Path("film.mp4"), stands_s=3.0)
BEGAN_S = 1_000.0
PASSES_S = BEGAN_S + ARRIVAL.stands_s + DWELL_S


def told(at_s: float, look_s: float = 0.3, filed_s: float = 0.5, heard_s: float = 0.6) -> Told:
    return Told(opened_s=at_s + look_s, filed_s=at_s + filed_s, heard_s=at_s + heard_s)


def test_each_dwell_that_passed_is_expected_once() -> None:
    expected, samples = latencies([], ARRIVAL, BEGAN_S, BEGAN_S, BEGAN_S + 10 * LOOP_S)

    assert expected == 10
    assert samples == []


def test_latency_runs_from_the_truth_and_its_parts_add_up() -> None:
    _, [sample] = latencies([told(PASSES_S)], ARRIVAL, BEGAN_S, BEGAN_S, BEGAN_S + LOOP_S)

    assert sample.latency_s == pytest.approx(0.6)
    assert sample.look_s == pytest.approx(0.3)
    assert sample.latency_s == pytest.approx(sample.look_s + sample.daemon_s + sample.delivery_s)


def test_a_webhook_belongs_to_the_arrival_before_it_however_many_loops_later() -> None:
    third = told(PASSES_S + 2 * LOOP_S)

    expected, samples = latencies([third], ARRIVAL, BEGAN_S, BEGAN_S, BEGAN_S + 4 * LOOP_S)

    assert expected == 4
    assert [round(sample.latency_s, 6) for sample in samples] == [0.6]


def test_a_beginning_of_long_ago_tells_of_the_same_moments() -> None:
    begin, end = BEGAN_S, BEGAN_S + 3 * LOOP_S

    far = latencies([told(PASSES_S)], ARRIVAL, BEGAN_S - 50 * LOOP_S, begin, end)

    assert far == latencies([told(PASSES_S)], ARRIVAL, BEGAN_S, begin, end)


def test_of_two_webhooks_for_one_arrival_the_first_counts() -> None:
    both = [told(PASSES_S, look_s=3.3, filed_s=3.5, heard_s=3.6), told(PASSES_S)]

    _, [sample] = latencies(both, ARRIVAL, BEGAN_S, BEGAN_S, BEGAN_S + LOOP_S)

    assert sample.latency_s == pytest.approx(0.6)


@pytest.mark.parametrize("count", range(1, len(PHASES) + 1))
def test_watching_cameras_share_out_the_phases(count: int) -> None:
    phases = spread(count)

    assert len(set(phases)) == count
    assert sum(phases) / count == pytest.approx(GOP / 2, abs=1)


def test_phases_lie_evenly_between_two_key_frames() -> None:
    waits = sorted((phase - 0.2 * FPS) % GOP for phase in PHASES)

    assert {round(later - earlier) for earlier, later in pairwise(waits)} == {5}


def test_percentiles_are_latencies_that_were_measured() -> None:
    many = [told(PASSES_S + n * LOOP_S, heard_s=0.6 + n / 100) for n in range(20)]
    expected, samples = latencies(many, ARRIVAL, BEGAN_S, BEGAN_S, BEGAN_S + 20 * LOOP_S)

    level = Level(
        share=0.9,
        cameras=1,
        watching=1,
        expected=expected,
        samples=tuple(samples),
        daemon_cpu=0.5,
    )

    assert level.summary()["told"] == 20
    assert level.percentile(0.5) == pytest.approx(0.69)
    assert level.percentile(0.95) == pytest.approx(0.78)
    assert level.percentile(1.0) == pytest.approx(0.79)
