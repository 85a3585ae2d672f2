from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from models.errors import ConflictError
from models.work_order import Status
from service.store import claims, deliveries, intake, orders, subscriptions
from service.store.claims import Claim, Lease
from service.store.database import Database
from service.store.deliveries import NewEvent
from service.store.records import Attempt, DeliveryState, Subscription
from tests.support.dispatch import START, order_request


def subscription(subscription_id: str = "s1", **changes: object) -> Subscription:
    values = {
        "subscription_id": subscription_id,
        "url": "https://city.example/",
        "description": "",
        "event_types": (),
        "categories": (),
        "department_ids": (),
        "secret": "whsec_c2VjcmV0",
        "active": True,
        "disabled_reason": None,
        "failures_in_a_row": 0,
        "paused_until": None,
        "created_at": START,
        **changes,
    }
    return Subscription(**values)  # type: ignore[arg-type]


def put_in_line(database: Database, *order_ids: str, to: tuple[str, ...] = ("s1",)) -> None:
    for order_id in order_ids:
        with database.write() as connection:
            at = orders.tick(connection, START)
            if not orders.newest_orders(
                connection, orders.OrderFilter(camera_ids=(order_id,)), before_number=None, limit=1
            ):
                request = order_request(camera_id=order_id)
                intake.add_order(connection, request, order_id, Status.RECEIVED, at)
            event = NewEvent(
                event_id=str(uuid.uuid4()),
                type="created",
                order_id=order_id,
                at=START,
                body="{}",
                subscription_ids=to,
            )
            deliveries.add_events(connection, [event])


def subscribe(database: Database, *ids: str, **changes: object) -> None:
    with database.write() as connection:
        for each in ids:
            subscriptions.add_subscription(connection, subscription(each, **changes))


def claim(
    database: Database, owner: str = "me", now: datetime = START, room: int = 10
) -> list[Claim]:
    lease = Lease(owner=owner, now=now, until=now + timedelta(seconds=60))
    with database.write() as connection:
        return claims.claim(connection, lease, {"s1": room})


def finish(database: Database, claimed: Claim, state: DeliveryState, wait_s: float = 0) -> bool:
    attempt = Attempt(at=START, duration_s=0.1, status_code=500, error="HTTP 500")
    with database.write() as connection:
        return claims.finish(
            connection,
            claimed,
            attempt,
            state=state,
            next_attempt_at=START + timedelta(seconds=wait_s),
        )


def test_of_each_order_only_the_oldest_waiting_delivery_is_claimed(database: Database) -> None:
    subscribe(database, "s1")
    put_in_line(database, "a", "a", "b")

    first = claim(database)
    assert [each.delivery_id for each in first] == [1, 3]
    assert claim(database, "other") == []
    finish(database, first[1], DeliveryState.DELIVERED)

    assert finish(database, first[0], DeliveryState.PENDING, wait_s=300)
    assert claim(database, "other") == [], "the later one waits as long as the earlier one"
    later = START + timedelta(seconds=300)
    (again,) = claim(database, "other", later)
    assert (again.delivery_id, again.attempts) == (1, 1)
    finish(database, again, DeliveryState.DEAD)
    assert [each.delivery_id for each in claim(database, "other", later)] == [2]


def test_a_claim_is_free_again_when_its_lease_has_ended(database: Database) -> None:
    subscribe(database, "s1")
    put_in_line(database, "a")
    (lost,) = claim(database, "killed")
    assert claim(database, "next", START + timedelta(seconds=60)) == []

    (taken,) = claim(database, "next", START + timedelta(seconds=61))

    assert taken.event_id == lost.event_id
    assert not finish(database, lost, DeliveryState.DELIVERED), "the late one counts no more"
    assert finish(database, taken, DeliveryState.DELIVERED)


def test_what_is_given_back_can_be_claimed_at_once(database: Database) -> None:
    subscribe(database, "s1")
    put_in_line(database, "a", "b")
    claim(database, "stopping")
    with database.write() as connection:
        claims.release(connection, "stopping")

    assert len(claim(database, "next")) == 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"s1": 0}),
        ({"failures_in_a_row": 3}, {"s1": 3}),
        ({"active": False}, {}),
        ({"paused_until": START + timedelta(seconds=1)}, {}),
        ({"paused_until": START}, {"s1": 0}),
    ],
    ids=["due", "failing", "inactive", "paused", "pause-over"],
)
def test_who_has_something_due(
    database: Database, changes: dict[str, object], expected: dict[str, int]
) -> None:
    subscribe(database, "s1", **changes)
    subscribe(database, "idle")
    put_in_line(database, "a")

    with database.read() as connection:
        assert claims.due_subscriptions(connection, START) == expected


def test_ten_processes_that_claim_at_once_get_each_delivery_once(database: Database) -> None:
    subscribe(database, "s1")
    put_in_line(database, *(f"order-{number}" for number in range(30)))

    def take(number: int) -> list[int]:
        taken: list[int] = []
        while found := claim(database, f"process-{number}", room=3):
            taken += [each.delivery_id for each in found]
        return taken

    with ThreadPoolExecutor(10) as pool:
        taken = [each for found in pool.map(take, range(10)) for each in found]

    # A process may pass over rows that another one is just looking at: they are taken next time.
    taken += take(99)
    assert sorted(taken) == list(range(1, 31))


def test_only_a_dead_delivery_is_sent_again(database: Database) -> None:
    subscribe(database, "s1")
    put_in_line(database, "a")
    (claimed,) = claim(database)
    with database.write() as connection, pytest.raises(ConflictError):
        deliveries.send_again(connection, "s1", 1, START)
    finish(database, claimed, DeliveryState.DEAD)

    with database.write() as connection:
        again = deliveries.send_again(connection, "s1", 1, START)

    assert (again.state, again.attempts, again.event_id) == ("pending", 0, claimed.event_id)
    assert [each.event_id for each in claim(database)] == [claimed.event_id]


def test_a_claim_does_not_show_its_secret(database: Database) -> None:
    subscribe(database, "s1")
    put_in_line(database, "a")

    assert "c2VjcmV0" not in repr(claim(database))
    assert "c2VjcmV0" not in repr(subscription())
