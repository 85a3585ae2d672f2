"""The command ``check`` and the schema for editors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from service.cli.check import check
from service.config.schema import SCHEMA_PATH, main, schema_text
from tests.config.builders import VALID, changed, shown, write

app = typer.Typer()
app.command()(check)


def test_a_right_file_is_counted_and_passes(tmp_path: Path) -> None:
    path = write(tmp_path, VALID)
    result = CliRunner().invoke(app, [str(path)])
    assert (result.exit_code, shown(result.output, path)) == (
        0,
        [
            "gate/kerb/illegal_parking: bus 0.25, car 0.25, motorcycle 0.25, truck 0.25",
            "city.yaml: OK (1 camera, 1 zone, 1 rule, 1 department)",
        ],
    )


def test_the_threshold_of_each_class_of_a_rule_is_shown(tmp_path: Path) -> None:
    text = changed("kind: illegal_parking", "kind: litter") + (
        "model: {thresholds: {litter: 0.5}}\n"
    )
    result = CliRunner().invoke(app, [str(write(tmp_path, text))])
    assert result.stdout.splitlines()[0].startswith("gate/kerb/litter: garbage_pile 0.")
    assert ", litter 0.50; closer look: " in result.stdout


def test_weights_that_this_machine_does_not_know_are_no_fault_but_said(tmp_path: Path) -> None:
    path = write(tmp_path, VALID + "model: {weights: own.pt}\n")
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 0
    assert "own.pt is not in the registry of this machine" in result.stderr


def test_a_class_map_that_does_not_fit_the_weights_is_a_problem(tmp_path: Path) -> None:
    path = write(tmp_path, VALID + "model: {weights: street-n, class_map: {HGV: truck}}\n")
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 1
    assert shown(result.stdout, path)[0].startswith(
        "city.yaml:20: model: model.class_map names HGV"
    )


def test_a_wrong_file_is_listed_whole_and_fails(tmp_path: Path) -> None:
    path = write(tmp_path, changed("id: kerb", "id: kerb side") + "zebra: 1\n")
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 1
    assert shown(result.stdout, path) == [
        "city.yaml:15: cameras[0].zones[0].id:"
        " should be 1 to 64 letters a-z, digits, '-', '_' or '.'",
        "city.yaml:20: zebra: unknown key",
    ]
    assert result.stderr == "2 problems\n"


def test_the_schema_in_the_repository_is_up_to_date() -> None:
    assert SCHEMA_PATH.read_text(encoding="utf-8") == schema_text()


def test_an_old_schema_is_noticed_and_rewritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "docs" / "city.schema.json"
    assert main(["--check", str(path)]) == 1
    assert "out of date" in capsys.readouterr().err
    assert main([str(path)]) == 0
    assert main(["--check", str(path)]) == 0
    assert json.loads(path.read_text(encoding="utf-8"))["title"] == "Streetwarden city.yaml"


def test_the_schema_explains_every_key() -> None:
    schema = json.loads(schema_text())
    forms = {"city.yaml": schema, **schema["$defs"]}
    assert all("description" in form for form in forms.values())
    unexplained = [
        f"{form}.{key}"
        for form, content in forms.items()
        for key, field in content["properties"].items()
        if "description" not in field and "$ref" not in field
    ]
    assert unexplained == []


def test_the_example_of_the_guide_is_a_right_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = (SCHEMA_PATH.parent / "configuration.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(# city\.yaml\n.*?)```", guide, re.DOTALL)
    assert len(examples) == 1
    monkeypatch.setenv("GATE_PASSWORD", "hunter2")
    result = CliRunner().invoke(app, [str(write(tmp_path, examples[0]))])
    assert result.output.endswith("OK (2 cameras, 3 zones, 4 rules, 3 departments)\n")


def test_the_guide_names_every_key() -> None:
    guide = (SCHEMA_PATH.parent / "configuration.md").read_text(encoding="utf-8")
    schema = json.loads(schema_text())
    keys = {key for form in (schema, *schema["$defs"].values()) for key in form["properties"]}
    assert sorted(key for key in keys if f"`{key}`" not in guide) == []
