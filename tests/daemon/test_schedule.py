"""Whose turn it is: the longest due first, nobody twice, nobody forgotten."""

from __future__ import annotations

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from service.daemon.schedule import DueQueue


@given(st.lists(st.floats(min_value=-1e6, max_value=0), max_size=30))
def test_items_come_in_the_order_in_which_they_fell_due(dues: list[float]) -> None:
    queue: DueQueue[int] = DueQueue()
    for index, due in enumerate(dues):
        queue.put(index, due)
    taken = [queue.take(0.0) for _ in dues]
    assert taken == sorted(range(len(dues)), key=lambda index: (dues[index], index))
    assert queue.take(0.0) is None


def test_an_item_is_not_taken_before_it_is_due() -> None:
    queue: DueQueue[str] = DueQueue()
    due = time.monotonic() + 0.1
    queue.put("later", due)
    assert queue.take(0.0) is None
    assert queue.take(5.0) == "later"
    assert time.monotonic() >= due


def test_a_sooner_item_wakes_one_who_waits_for_a_later_one() -> None:
    queue: DueQueue[str] = DueQueue()
    queue.put("much later", time.monotonic() + 60)
    threading.Timer(0.05, lambda: queue.put("now", time.monotonic())).start()
    assert queue.take(10.0) == "now"


def test_closing_wakes_everybody_at_once() -> None:
    queue: DueQueue[str] = DueQueue()
    queue.put("due", 0.0)
    threading.Timer(0.05, queue.close).start()
    assert queue.take(10.0) == "due"
    started = time.monotonic()
    assert queue.take(10.0) is None
    assert time.monotonic() - started < 5
