"""The service killed with -9 at random moments under load: nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.decisions.access import Role
from tests.support.dispatch import BACKENDS, client_of, copied_url, order_body, wait_for
from tests.support.receiver import Handler, Hook, receiver

ORDERS = "/api/v1/work-orders"
KILLS = 3
POSTERS = 4


class Killable:
    """A service process on a fixed port that can be killed and started again."""

    def __init__(self, database_url: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._folder = folder
        self._environment = {**os.environ, "TEST_DATABASE_URL": database_url}
        self._log = (folder / "serve.log").open("ab")
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.support.serve_process",
                str(self._folder / "pictures"),
                str(self._port),
            ],
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
        )
        wait_for(self._is_up, timeout_s=60)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        self._process.terminate()
        assert self._process.wait(20) == 0
        self._log.close()

    def _is_up(self) -> bool:
        assert self._process.poll() is None, "the service ended by itself"
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2).is_success
        except httpx.TransportError:
            return False


@contextmanager
def killable(backend: str, folder: Path) -> Iterator[Killable]:
    with copied_url(backend, folder) as url:
        service = Killable(url, folder)
        try:
            yield service
        finally:
            service.close()


class Load(threading.Thread):
    """Posts orders and moves each on, trying again until it is answered, as a daemon does."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.acknowledged: dict[str, str] = {}
        """incident id → order id of what the service said it has."""
        self.stopping = threading.Event()
        self._client = client_of(url, Role.ADMIN)

    def run(self) -> None:
        with self._client:
            while not self.stopping.is_set():
                body = order_body(category="litter", department_id="cleaning")
                order = self._insist("POST", ORDERS, body)
                self.acknowledged[body["incident_id"]] = order["order_id"]
                self._insist("PATCH", f"{ORDERS}/{order['order_id']}", {"status": "accepted"})

    def _insist(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        while True:
            try:
                answer = self._client.request(method, path, json=body)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code < 500:
                # 409: the change was made before the kill, only its answer was lost.
                assert answer.status_code in {200, 201, 409}, answer.text
                order: dict[str, Any] = answer.json()
                return order
            time.sleep(0.05)


def flaky(handler: Handler, hook: Hook) -> None:
    """Fail about every tenth attempt."""
    handler.reply(500 if random.random() < 0.1 else 204)


@pytest.mark.parametrize("backend", BACKENDS)
def test_killed_under_load_it_loses_nothing_and_tells_everything_in_order(
    backend: str, tmp_path: Path
) -> None:
    with killable(backend, tmp_path) as service, receiver(flaky) as hooks:
        with client_of(service.url, Role.CLIENT) as client:
            answer = client.post("/api/v1/subscriptions", json={"url": hooks.url})
            deliveries = f"/api/v1/subscriptions/{answer.json()['subscription_id']}/deliveries"
        load = [Load(service.url) for _ in range(POSTERS)]
        for thread in load:
            thread.start()
        for _ in range(KILLS):
            time.sleep(random.uniform(0.2, 1.0))
            service.kill()
            service.start()
        time.sleep(0.3)
        for thread in load:
            thread.stopping.set()
        for thread in load:
            thread.join()
        acknowledged = {k: v for thread in load for k, v in thread.acknowledged.items()}
        with client_of(service.url, Role.CLIENT) as client:
            stored = list(_all_orders(client))
            wait_for(lambda: _none_pending(client, deliveries), timeout_s=60)
        heard: defaultdict[str, list[Hook]] = defaultdict(list)
        for hook in hooks.received:
            heard[hook.event["subject"]].append(hook)

    assert len(acknowledged) > 10
    assert {order["incident_id"]: order["order_id"] for order in stored} == acknowledged
    assert len(stored) == len(acknowledged)
    for order in stored:
        assert order["status"] == "accepted"
        events = heard[order["order_id"]]
        versions = [hook.event["data"]["version"] for hook in events]
        assert set(versions) == {1, 2}, "every step was told at least once"
        assert versions == sorted(versions), "in order"
        assert len({hook.event_id for hook in events}) == 2, "repeats carry the same id"


def _all_orders(client: httpx.Client) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        query = {"limit": "50", **({"cursor": cursor} if cursor else {})}
        page = client.get(ORDERS, params=query).json()
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _none_pending(client: httpx.Client, path: str) -> bool:
    items: list[Any] = client.get(path, params={"state": "pending"}).json()["items"]
    return items == []
