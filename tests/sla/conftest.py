from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dispatch import BACKENDS, Service, migrated, running_service


@pytest.fixture(params=BACKENDS)
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """The service on each database."""
    with (
        migrated(request.param, tmp_path) as database,
        running_service(database, tmp_path) as service,
    ):
        yield service
