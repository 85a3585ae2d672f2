"""The real dispatch service on a loopback port, filled through its own interface."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import uvicorn

from service.api.app import create_app
from service.api.deps import ApiDeps, ApiSettings
from service.config import load_city
from service.decisions.evidence_kinds import kind_of_name
from service.store.access import save_key
from service.store.database import Database
from service.store.files import FileStore
from service.store.passwords import hash_password
from service.store.users import add_user
from tests.support.dispatch import migrated

ADMIN_KEY = "sw_test-admin-key"
DETECTOR_KEY = "sw_test-detector-key"
START_TIMEOUT_S = 20.0
INSPECT_WAIT_S = 600.0

CITY = """\
city: {name: Testville, timezone: Asia/Shanghai}
departments:
  - {id: traffic, name: Traffic police, name_zh: 交警大队}
  - {id: sanitation, name: Sanitation, name_zh: 环卫所}
routing: {illegal_parking: traffic, default: sanitation}
cameras:
  - {id: gate, source: 0, legal_basis: test}
"""


def picture(seed: int, width: int = 320, height: int = 180) -> bytes:
    """A small JPEG that no other seed gives."""
    image = np.full((height, width, 3), (90 + seed * 7 % 80, 110, 120), np.uint8)
    left = 20 + seed * 31 % (width - 120)
    cv2.rectangle(image, (left, 80), (left + 90, 130), (40, 60, 200), -1)
    return cv2.imencode(".jpg", image)[1].tobytes()


class Site:
    """What a detector would report, by HTTP."""

    def __init__(self, url: str, database: Database) -> None:
        self.url = url
        self.database = database
        self.http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=10
        )

    def user(self, name: str, role: str, department_id: str, password: str) -> None:
        hashed = hash_password(password)
        with self.database.write() as connection:
            add_user(connection, name, role, [department_id], hashed, datetime.now(UTC))

    def camera(self, camera_id: str, *, image: bytes | None = None, **values: Any) -> None:
        report = {
            "name": camera_id,
            "state": "online",
            "last_frame_at": datetime.now(UTC).isoformat(),
            "width_px": 960,
            "height_px": 540,
            **values,
        }
        self._put(f"/api/v1/cameras/{camera_id}", json=report)
        if image is not None:
            self._put_jpeg(f"/api/v1/cameras/{camera_id}/snapshot", image)

    def order(self, *, pictures: dict[str, bytes] | None = None, **values: Any) -> dict[str, Any]:
        incident_id = str(uuid.uuid4())
        opened_at = datetime.now(UTC) - timedelta(seconds=40)
        body = {
            "incident_id": incident_id,
            "camera_id": "gate",
            "camera_name": "North Gate",
            "zone_id": "kerb",
            "zone_name": "North kerb",
            "rule_id": "illegal_parking",
            "rule_kind": "illegal_parking",
            "category": "illegal_parking",
            "label": "car",
            "confidence": 0.91,
            "box_xyxy": [100, 80, 200, 140],
            "width_px": 960,
            "height_px": 540,
            "started_at": (opened_at - timedelta(seconds=300)).isoformat(),
            "opened_at": opened_at.isoformat(),
            "observed_s": 300.0,
            "dwell_s": 300.0,
            **values,
        }
        answer = self.http.post("/api/v1/work-orders", json=body)
        answer.raise_for_status()
        for name, image in (pictures or {}).items():
            self.evidence(incident_id, name, image)
        return self.read(answer.json()["order_id"])

    def evidence(self, incident_id: str, name: str, content: bytes) -> None:
        kind = kind_of_name(name).content_type
        path = f"/api/v1/incidents/{incident_id}/evidence/{name}"
        self._put(path, content=content, headers={"Content-Type": kind})

    def report(self, detections: list[dict[str, Any]] | None = None, **values: str) -> str:
        """A citizen's report with a photo, looked at unless ``None``; the order's id."""
        form = {
            "api_key": DETECTOR_KEY, "service_code": "litter", "lat": "31.2304", "long": "121.4737",
            "description": "please come", **values,
        }  # fmt: skip
        photo = {"media": ("a.jpg", picture(5))}
        answer = self.http.post("/open311/v2/requests.json", data=form, files=photo)
        number = int(answer.raise_for_status().json()[0]["service_request_id"])
        items = self.http.get("/api/v1/work-orders").json()["items"]
        order = next(each for each in items if each["number"] == number)
        if detections is not None:
            self.evidence(order["incident_id"], "report", picture(6))
            findings = {"model": "street-n@1f3a9c02", "detections": detections}
            self._put(f"/api/v1/reports/{order['order_id']}/inspection", json=findings)
        return str(order["order_id"])

    def read(self, order_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/api/v1/work-orders/{order_id}")
        order: dict[str, Any] = answer.raise_for_status().json()
        return order

    def patch(self, order_id: str, **change: Any) -> None:
        self.http.patch(f"/api/v1/work-orders/{order_id}", json=change).raise_for_status()

    def _put(self, path: str, **request: Any) -> None:
        self.http.put(path, **request).raise_for_status()

    def _put_jpeg(self, path: str, image: bytes) -> None:
        self._put(path, content=image, headers={"Content-Type": "image/jpeg"})


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """The service with an empty SQLite database in ``folder``."""
    city_file = folder / "city.yaml"
    city_file.write_text(CITY, encoding="utf-8")
    with migrated("sqlite", folder) as database:
        now = datetime.now(UTC)
        with database.write() as connection:
            save_key(connection, "control room", "admin", ADMIN_KEY, now)
            save_key(connection, "camera daemon", "detector", DETECTOR_KEY, now)
        files = FileStore(folder / "pictures")
        settings = ApiSettings(open311=True, inspect_wait_s=INSPECT_WAIT_S)
        deps = ApiDeps(database=database, files=files, city=load_city(city_file), settings=settings)
        app = create_app(deps)
        with _serving(uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))) as address:
            site = Site(address, database)
            yield site
            site.http.close()


@contextmanager
def _serving(server: uvicorn.Server) -> Iterator[str]:
    thread = threading.Thread(target=server.run, name="site")
    thread.start()
    deadline = time.monotonic() + START_TIMEOUT_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the service did not start")
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
