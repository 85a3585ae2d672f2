"""Pages neither skip nor repeat while orders come and change."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.work_order import Status
from service.decisions.cursor import Cursor, Listing, write_cursor
from service.store import intake, orders
from service.store.database import Database
from service.store.orders import OrderFilter
from tests.support.dispatch import START, Service, migrated, order_request

ORDERS = "/api/v1/work-orders"

ACTIONS = st.lists(
    st.one_of(
        st.just(("add", 0)),
        st.tuples(st.just("change"), st.integers(0, 20)),
        st.just(("page", 0)),
    ),
    max_size=40,
)


@contextmanager
def fresh_database() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder, migrated("sqlite", Path(folder)) as database:
        yield database


def add(database: Database, number: int) -> str:
    order_id = f"order-{number}"
    with database.write() as connection:
        at = orders.tick(connection, START + timedelta(seconds=number // 3))
        assert intake.add_order(connection, order_request(), order_id, Status.RECEIVED, at)
    return order_id


def change(database: Database, order_id: str) -> None:
    with database.write() as connection:
        order = orders.get_order(connection, order_id, lock=True)
        # The clock stands still or even goes back: changes are ordered all the same.
        at = orders.tick(connection, START)
        orders.change_order(connection, order, at, address="moved")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=st.integers(0, 12), script=ACTIONS, size=st.integers(1, 5))
def test_the_newest_first_listing_shows_each_order_that_was_there_once(
    before: int, script: list[tuple[str, int]], size: int
) -> None:
    with fresh_database() as database:
        ids = [add(database, number) for number in range(before)]
        at_start = set(ids)
        seen: list[str] = []
        position: int | None = None
        ended = False

        def page() -> None:
            nonlocal position, ended
            with database.read() as connection:
                found = orders.newest_orders(
                    connection, OrderFilter(), before_number=position, limit=size
                )
            seen.extend(order.order_id for order in found)
            position = found[-1].number if found else position
            ended = ended or len(found) < size

        page()
        for action, which in script:
            if action == "add":
                ids.append(add(database, len(ids)))
            elif action == "change" and ids:
                change(database, ids[which % len(ids)])
            elif action == "page" and not ended:
                page()
        while not ended:
            page()

        assert max(Counter(seen).values(), default=1) == 1
        assert set(seen) == at_start


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=st.integers(0, 12), script=ACTIONS, size=st.integers(1, 5))
def test_the_listing_by_change_shows_every_latest_state_and_none_twice(
    before: int, script: list[tuple[str, int]], size: int
) -> None:
    with fresh_database() as database:
        ids = [add(database, number) for number in range(before)]
        seen: list[tuple[str, int]] = []
        with database.read() as connection:
            position = orders.change_before(connection, START)

        def page() -> bool:
            nonlocal position
            with database.read() as connection:
                found = orders.changed_orders(
                    connection, OrderFilter(), after_change=position, limit=size
                )
            seen.extend((order.order_id, order.version) for order in found)
            position = found[-1].change_seq if found else position
            return bool(found)

        for action, which in script:
            if action == "add":
                ids.append(add(database, len(ids)))
            elif action == "change" and ids:
                change(database, ids[which % len(ids)])
            elif action == "page":
                page()
        while page():
            pass

        assert max(Counter(seen).values(), default=1) == 1
        with database.read() as connection:
            latest = {i: orders.get_order(connection, i).version for i in ids}
        assert {i: version for i, version in seen if version == latest[i]} == latest


def test_pages_of_the_api_follow_the_link_header_to_the_end(service: Service) -> None:
    made = [service.post_order()["order_id"] for _ in range(5)]
    other = service.post_order(camera_id="elsewhere")["order_id"]
    seen: list[str] = []
    url: str | None = f"{ORDERS}?camera_id=main-street-3&limit=2"
    while url is not None:
        answer = service.client.get(url)
        seen += [order["order_id"] for order in answer.json()["items"]]
        url = answer.links["next"]["url"] if answer.links else None
        service.post_order()

    assert seen == made[::-1]
    assert other not in seen


def poll(service: Service, **query: Any) -> tuple[list[tuple[str, int]], dict[str, Any]]:
    answer = service.client.get(ORDERS, params=query)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    return [(order["order_id"], order["version"]) for order in page["items"]], page


def test_polling_by_cursor_brings_exactly_what_changed_since(service: Service) -> None:
    since = START.isoformat()
    first = service.post_order()["order_id"]
    second = service.post_order()["order_id"]
    found, page = poll(service, updated_since=since, limit=1)
    assert (found, page["has_more"]) == ([(first, 1)], True)
    found, page = poll(service, updated_since=since, cursor=page["next_cursor"])
    assert (found, page["has_more"]) == ([(second, 1)], False)
    cursor = page["next_cursor"]
    assert poll(service, updated_since=since, cursor=cursor)[0] == []

    service.client.patch(f"{ORDERS}/{first}", json={"status": "accepted"})

    found, page = poll(service, updated_since=since, cursor=cursor)
    assert found == [(first, 2)]
    assert poll(service, updated_since=since, cursor=page["next_cursor"])[0] == []


def test_polling_by_time_leaves_out_what_is_older(service: Service) -> None:
    service.post_order()
    service.clock.forward(10)
    new = service.post_order()
    found, _ = poll(service, updated_since=new["updated_at"])
    assert found == [(new["order_id"], 1)]

    found, page = poll(service, updated_since=(START + timedelta(days=1)).isoformat())
    assert found == []
    service.client.patch(f"{ORDERS}/{new['order_id']}", json={"status": "accepted"})
    found, _ = poll(
        service,
        updated_since=(START + timedelta(days=1)).isoformat(),
        cursor=page["next_cursor"],
    )
    assert found == [(new["order_id"], 2)]


def test_a_time_without_zone_is_utc(sqlite_service: Service) -> None:
    sqlite_service.post_order()

    found, _ = poll(sqlite_service, updated_since="2026-11-24T08:00:00")

    assert len(found) == 1


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "%%%",
        "é",
        write_cursor(Cursor(listing=Listing.NEWEST, position=1, filters="other")),
        "bi4tMS4",
        "a" * 190,
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(sqlite_service: Service, cursor: str) -> None:
    answer = sqlite_service.client.get(ORDERS, params={"cursor": cursor})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "query.cursor"


def test_a_cursor_of_other_filters_is_refused(sqlite_service: Service) -> None:
    for _ in range(2):
        sqlite_service.post_order()
    answer = sqlite_service.client.get(ORDERS, params={"limit": 1})
    cursor = answer.json()["next_cursor"]

    query = {"limit": 1, "cursor": cursor, "category": "litter"}
    assert sqlite_service.client.get(ORDERS, params=query).status_code == 422
    assert urlsplit(answer.links["next"]["url"]).path == ORDERS
