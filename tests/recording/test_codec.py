"""Looks as bytes, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.seeing import Look
from service.recording.codec import BlockEncoder, decode
from service.recording.grid import CONFIDENCE_STEPS, STEPS_A_PX, from_us, rounded, to_us
from service.recording.unfold import looks_of
from tests.recording.worlds import any_looks, parked

# Without a zone, as hypothesis wants them; far enough from the ends to be turned to UTC.
FIRST, LAST = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1900, 2200))
FEW = settings(max_examples=40, deadline=None)


def encoded(looks: Sequence[Look], ends: Sequence[int]) -> list[bytes]:
    """The looks in pieces that end there."""
    encoder = BlockEncoder()
    bounds = [0, *sorted({end % (len(looks) + 1) for end in ends}), len(looks)]
    return [encoder.encode(looks[begin:end]) for begin, end in pairwise(bounds)]


def decoded(pieces: Sequence[bytes]) -> list[Look]:
    return list(looks_of("cam", decode(pieces)))


@FEW
@given(any_looks(), st.lists(st.integers(0, 20), max_size=4))
def test_what_is_read_is_what_was_written_to_the_step_however_it_was_cut(
    looks: list[Look], ends: list[int]
) -> None:
    assert decoded(encoded(looks, ends)) == [rounded(look) for look in looks]


@FEW
@given(any_looks())
def test_rounding_stays_within_half_a_step_and_is_done_once(looks: list[Look]) -> None:
    for look in looks:
        kept = rounded(look)
        assert rounded(kept) == kept
        for track, was in zip(kept.tracks, look.tracks, strict=True):
            assert abs(track.confidence - was.confidence) <= 0.5 / CONFIDENCE_STEPS + 1e-12
            for side, exact in zip(track.box.xyxy, was.box.xyxy, strict=True):
                assert abs(side - exact) <= 0.5 / STEPS_A_PX


@FEW
@given(any_looks(), st.integers(0, 12))
def test_whatever_pieces_there_are_can_be_read_without_those_to_come(
    looks: list[Look], count: int
) -> None:
    pieces = encoded(looks, range(1, len(looks)))[: count + 1]
    assert decoded(pieces) == [rounded(look) for look in looks[: len(pieces)]]


@given(st.datetimes(FIRST, LAST, timezones=st.timezones()))
def test_times_are_kept_to_the_microsecond(at: datetime) -> None:
    # In UTC: Python calls times that a clock shows twice unequal to any of another zone.
    assert from_us(to_us(at)) == at.astimezone(UTC)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda piece: piece[1:], id="begins too late"),
        pytest.param(lambda piece: b"\x00" * len(piece), id="zeros"),
        pytest.param(lambda piece: piece[: len(piece) // 2], id="half of it"),
    ],
)
def test_a_damaged_piece_is_an_error_and_never_other_looks(
    spoil: Callable[[bytes], bytes],
) -> None:
    piece = BlockEncoder().encode(parked())
    with pytest.raises(ValueError, match="damaged"):
        decode([spoil(piece)])


def test_a_street_where_nothing_moves_costs_next_to_nothing() -> None:
    encoder = BlockEncoder()
    encoder.encode(parked(to_s=10, leaves_s=1e9))
    looks = parked(to_s=3600, leaves_s=1e9)
    assert len(encoder.encode(looks)) < 2 * len(looks)
