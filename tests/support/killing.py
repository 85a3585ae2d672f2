"""The dispatch service as a process to be killed, a load that insists, and what must hold after."""

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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from service.decisions.access import Role
from tests.support.dispatch import client_of, copied_url, order_body, wait_for
from tests.support.receiver import Handler, Hook

ORDERS = "/api/v1/work-orders"
MOVES = ("accepted", "in_progress")
"""What becomes of each order."""


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
                for status in MOVES:
                    self._insist("PATCH", f"{ORDERS}/{order['order_id']}", {"status": status})

    @staticmethod
    def end(load: Iterable[Load]) -> dict[str, str]:
        """Let all finish what they are at; what the service acknowledged to them."""
        threads = list(load)
        for thread in threads:
            thread.stopping.set()
        for thread in threads:
            thread.join()
        return {k: v for thread in threads for k, v in thread.acknowledged.items()}

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


def faults(
    stored: Iterable[Mapping[str, Any]], acknowledged: Mapping[str, str], hooks: Iterable[Hook]
) -> list[str]:
    """What went wrong: orders lost or doubled, steps not told, told out of order, other ids.

    ``acknowledged``: incident id → order id of what the service said it has, all moved on.
    """
    heard: defaultdict[str, list[Hook]] = defaultdict(list)
    for hook in hooks:
        heard[hook.event["subject"]].append(hook)
    found: list[str] = []
    by_incident: dict[str, str] = {}
    for order in stored:
        order_id = order["order_id"]
        found += [f"{order_id}: {fault}" for fault in _faults_of(order, heard[order_id])]
        if order["incident_id"] in by_incident:
            found.append(f"{order_id}: a second order of its incident")
        by_incident[order["incident_id"]] = order_id
    if by_incident != acknowledged:
        lost = {k: v for k, v in acknowledged.items() if by_incident.get(k) != v}
        found.append(f"lost: {lost}; never acknowledged: {by_incident.keys() - acknowledged}")
    return found


def _faults_of(order: Mapping[str, Any], heard: list[Hook]) -> Iterator[str]:
    versions = [hook.event["data"]["version"] for hook in heard]
    if order["status"] != MOVES[-1]:
        yield f"{order['status']}, a step was lost"
    if set(versions) != set(range(1, len(MOVES) + 2)):
        yield f"told of the versions {versions}"
    if versions != sorted(versions):
        yield f"told out of order, {versions}"
    if len({hook.event_id for hook in heard}) != len(set(versions)):
        yield "repeated under another id"


def all_orders(client: httpx.Client) -> Iterator[dict[str, Any]]:
    """Every order of the service."""
    cursor: str | None = None
    while True:
        query = {"limit": "200", **({"cursor": cursor} if cursor else {})}
        page = client.get(ORDERS, params=query).json()
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def wait_until_told(client: httpx.Client, subscription_id: str, timeout_s: float) -> None:
    """Wait until nothing is left to deliver."""
    path = f"/api/v1/subscriptions/{subscription_id}/deliveries"

    def none_pending() -> bool:
        items: list[Any] = client.get(path, params={"state": "pending"}).json()["items"]
        return items == []

    wait_for(none_pending, timeout_s)
