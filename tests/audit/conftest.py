from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.store.database import Database
from tests.support.dispatch import BACKENDS, Service, migrated, running_service


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def database(backend: str, tmp_path: Path) -> Iterator[Database]:
    with migrated(backend, tmp_path) as database:
        yield database


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    with running_service(database, tmp_path) as service:
        yield service
