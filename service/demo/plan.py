"""What the demo must show: the orders that follow from the sample videos' ground truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from models.errors import SetupError

SAMPLE_FOLDER = Path(__file__).resolve().parents[2] / "sample_videos"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Place:
    """Where an order comes from."""

    camera_id: str
    zone_id: str
    rule_kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How many orders each place must yield, and the videos that show it."""

    expected: Mapping[Place, int]
    videos: tuple[Path, ...]
    config: Path

    def missing(self, seen: Iterable[Place]) -> Counter[Place]:
        """Orders still to come, given the places of those that came."""
        return Counter(self.expected) - Counter(seen)

    def unexpected(self, seen: Iterable[Place]) -> Counter[Place]:
        """Orders from places that should be quiet."""
        return Counter(place for place in seen if place not in self.expected)


def load_plan(folder: Path = SAMPLE_FOLDER) -> Plan:
    """Read the sample folder; :class:`SetupError` where there is none, as in an installed wheel."""
    path = folder / "expected.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SetupError(
            f"no sample videos at {folder}: the demo runs from a checkout of the project"
        ) from error
    document: dict[str, Any] = yaml.safe_load(text)
    expected = {
        Place(camera_id=row["camera"], zone_id=row["zone"], rule_kind=row["rule"]): row["count"]
        for row in document["orders"]
    }
    videos = tuple(folder / f"{name}.mp4" for name in document["videos"])
    return Plan(expected=expected, videos=videos, config=folder / "city.yaml")
