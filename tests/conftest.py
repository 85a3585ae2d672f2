"""What all tests share: where real clips are, and that nothing is skipped unnoticed in CI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
