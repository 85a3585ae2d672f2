from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from service.delivery.together import Together

WAIT_S = 20


def test_what_comes_while_one_is_at_work_is_done_at_once_afterwards() -> None:
    batches: list[list[int]] = []
    at_work, go_on = threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> None:
        batches.append(sorted(items))
        at_work.set()
        assert go_on.wait(WAIT_S)

    together = Together(work)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(together.bring, 0)
        assert at_work.wait(WAIT_S)
        others = [pool.submit(together.bring, number) for number in range(1, 8)]
        while together.waiting < len(others):
            threading.Event().wait(0.001)
        go_on.set()
        done, _ = wait([first, *others], WAIT_S)

    assert len(done) == 8
    assert batches == [[0], list(range(1, 8))]


def test_nothing_is_left_out_or_done_twice_and_nobody_returns_before_it_is_done() -> None:
    done: list[int] = []
    together = Together(done.extend)

    def bring(number: int) -> bool:
        together.bring(number)
        return number in done

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(bring, range(500)))

    assert sorted(done) == list(range(500))
