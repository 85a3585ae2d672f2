from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.errors import NotFoundError
from models.work_order import Status, WorkOrderRequest
from service.store import intake, orders
from service.store.database import Database
from service.store.orders import OrderFilter
from tests.support.dispatch import START, order_request


def add(database: Database, request: WorkOrderRequest) -> bool:
    with database.write() as connection:
        at = orders.tick(connection, START)
        order_id = str(uuid.uuid4())
        order = intake.add_order(connection, request, order_id, Status.RECEIVED, at)
    return order is not None


def test_an_order_comes_back_as_it_was_stored(database: Database) -> None:
    request = order_request(latitude=None, description="车")
    assert add(database, request)

    with database.read() as connection:
        order = orders.get_by_incident(connection, request.incident_id)

    for name in WorkOrderRequest.__dataclass_fields__:
        assert getattr(order, name) == getattr(request, name), name
    assert (order.number, order.version, order.status) == (1, 1, Status.RECEIVED)


def test_the_database_itself_lets_one_order_through_for_an_incident(
    database: Database,
) -> None:
    request = order_request()
    with ThreadPoolExecutor(20) as pool:
        stored = list(pool.map(lambda _: add(database, request), range(20)))

    assert stored.count(True) == 1
    with database.read() as connection:
        assert orders.count_by_status(connection) == {"received": 1}


def test_what_is_not_there_is_not_found(database: Database) -> None:
    with database.read() as connection:
        assert orders.find_by_incident(connection, "x") is None
        with pytest.raises(NotFoundError):
            orders.get_by_incident(connection, "x")
        with pytest.raises(NotFoundError):
            orders.get_order(connection, "x")


def test_changes_are_numbered_in_the_order_of_commit_and_their_time_never_goes_back(
    database: Database,
) -> None:
    """A poller that has seen change n never finds a change before n later."""
    seen: list[int] = []
    writing = threading.Event()
    writing.set()

    def write(number: int) -> None:
        for step in range(8):
            with database.write() as connection:
                # Clocks of two services may differ, even jump.
                at = orders.tick(connection, START + timedelta(seconds=(number * 7 + step) % 5))
                intake.add_order(
                    connection, order_request(), str(uuid.uuid4()), Status.RECEIVED, at
                )

    def poll() -> None:
        position = 0
        while True:
            is_last = not writing.is_set()
            with database.read() as connection:
                found = orders.changed_orders(
                    connection, OrderFilter(), after_change=position, limit=5
                )
            seen.extend(order.change_seq for order in found)
            position = found[-1].change_seq if found else position
            if is_last and not found:
                return

    poller = threading.Thread(target=poll)
    poller.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    writing.clear()
    poller.join()

    assert seen == sorted(set(seen))
    assert len(seen) == 32
    with database.read() as connection:
        found = orders.changed_orders(connection, OrderFilter(), after_change=0, limit=100)
    times = [order.updated_at for order in found]
    assert times == sorted(times)
