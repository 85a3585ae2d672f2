"""Webhooks from a posted order to a real receiver, on both databases."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from cloudevents.v1.http import from_http
from standardwebhooks import Webhook

from service.decisions.events import EventType
from service.store.database import Database
from tests.delivery.conftest import StartService
from tests.support.dispatch import Service, jpeg_picture, wait_for
from tests.support.receiver import Handler, Hook, receiver

ORDERS = "/api/v1/work-orders"
SUBSCRIPTIONS = "/api/v1/subscriptions"


def subscribe(service: Service, url: str, **filters: Any) -> dict[str, Any]:
    answer = service.client.post(SUBSCRIPTIONS, json={"url": url, **filters})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def deliveries(service: Service, subscription: dict[str, Any], **query: Any) -> list[Any]:
    path = f"{SUBSCRIPTIONS}/{subscription['subscription_id']}/deliveries"
    items: list[Any] = service.client.get(path, params=query).json()["items"]
    return items


def test_a_delivery_is_a_standard_webhook_and_a_cloud_event(service: Service) -> None:
    with receiver() as hooks:
        subscription = subscribe(service, hooks.url)
        order = service.post_order(description="车停在双黄线上")
        wait_for(lambda: hooks.received)
        hook = hooks.received[0]

    event = Webhook(subscription["secret"]).verify(hook.body, dict(hook.headers))
    assert hook.headers["content-type"].startswith("application/cloudevents+json")
    assert event["specversion"] == "1.0"
    assert event["id"] == hook.event_id
    assert event["type"] == "streetwarden.work_order.created"
    assert event["source"] == f"{service.url}/api/v1/work-orders"
    assert event["subject"] == order["order_id"]
    assert event["data"] == order


def test_the_package_cloudevents_reads_a_delivery(service: Service) -> None:
    with receiver() as hooks:
        subscribe(service, hooks.url)
        order = service.post_order()
        wait_for(lambda: hooks.received)
        hook = hooks.received[0]

    event = from_http(dict(hook.headers), hook.body)
    assert event["id"] == hook.event_id
    assert event.data["order_id"] == order["order_id"]


def test_every_step_of_an_order_is_told_in_its_order(service: Service) -> None:
    with receiver() as hooks:
        subscribe(service, hooks.url)
        order = service.post_order()
        incident = f"/api/v1/incidents/{order['incident_id']}"
        picture = jpeg_picture()
        service.detector.put(
            f"{incident}/evidence/opened-wide",
            content=picture,
            headers={"Content-Type": "image/jpeg"},
        )
        service.client.patch(f"{ORDERS}/{order['order_id']}", json={"status": "accepted"})
        service.detector.put(
            f"{incident}/observation",
            json={
                "state": "cleared",
                "last_seen_at": "2026-11-24T09:20:00+08:00",
                "cleared_at": "2026-11-24T09:20:30+08:00",
                "observed_s": 900,
            },
        )
        wait_for(lambda: len(hooks.received) == 4)
        events = [hook.event for hook in hooks.received]

    assert [event["type"] for event in events] == [
        EventType.CREATED,
        EventType.EVIDENCE_ADDED,
        EventType.UPDATED,
        EventType.CLEARED,
    ]
    assert [event["data"]["version"] for event in events] == [1, 2, 3, 4]
    link = events[1]["data"]["evidence"][0]["url"]
    assert link == f"{service.url}{incident}/evidence/opened-wide"
    assert service.client.get(link).content == picture
    assert events[3]["data"]["cleared_at"] == "2026-11-24T01:20:30Z"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"event_types": ["streetwarden.work_order.updated"]}, ["updated"]),
        ({"categories": ["litter"]}, []),
        ({"department_ids": ["traffic"]}, ["created", "updated"]),
        ({"active": False}, []),
    ],
    ids=str,
)
def test_a_subscription_gets_only_what_it_asked_for(
    service: Service, filters: dict[str, Any], expected: list[str]
) -> None:
    with receiver() as wanted, receiver() as everything:
        subscribe(service, wanted.url, **filters)
        subscribe(service, everything.url)
        order = service.post_order()
        service.client.patch(f"{ORDERS}/{order['order_id']}", json={"status": "accepted"})
        wait_for(lambda: len(everything.received) == 2)
        wait_for(lambda: len(wanted.received) == len(expected))
        types = [hook.event["type"].rpartition(".")[2] for hook in wanted.received]

    assert types == expected


def test_a_failed_delivery_is_tried_again_with_the_same_id(service: Service) -> None:
    answers = iter([500, 404, 204])

    def fail_twice(handler: Handler, _hook: Hook) -> None:
        handler.reply(next(answers), body=b"not now")

    with receiver(fail_twice) as hooks:
        subscription = subscribe(service, hooks.url)
        service.post_order()
        wait_for(lambda: deliveries(service, subscription, state="delivered"))
        first, *others = hooks.received

    assert {hook.event_id for hook in others} == {first.event_id}
    assert {hook.body for hook in others} == {first.body}
    for hook in (first, *others):
        Webhook(subscription["secret"]).verify(hook.body, dict(hook.headers))
    (delivery,) = deliveries(service, subscription)
    path = f"{SUBSCRIPTIONS}/{subscription['subscription_id']}/deliveries"
    log = service.client.get(f"{path}/{delivery['delivery_id']}").json()["log"]
    assert [attempt["status_code"] for attempt in log] == [500, 404, 204]
    assert log[0]["answer"] == "not now"


def test_later_events_of_an_order_wait_for_earlier_ones_but_not_those_of_other_orders(
    service: Service,
) -> None:
    blocked = threading.Event()
    blocked.set()

    def refuse_first(handler: Handler, hook: Hook) -> None:
        is_held = blocked.is_set() and hook.event["data"]["label"] == "bus"
        handler.reply(422 if is_held else 204)

    with receiver(refuse_first) as hooks:
        subscription = subscribe(service, hooks.url)
        held = service.post_order(label="bus")
        service.client.patch(f"{ORDERS}/{held['order_id']}", json={"status": "accepted"})
        free = service.post_order()
        wait_for(lambda: any(h.event["subject"] == free["order_id"] for h in hooks.received))
        time.sleep(0.2)
        assert not any(h.event["data"]["version"] == 2 for h in hooks.received)
        blocked.clear()
        wait_for(lambda: len(deliveries(service, subscription, state="delivered")) == 3)
        versions = [
            h.event["data"]["version"]
            for h in hooks.received
            if h.event["subject"] == held["order_id"]
        ]

    assert versions == sorted(versions)
    assert versions[-1] == 2


def test_a_gone_receiver_ends_its_subscription(service: Service) -> None:
    with receiver(lambda handler, _hook: handler.reply(410)) as hooks:
        subscription = subscribe(service, hooks.url)
        service.post_order()
        path = f"{SUBSCRIPTIONS}/{subscription['subscription_id']}"
        wait_for(lambda: not service.client.get(path).json()["active"])
        service.post_order()
        time.sleep(0.2)

        assert len(hooks.received) == 1
        assert "410" in service.client.get(path).json()["disabled_reason"]
        assert [each["state"] for each in deliveries(service, subscription)] == ["dead"]


def test_a_redirect_is_not_followed(service: Service) -> None:
    with (
        receiver() as elsewhere,
        receiver(lambda handler, _hook: handler.reply(307, {"Location": elsewhere.url})) as hooks,
    ):
        subscription = subscribe(service, hooks.url)
        service.post_order()
        wait_for(lambda: deliveries(service, subscription)[0]["last_status_code"] == 307)

        assert elsewhere.received == []
        assert deliveries(service, subscription)[0]["state"] == "pending"


def test_retry_after_is_honoured(service: Service) -> None:
    times: list[float] = []

    def busy_once(handler: Handler, _hook: Hook) -> None:
        times.append(time.monotonic())
        handler.reply(204 if len(times) > 1 else 429, {"Retry-After": "1"})

    with receiver(busy_once) as hooks:
        subscription = subscribe(service, hooks.url)
        service.post_order()
        wait_for(lambda: deliveries(service, subscription, state="delivered"))

    assert 0.9 < times[1] - times[0] < 8


def test_a_delivery_given_up_can_be_sent_again(database: Database, start: StartService) -> None:
    broken = threading.Event()
    broken.set()

    def answer(handler: Handler, _hook: Hook) -> None:
        handler.reply(500 if broken.is_set() else 204)

    # All ten attempts within a second.
    with start(database, retry_scale=0) as service, receiver(answer) as hooks:
        subscription = subscribe(service, hooks.url)
        service.post_order()
        wait_for(lambda: deliveries(service, subscription, state="dead"))
        assert len(hooks.received) == 10
        (dead,) = deliveries(service, subscription)
        broken.clear()
        path = f"{SUBSCRIPTIONS}/{subscription['subscription_id']}/deliveries"
        retry = f"{path}/{dead['delivery_id']}/retry"
        assert service.client.post(retry).status_code == 202
        wait_for(lambda: deliveries(service, subscription, state="delivered"))

        assert len({hook.event_id for hook in hooks.received}) == 1
        assert service.client.post(retry).status_code == 409


def test_receivers_that_hang_slow_neither_the_api_nor_other_receivers(
    database: Database, start: StartService
) -> None:
    with ExitStack() as stack:
        service = stack.enter_context(start(database, threads=8))
        for _ in range(3):
            hanging = stack.enter_context(receiver(lambda handler, _hook: handler.hang()))
            subscribe(service, hanging.url)
        healthy = stack.enter_context(receiver())
        subscribe(service, healthy.url)
        service.post_order()
        # From here on the hanging ones are known to fail, after their first time-out.
        wait_for(lambda: healthy.received)
        time.sleep(3.5)
        slowest_s = 0.0
        for _ in range(20):
            began_s = time.monotonic()
            service.post_order()
            slowest_s = max(slowest_s, time.monotonic() - began_s)
        wait_for(lambda: len(healthy.received) == 21, timeout_s=6)

    assert slowest_s < 2


def test_many_orders_reach_a_receiver_that_often_fails_in_order(service: Service) -> None:
    """At least once, in order for each order, whatever the receiver does in between."""
    count = Counter[str]()
    lock = threading.Lock()

    def unreliable(handler: Handler, hook: Hook) -> None:
        with lock:
            count[hook.event_id] += 1
            attempt = count[hook.event_id]
        if attempt == 1 and hash(hook.event_id) % 3 == 0:
            handler.reset()
        elif attempt == 1 and hash(hook.event_id) % 3 == 1:
            handler.reply(503)
        else:
            handler.reply(204)

    with receiver(unreliable) as hooks:
        subscription = subscribe(service, hooks.url)

        def live(_: int) -> None:
            path = f"{ORDERS}/{service.post_order()['order_id']}"
            for status in ("accepted", "resolved"):
                assert service.client.patch(path, json={"status": status}).status_code == 200

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(live, range(15)))
        wait_for(
            lambda: len(deliveries(service, subscription, state="delivered", limit=200)) == 45,
            timeout_s=60,
        )
        seen: defaultdict[str, list[int]] = defaultdict(list)
        for hook in hooks.received:
            seen[hook.event["subject"]].append(hook.event["data"]["version"])

    assert len(seen) == 15
    for versions in seen.values():
        assert versions == sorted(versions)
        assert set(versions) == {1, 2, 3}


def test_secrets_are_shown_once_and_never_logged(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiver(lambda handler, _hook: handler.reply(500)) as hooks:
        subscription = subscribe(service, hooks.url)
        service.post_order()
        wait_for(lambda: hooks.received)
        path = f"{SUBSCRIPTIONS}/{subscription['subscription_id']}"
        shown = [
            service.client.get(SUBSCRIPTIONS).text,
            service.client.get(path).text,
            service.client.patch(path, json={"description": "x"}).text,
            service.client.get(f"{path}/deliveries").text,
        ]
    captured = capsys.readouterr()
    for text in (*shown, captured.out, captured.err):
        assert subscription["secret"].removeprefix("whsec_") not in text
    assert "webhook attempted" in captured.out + captured.err
