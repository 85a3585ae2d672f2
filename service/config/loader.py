"""Reading a ``city.yaml``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from models.city import City, ModelChoice, ModelFacts
from models.errors import ConfigError, WeightsError
from service.config.checks import check_references
from service.config.convert import Surroundings, to_city, to_model
from service.config.document import Document, Finding, read_document
from service.config.forms import CityFile
from service.config.messages import findings
from service.config.model_checks import check_model

FactsOf = Callable[[ModelChoice], ModelFacts | None]
"""What is known of the network that a city chose; ``None``: nothing here."""


def load_city(
    path: Path,
    environ: Mapping[str, str] | None = None,
    *,
    resolve_sources: bool = True,
    facts_of: FactsOf | None = None,
) -> City:
    """The city that ``path`` describes.

    ``environ`` fills the ``${NAME}`` placeholders; None: this process's environment. A program
    that reads no camera, such as the dispatch service, needs no camera passwords: without
    ``resolve_sources`` the sources stay as they are written. ``facts_of`` tells what is known of
    the model that is chosen: rules get its thresholds, and those that ask for what it does not see
    are problems. Raises :class:`ConfigError` with every problem of the file, sorted by line.
    """
    filled_from = os.environ if environ is None else environ
    surroundings = Surroundings(
        folder=path.parent.resolve(), environ=filled_from if resolve_sources else None
    )
    document = read_document(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return replace(city_of(document, surroundings, facts_of), file_sha256=digest)


def city_of(document: Document, surroundings: Surroundings, facts_of: FactsOf | None) -> City:
    """The city of a document; raises :class:`ConfigError` with every problem of it."""
    form, found = _validate(document.data)
    facts = None
    try:
        if form is not None and facts_of is not None:
            facts = facts_of(to_model(form.model, surroundings.folder))
    except WeightsError as error:
        found.append(Finding(loc=("model",), message=str(error)))
    found += check_references(document, surroundings.folder, surroundings.environ)
    if facts is not None:
        found += check_model(document.data, facts)
    problems = {document.problem(finding) for finding in found}.union(document.problems)
    if problems or form is None:
        raise ConfigError(sorted(problems))
    return to_city(form, surroundings, facts)


def _validate(data: object) -> tuple[CityFile | None, list[Finding]]:
    # Returned, not raised on: a chained pydantic error would carry the values it refused.
    try:
        return CityFile.model_validate(data), []
    except ValidationError as error:
        return None, list(findings(error))
