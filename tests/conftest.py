"""What all tests share: real clips, the dispatch service; and that CI skips nothing unnoticed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dispatch import BACKENDS, Service, migrated, running_service

REPOSITORY = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() == "true"


def shared_folder() -> Path:
    """Folder with clips and data that are not part of the repository, present or not."""
    return Path(os.environ.get("STREETWARDEN_SHARED", REPOSITORY.parent / "shared"))


@pytest.fixture(scope="session")
def real_clips() -> Path:
    """Folder of real clips with ground truth; the test is skipped where it is not there."""
    clips = shared_folder() / "clips"
    if not clips.is_dir():
        pytest.skip(f"no real clips at {clips} (set STREETWARDEN_SHARED)")
    return clips


@pytest.fixture(params=BACKENDS)
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """The dispatch service on each database."""
    with (
        migrated(request.param, tmp_path) as database,
        running_service(database, tmp_path) as service,
    ):
        yield service


@pytest.fixture
def sqlite_service(tmp_path: Path) -> Iterator[Service]:
    """The dispatch service on SQLite, for what does not depend on the database."""
    with (
        migrated("sqlite", tmp_path) as database,
        running_service(database, tmp_path) as service,
    ):
        yield service


def _is_allowed(report: pytest.TestReport) -> bool:
    return "needs_shared" in report.keywords


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failure, unless it needs data that cannot be installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not IN_CI or reporter is None:
        return
    skipped = [r for r in reporter.stats.get("skipped", []) if not _is_allowed(r)]
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"{len(skipped)} tests were skipped in CI, where none may be", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
