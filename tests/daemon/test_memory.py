"""What a camera keeps in memory does not grow with the hours it is watched."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.simulated import Simulation, simulation

FIRST_S, LAST_S = 1800.0, 7200.0
LOOK_INTERVAL_S = 24.0
MAY_GROW = 60
"""Objects of one kind: what stands at one time and not at another, and caches that fill."""
CURSORS_KEPT = 2 * 200
"""A connection to SQLite forgets those that are gone after each 200: of the outbox, and of the
recording."""
MAX_BYTES = 12_000_000
"""Of pictures and packets of one camera."""


def kinds() -> Counter[str]:
    gc.collect()
    return Counter(type(each).__qualname__ for each in gc.get_objects())


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Simulation]:
    with simulation(tmp_path, 1, LOOK_INTERVAL_S) as simulated:
        yield simulated


def test_hours_more_leave_no_more_objects_and_bytes(running: Simulation) -> None:
    running.run(FIRST_S)
    before, sent = kinds(), running.sent
    running.run(LAST_S)
    grown = kinds() - before
    assert running.sent > sent + 10, "orders were made in the meantime"
    assert grown.pop("ReferenceType", 0) <= CURSORS_KEPT
    assert {name: count for name, count in grown.items() if count > MAY_GROW} == {}
    assert running.kept_bytes() < MAX_BYTES
