"""The wheel holds all that runs, and runs from anywhere without the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            folder,
            REPOSITORY,
        ],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_only_our_packages_are_in_it(unpacked: Path) -> None:
    names = {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"detector", "models", "service", "zones"}


@pytest.mark.parametrize(
    "name",
    [
        "detector/weights/registry.yaml",
        "detector/training/sources.yaml",
        "service/api/console/index.html",
        "service/store/migrations/env.py",
        "models/py.typed",
    ],
)
def test_files_that_are_no_code_are_in_it(unpacked: Path, name: str) -> None:
    assert (unpacked / name).is_file()


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["model", "verify"], ["model", "list"]],
    ids=lambda arguments: " ".join(arguments),
)
def test_it_runs_from_outside_the_repository(
    unpacked: Path, tmp_path: Path, arguments: list[str]
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    where = subprocess.run(
        [sys.executable, "-c", "import service; print(service.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(unpacked))
