"""The processes of a soak run, and what is done to them."""

from __future__ import annotations

import json
import secrets
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from benchmarks.soak_films import Street, city_of
from service.demo.processes import Child, Children, wait_until
from service.demo.show import free_port

SETTLE_S = 20.0
"""For the last orders to be posted, after the films have been ended."""


@dataclass(kw_only=True)
class Run:
    """What happened in a run."""

    began_at: float = 0.0
    ended_at: float = 0.0
    outages: list[tuple[float, float]] = field(default_factory=list)
    """When the RTSP server was gone."""
    restarts: list[float] = field(default_factory=list)
    """When the daemon was killed."""
    blind_s: float = 0.0
    """Of all cameras together, times in which the machine was too busy to look."""


class Site:
    """The processes of a run."""

    def __init__(self, children: Children, folder: Path, streets: Sequence[Street]) -> None:
        self._children, self._folder, self._streets = children, folder, streets
        self.passes = folder / "passes.jsonl"
        self._port = free_port(0)
        self._key = secrets.token_urlsafe(24)
        self._url = f"http://127.0.0.1:{free_port(0)}"
        self._rtsp: Child | None = None
        self._daemon: Child | None = None

    def start(self, dwell_s: float) -> None:
        self._config = self._folder / "city.yaml"
        city = city_of(self._streets, self._port, dwell_s)
        self._config.write_text(yaml.safe_dump(city), encoding="utf-8")
        self.start_rtsp()
        port = self._url.rpartition(":")[2]
        dispatch = self._children.start(
            "dispatch",
            ["service", "serve", "--port", port, "--config", str(self._config),
             "--data-dir", str(self._folder / "dispatch")],
            self._environment,
        )  # fmt: skip
        wait_until(dispatch, self._is_ready, 120.0)
        self.start_daemon()

    def start_rtsp(self) -> None:
        videos = [str(street.video) for street in self._streets]
        arguments = ["service.demo.rtsp_server", "--port", str(self._port)]
        arguments += ["--passes", str(self.passes), *videos]
        self._rtsp = self._children.start("rtsp", arguments, {})

    def start_daemon(self) -> None:
        self._daemon = self._children.start(
            "daemon",
            ["service", "run", "--config", str(self._config), "--dispatch-url", self._url,
             "--state-dir", str(self._folder / "daemon")],
            self._environment,
        )  # fmt: skip

    def kill_rtsp(self) -> None:
        _kill(self._rtsp)

    def kill_daemon(self) -> None:
        _kill(self._daemon)

    def blind_s(self, run: Run) -> float:
        """For how long this daemon did not look though there were pictures."""
        lines = (self._folder / "daemon.log").read_text(encoding="utf-8").splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return sum(
            float(event["gap_s"])
            for event in events
            if event["event"] == "nobody looked" and not _was_out(event, run)
        )

    def notes(self) -> list[str]:
        """What the RTSP server noted of passes, as lines."""
        return self.passes.read_text(encoding="utf-8").splitlines()

    def orders(self) -> list[dict[str, Any]]:
        """All orders, as a polling client sees them."""
        found: list[dict[str, Any]] = []
        query: dict[str, str] = {"limit": "100"}
        headers = {"Authorization": f"Bearer {self._key}"}
        with httpx.Client(base_url=self._url, headers=headers, timeout=60.0) as http:
            while True:
                page = http.get("/api/v1/work-orders", params=query).raise_for_status().json()
                found += page["items"]
                if not page["has_more"]:
                    return found
                query["cursor"] = page["next_cursor"]

    @property
    def _environment(self) -> dict[str, str]:
        return {"STREETWARDEN_API_KEY": self._key}

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self._url}/readyz", timeout=5.0).is_success
        except httpx.TransportError:
            return False


def _was_out(event: dict[str, Any], run: Run) -> bool:
    """Whether a gap is one in which there was no stream."""
    end = datetime.fromisoformat(event["timestamp"]).timestamp()
    return any(end - float(event["gap_s"]) <= back and end >= gone for gone, back in run.outages)


def _kill(child: Child | None) -> None:
    if child is not None:
        child.process.send_signal(signal.SIGKILL)
        child.process.wait()


def soak(site: Site, minutes: float, outage_every_s: float, outage_s: float) -> Run:
    """Let it run, with outages of the streams and, half way, of the daemon."""
    run = Run(began_at=time.time())
    end = run.began_at + 60.0 * minutes
    outages = iter(_moments(run.began_at, end, outage_every_s))
    next_outage, restart = next(outages, end), (run.began_at + end) / 2
    while (now := time.time()) < end:
        if now >= next_outage:
            site.kill_rtsp()
            began = time.time()
            time.sleep(outage_s)
            site.start_rtsp()
            run.outages.append((began, time.time()))
            next_outage = next(outages, end)
        elif now >= restart:
            site.kill_daemon()
            run.restarts.append(time.time())
            run.blind_s += site.blind_s(run)
            site.start_daemon()
            restart = end
        time.sleep(0.5)
    site.kill_rtsp()
    run.ended_at = time.time()
    time.sleep(SETTLE_S)
    run.blind_s += site.blind_s(run)
    return run


def _moments(began: float, end: float, every_s: float) -> Iterator[float]:
    at = began + every_s
    while at < end - every_s / 2:
        yield at
        at += every_s + 7.0  # so that it does not always meet the same moment of a film
