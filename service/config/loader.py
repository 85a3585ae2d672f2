"""Reading a ``city.yaml``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from models.address import Address
from models.city import City, ModelChoice, ModelFacts
from models.errors import ConfigError, Problem, WeightsError
from service.config.addresses import read_addresses, with_addresses
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
    addresses, wrong = _addresses(form, surroundings)
    problems = {document.problem(finding) for finding in found}.union(document.problems, wrong)
    if problems or form is None:
        raise ConfigError(sorted(problems))
    city = to_city(form, surroundings, facts)
    if form.addresses is None or addresses is None:
        return city
    cameras = with_addresses(city.cameras, addresses, form.addresses.within)
    return replace(city, cameras=cameras, address_file=surroundings.folder / form.addresses.file)


def _addresses(
    form: CityFile | None, surroundings: Surroundings
) -> tuple[tuple[Address, ...] | None, tuple[Problem, ...]]:
    """What the file of addresses says, and what is wrong with it.

    A program that reads no camera gives no order an address and needs no such file.
    """
    if form is None or form.addresses is None or surroundings.environ is None:
        return None, ()
    try:
        return read_addresses(surroundings.folder / form.addresses.file), ()
    except ConfigError as error:
        return None, error.problems


def _validate(data: object) -> tuple[CityFile | None, list[Finding]]:
    # Returned, not raised on: a chained pydantic error would carry the values it refused.
    try:
        return CityFile.model_validate(data), []
    except ValidationError as error:
        return None, list(findings(error))
