"""What costs come to: arithmetic with numbers that can be checked by head."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.zone import DecodeMode
from service.sizing.estimate import (
    RING_BYTES,
    USABLE_RATIO,
    Limit,
    Machine,
    StreamCost,
    estimate,
    memory_of,
    with_sub_stream,
)

GIGABYTE = 1e9
MACHINE = Machine(cores=2.0, memory_bytes=8 * GIGABYTE)
COST = StreamCost(
    name="gate",
    codec="h264",
    width_px=1920,
    height_px=1080,
    fps=25.0,
    key_gap_s=1.0,
    bits_per_s=4e6,
    mode=DecodeMode.KEYFRAMES,
    look_interval_s=1.0,
    receive_ratio=0.005,
    decode_s=0.015,
    full_decode_ratio=None,
    idle_look_s=0.005,
    busy_look_s=0.03,
    parallel_ratio=1.0,
    memory_bytes=20e6,
)


def test_cameras_are_what_the_usable_cores_hold_of_their_cost() -> None:
    found = estimate(COST, MACHINE)

    assert COST.cpu_ratio(busy=False) == pytest.approx(0.025)
    assert found.idle == int(2 * USABLE_RATIO / 0.025)
    assert found.busy == int(2 * USABLE_RATIO / 0.05)
    assert (found.limit, found.advice) == (Limit.CPU, ())


def test_memory_limits_where_there_is_little_of_it() -> None:
    found = estimate(COST, replace(MACHINE, memory_bytes=250e6))

    assert (found.idle, found.busy, found.limit) == (10, 10, Limit.MEMORY)


def test_half_as_many_looks_cost_half_but_receiving_costs_the_same() -> None:
    rare = replace(COST, look_interval_s=2.0)

    assert rare.cpu_ratio(busy=True) == pytest.approx(0.005 + 0.045 / 2)


def test_workers_that_wait_for_one_another_carry_less() -> None:
    assert estimate(replace(COST, parallel_ratio=0.5), MACHINE).busy == 16


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param(
            {"mode": DecodeMode.FULL, "full_decode_ratio": 0.15, "key_gap_s": 4.0},
            "(GOP) to 1 s: every picture has to be decoded now, 10 times the cost of key frames",
            id="key frames too rare",
        ),
        pytest.param({"width_px": 3840, "height_px": 2160}, "sub-stream", id="4K"),
        pytest.param({"codec": "hevc"}, "try H.264", id="H.265"),
        pytest.param(
            {"codec": "hevc", "h264_decode_s": 0.01},
            "15 ms in H.265, the same picture in H.264 10 ms: use H.264",
            id="H.265, compared",
        ),
        pytest.param({"bits_per_s": 12e6}, "12 Mbit/s", id="bit rate"),
    ],
)
def test_what_costs_much_is_advised_against(changes: dict[str, object], words: str) -> None:
    (advice,) = estimate(replace(COST, **changes), MACHINE).advice  # type: ignore[arg-type]

    assert words in advice


def test_a_sub_stream_is_advised_where_it_carries_clearly_more() -> None:
    main = estimate(COST, MACHINE)
    small = estimate(replace(COST, decode_s=0.003), MACHINE)

    (advice,) = with_sub_stream(main, small).advice

    assert f"{small.busy} busy cameras of {main.busy}" in advice
    assert with_sub_stream(main, main) == main


def test_packets_kept_for_films_count_up_to_their_bound() -> None:
    assert memory_of(1e6, 1e6) == pytest.approx(1e6 + 17e6 / 8)
    assert memory_of(1e6, 50e6) == 1e6 + RING_BYTES


@given(
    cores=st.floats(0.5, 128),
    look_s=st.floats(0.0005, 1),
    memory=st.floats(1e6, 1e9),
    free=st.floats(1e6, 1e12),
)
def test_busy_cameras_are_never_more_than_idle_ones_and_fit_in_memory(
    cores: float, look_s: float, memory: float, free: float
) -> None:
    cost = replace(COST, busy_look_s=COST.idle_look_s + look_s, memory_bytes=memory)

    found = estimate(cost, Machine(cores=cores, memory_bytes=free))

    assert 0 <= found.busy <= found.idle
    assert found.idle * memory <= free
