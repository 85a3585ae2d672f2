"""A whole small town: RTSP server, daemon, dispatch service and webhook receiver, all real.

Each part is a process of its own (the receiver a thread) at a fixed address, so that it can be
killed and started again at any moment.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from service.demo.processes import Child, Children, wait_until
from service.demo.receiver import Received, WebhookReceiver

READY_S = 60.0
CREATED = "streetwarden.work_order.created"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@dataclass(kw_only=True)
class Town:
    """Parts under their names; ``events`` outlives restarts of the receiver."""

    folder: Path
    config: Path
    clips: Sequence[Path]
    children: Children
    stack: ExitStack
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    rtsp_port: int = field(default_factory=free_port)
    dispatch_port: int = field(default_factory=free_port)
    receiver_port: int = field(default_factory=free_port)
    events: list[Received] = field(default_factory=list)
    secret: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.dispatch_port}"

    @property
    def environment(self) -> dict[str, str]:
        return {"STREETWARDEN_API_KEY": self.key, "RTSP_PORT": str(self.rtsp_port)}

    def start_rtsp(self) -> Child:
        """The RTSP server, on the same port each time."""
        clips = [str(clip) for clip in self.clips]
        arguments = ["service.demo.rtsp_server", "--port", str(self.rtsp_port), *clips]
        child = self.children.start("rtsp", arguments, {}, pipe=True)
        assert child.process.stdout is not None
        assert child.process.stdout.readline().startswith("{")
        return child

    def start_dispatch(self) -> Child:
        arguments = ["service", "serve", "--port", str(self.dispatch_port)]
        arguments += ["--data-dir", str(self.folder / "dispatch"), "--allow-private-webhooks"]
        arguments += ["--retry-scale", "0.01", "--config", str(self.config)]
        child = self.children.start("dispatch", arguments, self.environment)
        wait_until(child, self.is_ready, READY_S)
        return child

    def start_daemon(self) -> Child:
        arguments = ["service", "run", "--config", str(self.config), "--dispatch-url", self.url]
        arguments += ["--state-dir", str(self.folder / "daemon")]
        return self.children.start("daemon", arguments, self.environment)

    def receiver(self) -> WebhookReceiver:
        """A receiver of the town's webhooks that listens once it is entered."""
        receiver = WebhookReceiver(self.events.append, port=self.receiver_port)
        if not self.secret:
            answer = self.request("POST", "/api/v1/subscriptions", json={"url": receiver.url})
            self.secret = answer["secret"]
        receiver.trust(self.secret)
        return receiver

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2.0).is_success
        except httpx.TransportError:
            return False

    def request(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = httpx.request(method, self.url + path, headers=headers, timeout=10.0, **options)
        assert answer.is_success, answer.text
        return answer.json()

    def orders(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = self.request("GET", "/api/v1/work-orders")["items"]
        return orders

    def looks(self, camera_id: str) -> int:
        """How many looks of a camera the dispatch service was told of."""
        cameras = self.request("GET", "/api/v1/cameras")["items"]
        return sum(camera["looks"] for camera in cameras if camera["camera_id"] == camera_id)

    def created(self) -> dict[str, set[str]]:
        """Order id → ids of the events that announced it."""
        found: dict[str, set[str]] = {}
        for event in list(self.events):
            if event.event_type == CREATED:
                found.setdefault(str(event.data["order_id"]), set()).add(event.webhook_id)
        return found


def kill(child: Child) -> None:
    """End a process as a power cut would."""
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()


def wait_for(condition: Callable[[], object], timeout_s: float, town: Town) -> None:
    """Wait until something holds; else fail with what the parts said last."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            logs = [path.read_text(encoding="utf-8")[-1500:] for path in town.folder.glob("*.log")]
            raise AssertionError("did not happen in time\n" + "\n----\n".join(logs))
        time.sleep(0.1)


@contextmanager
def town_of(folder: Path, clips: Sequence[Path], document: dict[str, Any]) -> Iterator[Town]:
    """A town with this configuration whose parts are not started yet."""
    config = folder / "city.yaml"
    config.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    with ExitStack() as stack:
        children = stack.enter_context(Children(folder=folder))
        yield Town(folder=folder, config=config, clips=clips, children=children, stack=stack)
