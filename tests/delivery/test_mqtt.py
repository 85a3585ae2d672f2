"""Events on a real broker: topics, what it keeps, and nothing lost while it is away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from models.errors import SetupError
from service.cli.serve import build_app
from service.delivery.mqtt import BrokerAddress, parse_address
from service.delivery.post import Poster
from service.delivery.topics import messages_of
from tests.delivery.conftest import FAST
from tests.support.dispatch import BACKENDS, Service, migrated, running_service, wait_for
from tests.support.mosquitto import Mosquitto, mosquitto

mqtt = pytest.importorskip("paho.mqtt.client")

ORDERS = "/api/v1/work-orders"
SUBSCRIPTIONS = "/api/v1/subscriptions"
ZONE = "city/zones/main-street-3/double-yellow/count"


class Listener:
    """Hears everything under the prefix."""

    def __init__(self, port: int) -> None:
        self._lock = threading.Lock()
        self._heard: list[tuple[str, str, bool]] = []
        ready = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("city/#", 1)
        self._client.loop_start()
        assert ready.wait(10)

    def _hear(self, _client: object, _userdata: object, message: Any) -> None:
        with self._lock:
            self._heard.append((message.topic, message.payload.decode(), bool(message.retain)))

    def of(self, topic: str) -> list[str]:
        with self._lock:
            return [payload for each, payload, _ in self._heard if each == topic]

    def kept(self) -> dict[str, str]:
        with self._lock:
            return {topic: payload for topic, payload, retained in self._heard if retained}

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def listening(broker: Mosquitto) -> Iterator[Listener]:
    listener = Listener(broker.port)
    try:
        yield listener
    finally:
        listener.close()


@contextmanager
def publishing(backend: str, folder: Path, broker: Mosquitto) -> Iterator[Service]:
    address = parse_address(f"mqtt://127.0.0.1:{broker.port}/city")
    make = partial(build_app, poster=Poster(), settings=FAST, broker=address)
    with (
        migrated(backend, folder) as database,
        running_service(database, folder, make, partial(datetime.now, UTC)) as service,
    ):
        yield service


@pytest.mark.needs_debian
@pytest.mark.parametrize("backend", BACKENDS)
def test_orders_zones_and_events_are_published_and_open_ones_kept(
    backend: str, tmp_path: Path
) -> None:
    with mosquitto(tmp_path) as broker, listening(broker) as heard:
        with publishing(backend, tmp_path, broker) as service:
            order = service.post_order()
            other = service.post_order()
            own = f"city/orders/{order['order_id']}"
            wait_for(lambda: heard.of(ZONE)[-1:] == ["2"])
            path = f"{ORDERS}/{order['order_id']}"
            rejected = {"status": "rejected", "reason_code": "permitted"}
            service.client.patch(path, json=rejected).raise_for_status()
            wait_for(lambda: heard.of(ZONE)[-1:] == ["1"])
            assert heard.of("city/available") == ["online"]
            (shown,) = service.client.get(SUBSCRIPTIONS).json()["items"]
            assert (shown["kind"], shown["url"]) == (
                "mqtt",
                f"mqtt://127.0.0.1:{broker.port}/city",
            )
        wait_for(lambda: heard.of("city/available") == ["online", "offline"])
        with listening(broker) as later:
            wait_for(lambda: len(later.kept()) == 3)
            kept = later.kept()

    states = [json.loads(each)["status"] for each in heard.of(own) if each]
    assert states == ["dispatched", "rejected"]
    assert heard.of(own)[-1] == ""
    types = [json.loads(each)["type"].rpartition(".")[2] for each in heard.of("city/events")]
    assert types == ["created", "created", "updated"]
    assert set(kept) == {"city/available", ZONE, f"city/orders/{other['order_id']}"}


@pytest.mark.needs_debian
def test_while_the_broker_is_away_nothing_is_lost_and_no_attempt_is_used_up(
    tmp_path: Path,
) -> None:
    with mosquitto(tmp_path) as broker, publishing("sqlite", tmp_path, broker) as service:
        with listening(broker) as heard:
            service.post_order()
            wait_for(lambda: heard.of("city/events"))
        (shown,) = service.client.get(SUBSCRIPTIONS).json()["items"]
        path = f"{SUBSCRIPTIONS}/{shown['subscription_id']}/deliveries"
        # Not before its acknowledgement has come and is written down.
        wait_for(lambda: not service.client.get(path, params={"state": "pending"}).json()["items"])
        broker.stop()
        missed = [service.post_order()["order_id"] for _ in range(3)]
        waiting = service.client.get(path, params={"state": "pending"}).json()["items"]
        assert len(waiting) == 3
        broker.start()
        with listening(broker) as heard:
            wait_for(lambda: all(heard.of(f"city/orders/{each}") for each in missed))
        wait_for(lambda: not service.client.get(path, params={"state": "pending"}).json()["items"])
        delivered = service.client.get(path, params={"state": "delivered"}).json()["items"]

    assert len(delivered) == 4


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://broker", ("broker", 1883, False, "streetwarden", None, None)),
        ("mqtts://li:p%40ss@broker/a/b/", ("broker", 8883, True, "a/b", "li", "p@ss")),
        ("mqtt://[::1]:1884/city", ("::1", 1884, False, "city", None, None)),
    ],
    ids=["short", "full", "ipv6"],
)
def test_an_address_of_a_broker(url: str, expected: tuple[Any, ...]) -> None:
    host, port, is_tls, prefix, username, password = expected
    address = parse_address(url)

    assert address == BrokerAddress(
        host=host, port=port, is_tls=is_tls, prefix=prefix, username=username, password=password
    )
    assert "p@ss" not in repr(address) + address.shown


@pytest.mark.parametrize(
    "url", ["http://broker/", "mqtt://", "mqtt://broker:x/", "mqtt://b/a%2B/+"]
)
def test_a_wrong_address_is_refused(url: str) -> None:
    with pytest.raises(SetupError):
        parse_address(url)


def test_names_with_a_meaning_in_topics_lose_it() -> None:
    order = {"order_id": "o1", "camera_id": "a/b", "zone_id": "+#", "status": "dispatched"}
    event = json.dumps({"id": "e1", "data": order})

    topics = [each.topic for each in messages_of(event, "city", 1)]
    assert topics == ["city/events", "city/orders/o1", "city/zones/a_b/__/count"]
