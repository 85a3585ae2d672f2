"""The OpenAPI document shows an example of every body and answer, and each fits its form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from service.api import examples
from service.api.app import create_app
from service.api.deps import ApiDeps, ApiSettings
from service.store.files import FileStore
from tests.support.dispatch import migrated

Place = tuple[str, dict[str, Any]]
"""Where something is described, and how."""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("openapi")
    with migrated("sqlite", folder) as database:
        settings = ApiSettings(open311=True)
        deps = ApiDeps(database=database, files=FileStore(folder), settings=settings)
        return create_app(deps).openapi()


def contents(document: dict[str, Any]) -> Iterator[Place]:
    """All bodies, and all answers that are no problems."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            described = {"body": operation.get("requestBody", {})}
            described |= {code: each for code, each in operation["responses"].items() if code < "3"}
            for what, each in described.items():
                for kind, content in each.get("content", {}).items():
                    yield f"{method} {path} {what} {kind}", content


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def example_of(document: dict[str, Any], content: dict[str, Any]) -> object:
    form = resolved(document, content.get("schema", {}))
    shown = [*form.get("examples", []), *([form["example"]] if "example" in form else [])]
    return content.get("example", shown[0] if shown else None)


def is_binary(content: dict[str, Any]) -> bool:
    return bool(content.get("schema", {}).get("format") == "binary")


def test_none_is_without_an_example(document: dict[str, Any]) -> None:
    found = list(contents(document))
    without = [
        name
        for name, content in found
        if not is_binary(content) and example_of(document, content) is None
    ]
    assert without == []
    assert len(found) > 50


def test_each_example_fits_its_form(document: dict[str, Any]) -> None:
    wrong = []
    for name, content in contents(document):
        if is_binary(content) or "schema" not in content:
            continue
        schema = {**content["schema"], "components": document["components"]}
        try:
            jsonschema_rs.validate(schema, example_of(document, content))
        except jsonschema_rs.ValidationError as error:
            wrong.append(f"{name}: {error.message}")
    assert wrong == []


def test_each_recorded_example_is_shown_somewhere(document: dict[str, Any]) -> None:
    shown = {
        name.rpartition(" ")[0] for name, content in contents(document) if "example" in content
    }
    assert json.loads(Path(examples.PATH).read_text(encoding="utf-8")).keys() <= shown


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for each in value.values():
                yield from references(each)
        elif isinstance(value, list):
            for each in value:
                yield from references(each)

    forms = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= forms
