"""Reading a ``city.yaml``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from models.city import City
from models.errors import ConfigError
from service.config.checks import check_references
from service.config.convert import Surroundings, to_city
from service.config.document import Finding, read_document
from service.config.forms import CityFile
from service.config.messages import findings


def load_city(
    path: Path, environ: Mapping[str, str] | None = None, *, resolve_sources: bool = True
) -> City:
    """The city that ``path`` describes.

    ``environ`` fills the ``${NAME}`` placeholders; None: this process's environment. A program
    that reads no camera, such as the dispatch service, needs no camera passwords: without
    ``resolve_sources`` the sources stay as they are written. Raises :class:`ConfigError` with
    every problem of the file, sorted by line.
    """
    filled_from = os.environ if environ is None else environ
    surroundings = Surroundings(
        folder=path.parent.resolve(), environ=filled_from if resolve_sources else None
    )
    document = read_document(path)
    form, found = _validate(document.data)
    found += check_references(document, surroundings.folder, surroundings.environ)
    problems = {document.problem(finding) for finding in found}.union(document.problems)
    if problems or form is None:
        raise ConfigError(sorted(problems))
    return to_city(form, surroundings)


def _validate(data: object) -> tuple[CityFile | None, list[Finding]]:
    # Returned, not raised on: a chained pydantic error would carry the values it refused.
    try:
        return CityFile.model_validate(data), []
    except ValidationError as error:
        return None, list(findings(error))
