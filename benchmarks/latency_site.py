"""The whole product as processes: cameras, daemon, dispatch service, receiver of webhooks."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from benchmarks.arrivals import DWELL_S
from benchmarks.carried import FAR_ZONE, ZONE
from service.demo.processes import Child, Children, wait_until
from service.demo.show import CREATED, free_port
from tests.support.gst_rtsp import gst_rtsp

KEY_ENV = "STREETWARDEN_API_KEY"
READY_S = 60.0
OWN_CORE, OTHER_CORE = 0, 1
CLEAR_AFTER_S = 2.0
"""The street is empty for some seconds before the next car comes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """An order that a webhook told of; seconds since the epoch."""

    opened_s: float
    """When the picture was taken in which the daemon confirmed it."""
    filed_s: float
    """When the dispatch service made the order."""
    heard_s: float
    """When the receiver had verified the webhook."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """All at work."""

    urls: Sequence[str]
    _children: Children
    _daemon: Child
    _lines: Path

    def check(self) -> None:
        """Raise if one of the processes has ended."""
        self._children.check()

    def daemon_cpu_s(self) -> float:
        """Processor time of the daemon so far."""
        fields = Path(f"/proc/{self._daemon.process.pid}/stat").read_text(encoding="ascii")
        user, system = fields.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def told(self, camera: int) -> list[Told]:
        """What was told of a camera's street."""
        lines = map(json.loads, self._lines.read_text(encoding="utf-8").splitlines())
        return [
            Told(
                opened_s=_seconds(line["data"]["opened_at"]),
                filed_s=_seconds(line["data"]["created_at"]),
                heard_s=line["at_s"],
            )
            for line in lines
            if line["type"] == CREATED and line["data"]["camera_id"] == f"camera-{camera}"
        ]


@contextmanager
def site(clips: Sequence[Path], watching: int, folder: Path, *, films: bool) -> Iterator[Site]:
    """Start everything; in the first ``watching`` clips cars arrive. ``films``: of incidents."""
    names = {f"camera-{number}": clip for number, clip in enumerate(clips)}
    with (
        on_core(OTHER_CORE),
        gst_rtsp(names, folder, transport="tcp") as server,
        Children(folder=folder) as children,
    ):
        urls = [server.url(name) for name in names]
        environment = {KEY_ENV: secrets.token_urlsafe(24)}
        dispatch_url = f"http://127.0.0.1:{free_port(0)}"
        config = _city_file(urls, watching, folder, dispatch_url, films=films)
        _start_dispatch(children, dispatch_url, config, environment)
        lines = _start_receiver(children, dispatch_url, environment)
        arguments = ["service", "run", "--config", str(config)]
        arguments += ["--state-dir", str(folder / "daemon")]
        with on_core(OWN_CORE):
            daemon = children.start("daemon", arguments, environment)
        yield Site(urls=urls, _children=children, _daemon=daemon, _lines=lines)


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Keep this process, and those that it starts meanwhile, to one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _start_dispatch(
    children: Children, url: str, config: Path, environment: Mapping[str, str]
) -> None:
    arguments = ["service", "serve", "--port", url.rpartition(":")[2], "--config", str(config)]
    arguments += ["--data-dir", str(children.folder / "dispatch"), "--allow-private-webhooks"]
    child = children.start("dispatch", arguments, environment)
    wait_until(child, lambda: _is_ready(url), READY_S)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2.0).is_success
    except httpx.TransportError:
        return False


def _start_receiver(children: Children, url: str, environment: Mapping[str, str]) -> Path:
    secret, lines = children.folder / "secret", children.folder / "webhooks.jsonl"
    arguments = ["benchmarks.hook", str(secret), str(lines)]
    receiver = children.start("receiver", arguments, {}, pipe=True)
    hook = receiver.process.stdout.readline().strip() if receiver.process.stdout else ""
    authorization = {"Authorization": f"Bearer {environment[KEY_ENV]}"}
    wanted = {"url": hook, "event_types": [CREATED]}
    answer = httpx.post(f"{url}/api/v1/subscriptions", json=wanted, headers=authorization)
    secret.write_text(answer.raise_for_status().json()["secret"], encoding="utf-8")
    return lines


def _city_file(
    urls: Sequence[str], watching: int, folder: Path, dispatch_url: str, *, films: bool
) -> Path:
    document = {
        "city": {"name": "Benchmark", "timezone": "UTC"},
        "model": {"weights": "street-n"},
        "dispatch": {"url": dispatch_url, "api_key_env": KEY_ENV},
        "evidence": {"clip": films},
        "cameras": [_camera(n, url, watches=n < watching) for n, url in enumerate(urls)],
    }
    path = folder / "city.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def _camera(number: int, url: str, *, watches: bool) -> dict[str, Any]:
    rule = {
        "kind": "illegal_parking",
        "dwell": f"{DWELL_S:g}s",
        "clear_after": f"{CLEAR_AFTER_S:g}s",
    }
    polygon = ZONE if watches else FAR_ZONE
    zone = {"id": "zone", "name": "Zone", "polygon": polygon, "rules": [rule]}
    return {
        "id": f"camera-{number}", "name": f"Camera {number}", "source": url,
        "decode": "keyframes", "legal_basis": "a benchmark", "resolution": [960, 540],
        "zones": [zone],
    }  # fmt: skip


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
