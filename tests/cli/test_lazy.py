"""A command imports what it needs itself, and nothing for the sake of the others."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from service.cli.app import Commands, ModelCommands, app
from service.cli.lazy import Lazy

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("cv2", "av", "torch", "openvino", "scipy", "sqlalchemy", "alembic", "fastapi", "httpx")
_RUN = f"""
import atexit, sys
from service.__main__ import main
atexit.register(lambda: sys.stderr.write(" ".join(set({HEAVY}) & set(sys.modules)) + "\\n"))
sys.exit(main())
"""
ENTRIES = [*Commands.table.values(), *ModelCommands.table.values()]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--help"], id="help"),
        pytest.param(["--version"], id="version"),
        pytest.param(["model", "--help"], id="help of a group"),
        pytest.param(["check", "sample_videos/city.yaml"], id="check"),
    ],
)
def test_light_commands_import_no_network_video_or_database(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        cwd=ROOT,
        env=os.environ | {"STREETWARDEN_DEMO_RTSP_PORT": "8554"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert done.stderr.splitlines()[-1] == ""


@pytest.mark.parametrize("lazy", ENTRIES, ids=lambda lazy: lazy.name)
def test_a_line_in_the_list_is_what_the_command_says_of_itself(lazy: Lazy) -> None:
    found = lazy.load()

    said = found.info.help if isinstance(found, typer.Typer) else inspect.getdoc(found)

    first_paragraph = " ".join(str(said).partition("\n\n")[0].split())
    assert lazy.help == first_paragraph


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["check", "--help"], "Check a city.yaml", id="a command"),
        pytest.param(["view", "accept", "--help"], "home view", id="a command of a group"),
        pytest.param(["model", "verify", "--help"], "Check that weights", id="of a lazy group"),
    ],
)
def test_help_of_a_command_is_its_own(arguments: list[str], expected: str) -> None:
    done = CliRunner().invoke(app, arguments)

    assert done.exit_code == 0
    assert expected in done.output
    assert f"Usage: streetwarden {' '.join(arguments[:-1])}" in done.output


def test_a_command_that_is_not_there_is_named_with_one_that_is_like_it() -> None:
    done = CliRunner().invoke(app, ["chek"])

    assert done.exit_code == 2
    assert "Did you mean 'check'" in done.output
