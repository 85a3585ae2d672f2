from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.decisions.cursor import (
    MAX_POSITION,
    Cursor,
    Listing,
    fingerprint,
    read_cursor,
    write_cursor,
)

CURSORS = st.builds(
    Cursor,
    listing=st.sampled_from(Listing),
    position=st.integers(0, MAX_POSITION),
    filters=st.text("0123456789abcdef", min_size=12, max_size=12),
)


@given(CURSORS)
def test_what_is_written_can_be_read(cursor: Cursor) -> None:
    assert read_cursor(write_cursor(cursor)) == cursor


@given(st.text())
def test_anything_else_is_a_value_error_or_a_cursor(text: str) -> None:
    try:
        cursor = read_cursor(text)
    except ValueError:
        return
    assert 0 <= cursor.position <= MAX_POSITION


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "n" * 201,
        encoded("n.1"),
        encoded("x.1.f"),
        encoded("n.-1.f"),
        encoded("n.a.f"),
        encoded(f"n.{2**63}.f"),
    ],
)
def test_a_broken_cursor_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_cursor(text)


def test_the_fingerprint_depends_on_what_is_filtered_not_on_the_order_of_fields() -> None:
    assert fingerprint({"a": ("x",), "b": ()}) == fingerprint({"b": (), "a": ("x",)})
    assert fingerprint({"a": ("x",)}) != fingerprint({"a": ("y",)})
