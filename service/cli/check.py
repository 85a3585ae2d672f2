"""``streetwarden check`` says whether a city.yaml is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.city import City
from models.errors import ConfigError
from service.config import load_city


def check(
    config: Annotated[Path, typer.Argument(help="The city.yaml to check.")],
) -> None:
    """Check a city.yaml and print everything that is wrong with it, each with its line."""
    try:
        city = load_city(config)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem))
        typer.echo(_count(len(error.problems), "problem"), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{config}: OK ({_summary(city)})")


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
