"""Writes the JSON schema of ``city.yaml``, from which editors complete and check."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from service.config.forms import CityFile

SCHEMA_PATH = Path(__file__).resolve().parents[2] / "docs" / "city.schema.json"


def schema_text() -> str:
    """The schema as it is kept in the repository."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **CityFile.model_json_schema(),
        "title": "Streetwarden city.yaml",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the schema, or with ``--check`` say whether the written one is up to date."""
    parser = argparse.ArgumentParser(prog="python -m service.config.schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare; exit code 1 if old")
    parser.add_argument("path", nargs="?", type=Path, default=SCHEMA_PATH)
    options = parser.parse_args(arguments)
    path: Path = options.path
    if not options.check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(schema_text(), encoding="utf-8")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == schema_text():
        return 0
    sys.stderr.write(f"{path} is out of date: run python -m service.config.schema\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
