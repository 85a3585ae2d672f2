from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from service.cli.doctor import doctor
from service.cli.preflight import State, check_package_names, check_requirements, is_within
from tests.support.clips import write_clip
from tests.support.demo_rtsp import demo_rtsp

CITY = """\
name: Test
timezone: Asia/Shanghai
cameras: []
departments: []
"""


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(doctor)
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})


def checks_of(result: Result, prefix: str) -> list[dict[str, str]]:
    checks = json.loads(result.stdout)["checks"]
    return [check for check in checks if check["name"].startswith(prefix)]


def test_this_installation_is_in_order() -> None:
    result = run("--json")
    failed = [c for c in json.loads(result.stdout)["checks"] if c["state"] == "fail"]
    assert failed == []
    assert result.exit_code == 0
    assert {c["name"] for c in checks_of(result, "import ")} >= {"import cv2", "import av"}


def test_the_table_counts_what_it_found() -> None:
    result = run()
    assert "opencv-python-headless" in result.stdout
    assert "0 failed" in result.stdout


@pytest.mark.parametrize(
    ("gop", "state", "words"),
    [
        pytest.param(5, "ok", "decodes key frames only", id="key frames often"),
        pytest.param(75, "warn", "decodes every frame", id="key frames rare"),
    ],
)
def test_a_camera_is_described_and_its_settings_are_judged(
    tmp_path: Path, gop: int, state: str, words: str
) -> None:
    with demo_rtsp(write_clip(tmp_path / "cam.mp4", gop=gop)) as server:
        result = run("--json", "--source", server.urls["cam"])
    (check,) = checks_of(result, "source")
    assert check["state"] == state
    assert words in check["detail"]
    assert "h264 320×240, 25.0 fps" in check["detail"]
    assert ("GOP" in check["advice"]) == (state == "warn")
    assert result.exit_code == 0


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_dead_camera_fails_and_its_password_is_not_shown(form: str) -> None:
    arguments = ["--source", "rtsp://root:hunter2@127.0.0.1:1/live"]
    result = run(*arguments, *(["--json"] if form == "json" else []))
    assert result.exit_code == 1
    assert "refuses" in result.stdout
    assert "hunter2" not in result.stdout
    assert "root" not in result.stdout.replace("/root/", "")


def test_a_file_and_a_folder_of_images_are_described(tmp_path: Path, clip: Path) -> None:
    result = run("--json", "--source", clip, "--source", tmp_path)
    first, second = checks_of(result, "source")
    assert "key frame each 1.00 s" in first["detail"]
    assert (second["state"], result.exit_code) == ("fail", 1)
    assert "holds no images" in second["detail"]


def test_a_wrong_city_file_fails_with_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_text("name: Test\ntimezone: Mars/Olympus\nspeed: 3\n", encoding="utf-8")
    result = run("--json", "--config", path)
    assert result.exit_code == 1
    assert len(checks_of(result, "config")) >= 2


def test_unknown_weights_fail() -> None:
    result = run("--json", "--model", "no-such-weights")
    (check,) = checks_of(result, "model")
    assert (check["state"], result.exit_code) == ("fail", 1)
    assert "no-such-weights" in check["detail"]


@pytest.mark.parametrize(
    ("version", "limits", "expected"),
    [
        ("1.2.3", ">=1.2,<2", True),
        ("2.0", ">=1.2,<2", False),
        ("1.10", ">=1.9", True),
        ("5.0.0.93", "<6,>=4.10", True),
        ("0.0.4", "<0.1,>=0.0.4", True),
        ("1.5", "~=1.4", True),
        ("2.0", "~=1.4", False),
        ("3.12.1", ">=3.11,<3.14", True),
        ("2.0.0", "==2", True),
        ("2.0.1", "!=2.0.1", False),
        ("1.0", "", True),
    ],
)
def test_versions_are_compared_as_numbers(version: str, limits: str, expected: bool) -> None:
    assert is_within(version, limits) is expected


def test_a_requirement_that_is_missing_or_too_old_is_told() -> None:
    requirements = [
        "no-such-distribution>=1",
        "pytest<2,>=1",
        "numpy>=1",
        'nncf>=99; extra == "ultralytics"',
    ]
    checks = check_requirements(requirements)
    assert [c.state for c in checks] == [State.FAIL, State.WARN, State.OK]


@pytest.mark.parametrize(
    ("owners", "words"),
    [
        pytest.param({"models": ["streetwarden", "somebody"]}, "somebody", id="a rival too"),
        pytest.param({"service": ["somebody"]}, "somebody", id="only a rival"),
    ],
)
def test_a_package_that_another_distribution_brings_too_fails(
    owners: dict[str, Sequence[str]], words: str
) -> None:
    failed = [c for c in check_package_names(owners) if c.state is State.FAIL]
    assert [words in c.detail for c in failed] == [True]


def test_a_package_that_lies_before_ours_on_the_path_fails(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text("", encoding="utf-8")
    paths = [str(tmp_path), *sys.path]
    failed = [c.name for c in check_package_names({}, paths) if c.state is State.FAIL]
    assert failed == ["package models"]
