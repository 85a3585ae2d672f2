"""A recorded hour in seconds: the same looks give the same incidents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from models.incident import IncidentChange
from models.seeing import Look
from models.zone import Camera
from zones.engine import ZoneEngine


def replay(camera: Camera, looks: Iterable[Look]) -> Iterator[IncidentChange]:
    """Run a camera's rules over recorded looks, from nothing."""
    engine = ZoneEngine(camera)
    for look in looks:
        yield from engine.look(look)
