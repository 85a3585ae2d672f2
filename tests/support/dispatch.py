"""What tests of the dispatch service share: databases, a running service, keys, builders."""

from __future__ import annotations

import atexit
import itertools
import shutil
import socket
import ssl
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import structlog
import uvicorn
from fastapi import FastAPI

from models.city import City
from models.work_order import WorkOrderRequest
from models.zone import Department
from service.api.app import create_app
from service.api.deps import ApiDeps, ApiSettings
from service.api.forms import EXAMPLE_ORDER
from service.decisions.access import Role
from service.store import access
from service.store.database import Database, open_database
from service.store.files import FileStore
from service.store.migrate import upgrade
from tests.support.postgres import database_name, new_postgres_database, postgres_database

KEYS = {role: f"test-key-of-{role}-0123456789" for role in Role}
START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CITY = City(
    name="Test city",
    timezone="Asia/Shanghai",
    cameras=(),
    departments=(
        Department(department_id="traffic", name="Traffic police", name_zh="交警"),
        Department(department_id="cleaning", name="Street cleaning", name_zh="环卫"),
    ),
    routing={"illegal_parking": "traffic", "litter": "cleaning"},
)

# Without the local variables that structlog prints by default: they take seconds to format.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

BACKENDS = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.needs_debian),
]


class FakeClock:
    """A clock that goes on only when told to."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@contextmanager
def database_url(backend: str, folder: Path) -> Iterator[str]:
    """URL of an empty database."""
    if backend == "postgresql":
        with postgres_database() as url:
            yield url
    else:
        yield f"sqlite:///{folder / 'dispatch.sqlite3'}"


@contextmanager
def migrated(backend: str, folder: Path) -> Iterator[Database]:
    """A database with all tables and a key of each role."""
    with copied_url(backend, folder) as url, open_database(url) as database:
        yield database


@contextmanager
def copied_url(backend: str, folder: Path) -> Iterator[str]:
    """URL of a copy of a database that was migrated once."""
    if backend == "postgresql":
        with postgres_database(database_name(_postgres_template())) as url:
            yield url
    else:
        path = folder / "dispatch.sqlite3"
        shutil.copy(_sqlite_template(), path)
        yield f"sqlite:///{path}"


@cache
def _postgres_template() -> str:
    url = new_postgres_database()
    _fill(url)
    return url


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="streetwarden-template-"))
    atexit.register(shutil.rmtree, folder)
    _fill(f"sqlite:///{folder / 'template.sqlite3'}")
    return folder / "template.sqlite3"


def _fill(url: str) -> None:
    with open_database(url) as database:
        upgrade(database)
        with database.write() as connection:
            for role, key in KEYS.items():
                access.save_key(connection, f"test-{role}", role, key, START)


@dataclass(frozen=True, kw_only=True)
class Service:
    """A dispatch service that listens on loopback, and clients with each key."""

    url: str
    deps: ApiDeps
    anonymous: httpx.Client
    detector: httpx.Client
    client: httpx.Client
    admin: httpx.Client
    clock: FakeClock

    def post_order(self, **changes: Any) -> dict[str, Any]:
        answer = self.detector.post("/api/v1/work-orders", json=order_body(**changes))
        assert answer.status_code == 201, answer.text
        order: dict[str, Any] = answer.json()
        return order

    def order(self, order_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1/work-orders/{order_id}")
        assert answer.status_code == 200, answer.text
        order: dict[str, Any] = answer.json()
        return order


@contextmanager
def running_service(
    database: Database,
    folder: Path,
    make_app: Callable[[ApiDeps], FastAPI] = create_app,
    now: Callable[[], datetime] | None = None,
) -> Iterator[Service]:
    """The real application behind a real server in a thread."""
    clock = FakeClock()
    with serving() as (listener, serve):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        deps = ApiDeps(
            database=database,
            files=FileStore(folder / "pictures"),
            settings=ApiSettings(
                public_url=url, max_json_bytes=20_000, max_picture_bytes=200_000, open311=True
            ),
            city=CITY,
            now=now or clock,
        )
        with (
            serve(make_app(deps)),
            httpx.Client(base_url=url, verify=tls()) as anonymous,
            client_of(url, Role.DETECTOR) as detector,
            client_of(url, Role.CLIENT) as client,
            client_of(url, Role.ADMIN) as admin,
        ):
            yield Service(
                url=url,
                deps=deps,
                anonymous=anonymous,
                detector=detector,
                client=client,
                admin=admin,
                clock=clock,
            )


def client_of(url: str, role: Role) -> httpx.Client:
    """A client that sends the key of a role."""
    headers = {"Authorization": f"Bearer {KEYS[role]}"}
    return httpx.Client(base_url=url, headers=headers, timeout=30, verify=tls())


@cache
def tls() -> ssl.SSLContext:
    """Made once: it takes longer than most requests, and loopback needs none."""
    return ssl.create_default_context()


@contextmanager
def serving() -> Iterator[tuple[socket.socket, Callable[[FastAPI], Any]]]:
    """A listening socket on a free loopback port, and how to serve an application on it."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:

        @contextmanager
        def serve(app: FastAPI) -> Iterator[None]:
            server = uvicorn.Server(
                uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=5)
            )
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                wait_for(lambda: server.started or not thread.is_alive())
                assert server.started, "the service did not start"
                yield
            finally:
                server.should_exit = True
                thread.join()

        yield listener, serve


def wait_for(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait until something holds; fail the test if it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


def order_body(**changes: Any) -> dict[str, Any]:
    """A valid order of a new incident, as JSON."""
    return {**EXAMPLE_ORDER, "incident_id": str(uuid.uuid4()), **changes}


def order_request(**changes: Any) -> WorkOrderRequest:
    """A valid order of a new incident, as a value."""
    example: dict[str, Any] = dict(EXAMPLE_ORDER)
    request = WorkOrderRequest(
        **{
            **example,
            "incident_id": str(uuid.uuid4()),
            "box_xyxy": tuple(example["box_xyxy"]),
            "started_at": datetime.fromisoformat(example["started_at"]),
            "opened_at": datetime.fromisoformat(example["opened_at"]),
        }
    )
    return replace(request, **changes)


_SHADES = itertools.count(1)


def jpeg_picture(width_px: int = 64, height_px: int = 48, shade: int | None = None) -> bytes:
    """A real JPEG, each time another one unless a shade is given."""
    value = next(_SHADES) if shade is None else shade
    rng = np.random.default_rng(value)
    image = rng.integers(0, 255, (height_px, width_px, 3), dtype=np.uint8)
    done, encoded = cv2.imencode(".jpg", image)
    assert done
    return bytes(encoded)
