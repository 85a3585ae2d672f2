"""``streetwarden check`` says whether a city.yaml is right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from detector.backends import model_facts
from models.city import City
from models.errors import ConfigError
from models.zone import CloserLook, Rule
from service.config import load_city

_UNKNOWN = (
    "note: {weights} is not in the registry of this machine: which classes it sees is checked when"
    " it is loaded (streetwarden run)"
)


def check(
    config: Annotated[Path, typer.Argument(help="The city.yaml to check.")],
) -> None:
    """Check a city.yaml and print everything that is wrong with it, each with its line.

    Of a right file, print from which confidence on each class counts in each rule.
    """
    try:
        city = load_city(config, facts_of=model_facts)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem))
        typer.echo(_count(len(error.problems), "problem"), err=True)
        raise typer.Exit(1) from None
    if model_facts(city.model) is None:
        typer.echo(_UNKNOWN.format(weights=city.model.weights), err=True)
    for line in _thresholds(city):
        typer.echo(line)
    typer.echo(f"{config}: OK ({_summary(city)})")


def _thresholds(city: City) -> Iterator[str]:
    for camera in city.cameras:
        for zone in camera.zones:
            for rule in zone.rules:
                yield f"{camera.camera_id}/{zone.zone_id}/{rule.rule_id}: {_counts(rule)}"


def _counts(rule: Rule) -> str:
    counts = ", ".join(f"{label} {rule.threshold(label):.2f}" for label in sorted(rule.labels))
    looks = rule.closer_look
    return counts + ("" if looks is CloserLook.OFF else f"; closer look: {looks.value}")


def _summary(city: City) -> str:
    zones = [zone for camera in city.cameras for zone in camera.zones]
    counts = (
        _count(len(city.cameras), "camera"),
        _count(len(zones), "zone"),
        _count(sum(len(zone.rules) for zone in zones), "rule"),
        _count(len(city.departments), "department"),
    )
    return ", ".join(counts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
