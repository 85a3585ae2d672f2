"""docs/integrator.md, followed to the letter: its receiver gets its order."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from models.work_order import TRANSITIONS
from service.api.deps import ApiDeps
from service.cli.serve import build_app
from service.decisions.access import Role
from service.decisions.events import EventType
from service.delivery.post import Poster
from service.delivery.worker import DeliverySettings
from tests.support.dispatch import KEYS, Service, migrated, running_service, wait_for

GUIDE = (Path(__file__).parents[2] / "docs" / "integrator.md").read_text(encoding="utf-8")


def snippet(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    def make(deps: ApiDeps) -> FastAPI:
        return build_app(deps, Poster(allow_private=True), DeliverySettings())

    with (
        migrated("sqlite", tmp_path) as database,
        running_service(database, tmp_path, make, lambda: datetime.now(UTC)) as service,
    ):
        yield service


def test_the_receiver_of_the_guide_gets_the_order_of_the_guide(
    service: Service, tmp_path: Path
) -> None:
    receiver = snippet("receiver")
    assert len([line for line in receiver.splitlines() if line.strip()]) <= 20
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "receiver.py").write_text(receiver.replace("9000", str(port)), encoding="utf-8")
    url = f"http://127.0.0.1:{port}/"
    made = service.client.post("/api/v1/subscriptions", json={"url": url}).json()
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "receiver.py")],
        env={**os.environ, "WEBHOOK_SECRET": made["secret"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        wait_for(lambda: _refuses(url))
        script = f"API={service.url}/api/v1; AUTH='Authorization: Bearer {KEYS[Role.ADMIN]}'\n"
        posted = subprocess.run(
            ["bash", "-c", script + snippet("order")], capture_output=True, text=True, check=True
        )
        assert process.stdout is not None
        line = process.stdout.readline()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)

    assert line.startswith("streetwarden.work_order.created {")
    assert '"order_id"' in posted.stdout
    assert '"incident_id": "0d9fd2f5-6c7f-5b0e-9a51-3a3f7f6e8f10"' in line


def _refuses(url: str) -> bool:
    """Whether the receiver is up and does not take what is not signed."""
    try:
        return httpx.post(url, json={}).status_code == 400
    except httpx.TransportError:
        return False


def test_the_guide_names_every_event_type_and_every_transition() -> None:
    for kind in EventType:
        assert f"| `{kind}` |" in GUIDE
    for status, following in TRANSITIONS.items():
        if not following:
            continue
        row = re.search(rf"^\| `{status}` \| (.*) \|$", GUIDE, re.MULTILINE)
        assert row is not None
        assert set(re.findall(r"`(\w+)`", row[1])) == set(following)
