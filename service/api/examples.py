"""Examples of answers in the OpenAPI document, as a real service gave them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("openapi_examples.json")
"""By method, path and status: ``get /api/v1/cameras 200``."""


def add_examples(document: Mapping[str, Any]) -> None:
    """Put each example where the document describes that answer."""
    for name, example in json.loads(PATH.read_text(encoding="utf-8")).items():
        method, path, status = name.split(" ")
        operation = document["paths"].get(path, {}).get(method)
        if operation is None:
            continue  # a part that this service leaves out
        for media in operation["responses"][status]["content"].values():
            media["example"] = example
