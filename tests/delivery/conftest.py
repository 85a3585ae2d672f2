from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from service.api.deps import ApiDeps
from service.cli.serve import build_app
from service.delivery.post import Poster
from service.delivery.worker import DeliverySettings
from service.store.database import Database
from tests.support.dispatch import BACKENDS, Service, migrated, running_service

FAST = DeliverySettings(poll_s=0.05, retry_scale=0.002, lease_s=20)
"""Retries after 0, 10 ms, 0.6 s, 3.6 s ...: enough for three attempts in a test."""

StartService = Callable[..., AbstractContextManager[Service]]


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with migrated(request.param, tmp_path) as database:
        yield database


@pytest.fixture
def start(tmp_path: Path) -> StartService:
    """Starts the service with its webhook sender, on a database."""

    @contextmanager
    def run(database: Database, poster: Poster | None = None, **changes: Any) -> Iterator[Service]:
        settings = replace(FAST, **changes)
        how = poster or Poster(allow_private=True, timeout_s=3)
        make: Callable[[ApiDeps], FastAPI] = partial(build_app, poster=how, settings=settings)
        now = partial(datetime.now, UTC)
        with running_service(database, tmp_path, make, now) as service:
            yield service

    return run


@pytest.fixture
def service(database: Database, start: StartService) -> Iterator[Service]:
    with start(database) as service:
        yield service
