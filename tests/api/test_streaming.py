"""Clients that cannot be called: streams of events and answers that are held back."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.api.streaming import _type_of
from service.decisions.access import Role
from service.store.records import HistoryKind
from service.store.timeline import Step
from tests.support.dispatch import START, Service, client_of, copied_url, jpeg_picture, wait_for

EVENTS = "/api/v1/events"
ORDERS = "/api/v1/work-orders"


class Stream:
    """Reads a stream as a browser does."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        self.cursor = ""
        self._read_block()

    def _read_block(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in self._lines:
            if not line:
                break
            name, _, value = line.partition(": ")
            found[name] = value
        self.cursor = found.get("id", self.cursor)
        return found

    def next(self) -> dict[str, Any]:
        while True:
            block = self._read_block()
            if "data" in block:
                event: dict[str, Any] = json.loads(block["data"])
                assert block["event"] == event["type"]
                return event


@contextmanager
def stream(
    service: Service, headers: dict[str, str] | None = None, **query: Any
) -> Iterator[Stream]:
    with service.client.stream("GET", EVENTS, params=query, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)


def test_everything_that_happens_comes_as_it_happens(service: Service) -> None:
    service.post_order()
    with stream(service) as events:
        order = service.post_order()
        created = events.next()
        service.client.patch(f"{ORDERS}/{order['order_id']}", json={"status": "accepted"})
        updated = events.next()
        picture = f"/api/v1/incidents/{order['incident_id']}/evidence/opened-wide"
        service.detector.put(
            picture, content=jpeg_picture(), headers={"Content-Type": "image/jpeg"}
        ).raise_for_status()
        added = events.next()

    assert created["type"] == "streetwarden.work_order.created"
    assert created["data"]["order_id"] == order["order_id"]
    assert updated["type"] == "streetwarden.work_order.updated"
    assert updated["data"]["status"] == "accepted"
    assert added["type"] == "streetwarden.work_order.evidence_added"
    assert added["data"]["evidence"][0]["url"].startswith(service.url)


@pytest.mark.parametrize("way", ["header", "query"])
def test_who_comes_back_misses_nothing(service: Service, way: str) -> None:
    with stream(service) as events:
        cursor = events.cursor
    missed = [service.post_order()["order_id"] for _ in range(3)]
    headers = {"Last-Event-ID": cursor} if way == "header" else None
    query = {"cursor": cursor} if way == "query" else {}
    with stream(service, headers, **query) as events:
        found = [events.next()["subject"] for _ in missed]
        last = events.cursor
        found += [service.post_order()["order_id"]]
        assert events.next()["subject"] == found[-1]

    assert found[:3] == missed
    assert last != cursor


def test_an_event_has_the_id_of_its_webhook(service: Service) -> None:
    hook = {"url": "https://city.example/", "active": True}
    made = service.client.post("/api/v1/subscriptions", json=hook).json()
    with stream(service) as events:
        service.post_order()
        event = events.next()
    path = f"/api/v1/subscriptions/{made['subscription_id']}/deliveries"
    (delivery,) = service.client.get(path).json()["items"]

    assert delivery["event_id"] == event["id"]


def test_a_stream_gets_only_what_it_asked_for(sqlite_service: Service) -> None:
    service = sqlite_service
    with stream(service, category="litter", status="dispatched") as events:
        cursor = events.cursor
        service.post_order()
        litter = service.post_order(category="litter")
        service.client.patch(f"{ORDERS}/{litter['order_id']}", json={"status": "accepted"})
        again = service.post_order(category="litter")
        found = [events.next() for _ in range(2)]

    assert [each["subject"] for each in found] == [litter["order_id"], again["order_id"]]
    other = service.client.get(EVENTS, params={"cursor": cursor, "category": "pothole"})
    assert other.status_code == 422
    assert service.client.get(EVENTS, params={"cursor": "x"}).status_code == 422


def test_a_stream_needs_a_key_that_may_read(sqlite_service: Service) -> None:
    assert sqlite_service.anonymous.get(EVENTS).status_code == 401
    assert sqlite_service.detector.get(EVENTS).status_code == 403


def test_sixty_streams_hold_neither_threads_nor_connections(service: Service) -> None:
    with ExitStack() as stack:
        streams = [stack.enter_context(stream(service)) for _ in range(60)]
        began_s = time.monotonic()
        order = service.post_order()
        assert service.admin.get(ORDERS).status_code == 200
        assert time.monotonic() - began_s < 5
        # More streams than threads (40) or connections (50): were any held, nothing would come.
        assert {each.next()["subject"] for each in streams} == {order["order_id"]}


def _page(service: Service, **query: Any) -> dict[str, Any]:
    answer = service.client.get(ORDERS, params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_an_answer_is_held_back_until_there_is_something_new(service: Service) -> None:
    cursor = _page(service, updated_since="2026-11-24T00:00:00Z")["next_cursor"]
    with ThreadPoolExecutor(1) as pool, client_of(service.url, Role.CLIENT) as waiting:
        answer = pool.submit(waiting.get, ORDERS, params={"cursor": cursor, "wait": 25})
        time.sleep(0.5)
        assert not answer.done()
        order = service.post_order()
        began_s = time.monotonic()
        page = answer.result(timeout=10).json()
        took_s = time.monotonic() - began_s

    assert [each["order_id"] for each in page["items"]] == [order["order_id"]]
    assert took_s < 2
    assert _page(service, cursor=cursor, wait=25)["items"], "what is there already comes at once"


def test_an_answer_that_waited_in_vain_is_empty_and_goes_on(sqlite_service: Service) -> None:
    cursor = _page(sqlite_service, updated_since="2026-11-24T00:00:00Z")["next_cursor"]
    began_s = time.monotonic()
    page = _page(sqlite_service, cursor=cursor, wait=0.7)

    assert page == {"items": [], "next_cursor": cursor, "has_more": False}
    assert 0.6 < time.monotonic() - began_s < 5


def test_a_listing_of_the_newest_cannot_wait(sqlite_service: Service) -> None:
    answer = sqlite_service.client.get(ORDERS, params={"wait": 5})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "query.wait"


def test_a_service_that_stops_ends_its_streams_and_answers_who_waits(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with copied_url("sqlite", tmp_path) as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.serve_process", str(tmp_path), str(port)],
            env={**os.environ, "TEST_DATABASE_URL": url},
            stderr=subprocess.DEVNULL,
        )
        try:
            with (
                client_of(f"http://127.0.0.1:{port}", Role.CLIENT) as client,
                ThreadPoolExecutor(1) as pool,
            ):
                wait_for(lambda: _is_up(client), timeout_s=60)
                query: dict[str, str | int] = {"updated_since": "2026-11-24T00:00:00Z", "wait": 60}
                waiting = pool.submit(client.get, ORDERS, params=query)
                with client.stream("GET", EVENTS) as answer:
                    lines = answer.iter_lines()
                    assert next(lines).startswith("retry:")
                    process.send_signal(signal.SIGTERM)
                    began_s = time.monotonic()
                    rest = list(lines)
                page = waiting.result(timeout=10).json()
            code = process.wait(20)
            took_s = time.monotonic() - began_s
        finally:
            process.kill()
            process.wait()

    assert all(not line.startswith("data:") for line in rest)
    assert page["items"] == []
    assert (code, took_s < 6) == (0, True)


def _is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(
    ("kind", "note", "expected"),
    [
        ("received", "", "created"),
        ("status", "", "updated"),
        ("cleared", "", "cleared"),
        ("sla", "the time to accept is running out · 受理时限预警", "sla_warning"),
        ("sla", "not resolved in time · 处置超时", "sla_breached"),
    ],
    ids=str,
)
def test_a_stream_calls_everything_as_webhooks_do(kind: str, note: str, expected: str) -> None:
    step = Step(
        entry_id=1,
        order_id="o1",
        version=1,
        at=START,
        kind=HistoryKind(kind),
        moved_to=None,
        note=note,
    )

    assert _type_of(step) == f"streetwarden.work_order.{expected}"
