"""The command ``model train``."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from service.cli import training

app = typer.Typer()
app.command("train")(training.train)


def test_train_refuses_a_yaml_that_is_not_there(tmp_path: Path) -> None:
    arguments = ["--config", "no.yaml", "--data", str(tmp_path), "--output", str(tmp_path)]
    assert CliRunner().invoke(app, arguments).exit_code == 2
