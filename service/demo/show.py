"""The main job on the sample videos: RTSP server, dispatch, daemon and a webhook receiver."""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from models.errors import SetupError
from service.demo.plan import Place, Plan
from service.demo.processes import Child, Children, wait_until
from service.demo.receiver import Received, WebhookReceiver

READY_TIMEOUT_S = 60.0
CREATED = "streetwarden.work_order.created"
RTSP_PORT_ENV = "STREETWARDEN_DEMO_RTSP_PORT"
PREFERRED_PORT = 8080
KEY_BYTES = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Show:
    """A running demo."""

    children: Children
    receiver: WebhookReceiver
    dispatch_url: str
    page_url: str
    """Address of the page, with the key that signs the browser in."""
    http: httpx.Client

    def places(self) -> list[Place]:
        """Where the orders that reached the webhook receiver came from."""
        return [place_of(r.data) for r in self.receiver.received if r.event_type == CREATED]

    def wait_for(self, plan: Plan, timeout_s: float, tell: Callable[[str], None]) -> bool:
        """Wait until every expected order has arrived as a webhook; whether it did."""
        deadline = time.monotonic() + timeout_s
        while plan.missing(self.places()):
            self.children.check()
            if time.monotonic() > deadline:
                tell(f"not everything arrived within {timeout_s:.0f} s")
                return False
            time.sleep(0.5)
        return True

    def run_for_ever(self) -> None:
        """Go on until interrupted or one of the processes ends."""
        while True:
            self.children.check()
            time.sleep(1.0)

    def orders(self) -> list[dict[str, Any]]:
        """The orders as a polling client sees them."""
        orders: list[dict[str, Any]] = []
        parameters: dict[str, str] = {"limit": "100"}
        while True:
            answer = self.http.get("/api/v1/work-orders", params=parameters).raise_for_status()
            page = answer.json()
            orders += page["items"]
            if not page.get("next_cursor"):
                return orders
            parameters["cursor"] = page["next_cursor"]


def place_of(order: Mapping[str, Any]) -> Place:
    """Where an order, as JSON, comes from."""
    return Place(
        camera_id=order["camera_id"], zone_id=order["zone_id"], rule_kind=order["rule_kind"]
    )


def start_show(
    plan: Plan, children: Children, receiver: WebhookReceiver, *, port: int | None
) -> Show:
    """Start the RTSP server, dispatch and the daemon, with a webhook from dispatch to receiver."""
    folder = children.folder
    key = secrets.token_urlsafe(KEY_BYTES)
    rtsp_port = _start_rtsp(children, plan.videos)
    url = f"http://127.0.0.1:{port or free_port(PREFERRED_PORT)}"
    environment = {"STREETWARDEN_API_KEY": key, RTSP_PORT_ENV: str(rtsp_port)}
    _start_dispatch(children, url, plan.config, environment)
    http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=10.0)
    receiver.trust(_subscribe(http, receiver.url))
    _start_daemon(children, url, plan.config, folder, environment)
    return Show(
        children=children,
        receiver=receiver,
        dispatch_url=url,
        page_url=f"{url}/#key={key}",
        http=http,
    )


def free_port(preferred: int) -> int:
    """``preferred`` if nobody listens on it, else any free port of 127.0.0.1."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            bound: int = probe.getsockname()[1]
            return bound
    raise SetupError("no free port on 127.0.0.1")


def line_of(received: Received) -> str:
    """One line about a delivery: the order, what happened to it, who has it, what it is about."""
    data = received.data
    event = received.event_type.removeprefix("streetwarden.work_order.").replace("_", " ")
    department = data.get("department_name") or "no department"
    return f"#{data['number']} {event} → {department}: {data['description']}"


def _start_rtsp(children: Children, videos: Sequence[Path]) -> int:
    files = [str(video) for video in videos]
    arguments = ["service.demo.rtsp_server", "--port", "0", *files]
    child = children.start("rtsp", arguments, {}, pipe=True)
    if child.process.stdout is None:
        raise SetupError("the RTSP server has no standard output")
    line = child.process.stdout.readline()
    if not line:
        child.process.wait()
        child.check()
    first_url = str(next(iter(json.loads(line).values())))
    port = urlsplit(first_url).port
    if port is None:
        raise SetupError(f"the RTSP server announced {first_url!r}")
    return port


def _start_dispatch(
    children: Children, url: str, config: Path, environment: Mapping[str, str]
) -> Child:
    arguments = ["service", "serve", "--port", str(urlsplit(url).port), "--config", str(config)]
    arguments += ["--data-dir", str(children.folder / "dispatch"), "--allow-private-webhooks"]
    child = children.start("dispatch", arguments, environment)
    wait_until(child, lambda: _is_ready(url), READY_TIMEOUT_S)
    return child


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2.0).is_success
    except httpx.TransportError:
        return False


def _subscribe(http: httpx.Client, receiver_url: str) -> str:
    answer = http.post("/api/v1/subscriptions", json={"url": receiver_url}).raise_for_status()
    return str(answer.json()["secret"])


def _start_daemon(
    children: Children, url: str, config: Path, folder: Path, environment: Mapping[str, str]
) -> Child:
    arguments = ["service", "run", "--config", str(config), "--dispatch-url", url]
    arguments += ["--state-dir", str(folder / "daemon")]
    return children.start("daemon", arguments, environment)
