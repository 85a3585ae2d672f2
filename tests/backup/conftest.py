from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli.app import app
from service.store.database import open_database
from tests.support.dispatch import BACKENDS, Service, copied_url, database_url, running_service


@dataclass(frozen=True, kw_only=True)
class Place:
    """A database with its data folder, as the options name them."""

    url: str
    folder: Path

    @property
    def options(self) -> list[str]:
        return ["--database-url", self.url, "--data-dir", str(self.folder)]

    @contextmanager
    def served(self) -> Iterator[Service]:
        with (
            open_database(self.url) as database,
            running_service(database, self.folder.parent) as service,
        ):
            yield service


@dataclass(frozen=True, kw_only=True)
class Site:
    """A place with data, empty ones to restore into, and where backups lie."""

    backend: str
    full: Place
    empty: Place
    backups: Path

    def run(self, *arguments: object) -> Result:
        return CliRunner().invoke(app, [str(each) for each in arguments])

    def backup(self, *options: object) -> Path:
        before = set(self.backups.glob("*.tar"))
        done = self.run("backup", self.backups, *self.full.options, *options)
        assert done.exit_code == 0, done.output
        (made,) = set(self.backups.glob("*.tar")) - before
        return made


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def site(backend: str, tmp_path: Path) -> Iterator[Site]:
    full, empty = tmp_path / "full", tmp_path / "empty"
    full.mkdir()
    empty.mkdir()
    with ExitStack() as stack:
        yield Site(
            backend=backend,
            full=Place(
                url=stack.enter_context(copied_url(backend, full)), folder=full / "pictures"
            ),
            empty=Place(
                url=stack.enter_context(database_url(backend, empty)), folder=empty / "pictures"
            ),
            backups=tmp_path / "backups",
        )
