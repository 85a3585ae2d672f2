from __future__ import annotations

import threading

from service.store.turns import Turns
from tests.support.dispatch import wait_for


def test_who_waits_comes_before_who_comes_back() -> None:
    turns, order = Turns(), list[str]()
    begun = threading.Semaphore(0)

    def wait(name: str) -> None:
        begun.release()
        with turns:
            order.append(name)

    threads = [threading.Thread(target=wait, args=(name,)) for name in ("first", "second")]
    with turns:
        for number, thread in enumerate(threads, start=1):
            thread.start()
            begun.acquire()
            wait_for(lambda number=number: len(turns._waiting) == number)  # type: ignore[misc]
    with turns:  # at once again, as a busy writer does
        order.append("comes back")
    for thread in threads:
        thread.join()
    assert order == ["first", "second", "comes back"]


def test_one_at_a_time_and_nobody_is_forgotten() -> None:
    turns, inside, most, done = Turns(), list[int](), list[int](), list[int]()

    def work(number: int) -> None:
        for _ in range(200):
            with turns:
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)
        done.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(8))
    assert set(most) == {1}


def test_an_error_hands_the_turn_on() -> None:
    turns = Turns()
    try:
        with turns:
            raise RuntimeError
    except RuntimeError:
        pass
    with turns:
        assert turns._is_taken
    assert not turns._is_taken
