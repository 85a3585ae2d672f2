"""Ground truth of a clip: what its YAML says happens in each zone, and when.

The form is that of the clips this project is measured on; keys it does not know are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import ConfigError, Problem
from models.geometry import Box, Points
from models.zone import RuleKind
from service.config.document import Document, Finding, Loc, read_document

_WORDS = {
    RuleKind.LITTER: re.compile(r"litter|rubbish|garbage|abandoned|bag", re.IGNORECASE),
    RuleKind.DAMAGED_FACILITY: re.compile(r"damage|pothole|facility", re.IGNORECASE),
}
_LISTS = {
    RuleKind.ILLEGAL_PARKING: ("stationary_vehicles", "stationary_from_s", "stationary_to_s"),
    RuleKind.LITTER: ("abandoned_things", "on_ground_from_s", "to_s"),
    RuleKind.DAMAGED_FACILITY: ("damage", "from_s", "to_s"),
}
"""Where the things that a rule is about are listed, and their times."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """One thing that really stood or lay there."""

    label: str
    box: Box
    from_s: float
    to_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ZoneTruth:
    """How many incidents a zone's rule must yield over the whole clip, by dwell threshold."""

    name: str
    polygon: Points
    kind: RuleKind
    expected_by_dwell_s: Mapping[float, int]
    lasting: bool = False
    """What lies there goes on lying there: the clip may be lengthened by its last frame."""

    def expected(self, dwell_s: float) -> int | None:
        """Incidents for a threshold, also between those of the file where these agree.

        ``None``: the file does not say. A longer dwell never yields more incidents.
        """
        known = self.expected_by_dwell_s
        if dwell_s in known:
            return known[dwell_s]
        shorter = [count for at, count in known.items() if at < dwell_s]
        longer = [count for at, count in known.items() if at > dwell_s]
        if shorter and (min(shorter) == 0 or self.lasting):
            return min(shorter)
        if shorter and longer and min(shorter) == max(longer):
            return min(shorter)
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipTruth:
    """One clip and what happens in it."""

    name: str
    video: Path
    size_px: tuple[int, int] | None
    """Width and height that boxes and polygons refer to, if the file says so."""
    zones: tuple[ZoneTruth, ...]
    things: Mapping[RuleKind, tuple[Thing, ...]]


def load_truths(folder: Path) -> tuple[ClipTruth, ...]:
    """Ground truth of every clip in a folder that has one; raises :class:`ConfigError`."""
    paths = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    documents = [read_document(path) for path in paths]
    truths = [_clip(doc, folder) for doc in documents if _is_truth(doc.data)]
    if not truths:
        message = "holds no ground truth: a YAML with `clip` and `zones` beside each video"
        raise ConfigError([Problem(file=str(folder), line=1, where="", message=message)])
    return tuple(truths)


def _is_truth(data: object) -> bool:
    return isinstance(data, Mapping) and "clip" in data and "zones" in data


def _clip(document: Document, folder: Path) -> ClipTruth:
    data = document.data
    reader = _Reader(document)
    things = {
        kind: tuple(
            reader.thing((name, index), from_key, to_key)
            for index, _ in enumerate(data.get(name) or ())
        )
        for kind, (name, from_key, to_key) in _LISTS.items()
    }
    zones = tuple(reader.zone(("zones", index)) for index, _ in enumerate(data["zones"] or ()))
    video = folder / str(data["clip"])
    if not video.is_file():
        raise ConfigError([document.problem(Finding(loc=("clip",), message="no such video"))])
    return ClipTruth(
        name=video.name,
        video=video,
        size_px=_size(data.get("video")),
        zones=zones,
        things=things,
    )


def _size(video: object) -> tuple[int, int] | None:
    if not isinstance(video, Mapping) or not {"width", "height"} <= video.keys():
        return None
    return int(video["width"]), int(video["height"])


class _Reader:
    """Takes values out of a document, or says on which line one is not what it should be."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def thing(self, loc: Loc, from_key: str, to_key: str) -> Thing:
        entry = self._at(loc)
        sides = [self._number((*loc, "box_xyxy", side)) for side in range(4)]
        return Thing(
            label=str(entry.get("label", "")),
            box=Box(*sides),
            from_s=self._number((*loc, from_key), default=0.0),
            to_s=self._number((*loc, to_key), default=float("inf")),
        )

    def zone(self, loc: Loc) -> ZoneTruth:
        entry = self._at(loc)
        corners = range(len(self._at((*loc, "polygon_xy"))))
        events = self._at((*loc, "expected_events_by_dwell_s"))
        return ZoneTruth(
            name=str(self._at((*loc, "name"))),
            polygon=tuple(
                (
                    self._number((*loc, "polygon_xy", corner, 0)),
                    self._number((*loc, "polygon_xy", corner, 1)),
                )
                for corner in corners
            ),
            kind=_kind(entry),
            expected_by_dwell_s={
                self._dwell(loc, key): int(self._number((*loc, "expected_events_by_dwell_s", key)))
                for key in events
            },
            lasting=bool(entry.get("expected_litter_present", False)),
        )

    def _dwell(self, loc: Loc, key: object) -> float:
        try:
            return float(str(key))
        except ValueError:
            raise self._wrong((*loc, "expected_events_by_dwell_s"), "needs seconds") from None

    def _number(self, loc: Loc, default: float | None = None) -> float:
        value = self._find(loc)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(loc, "should be a number")
        return float(value)

    def _at(self, loc: Loc) -> Any:
        value = self._find(loc)
        if value is None:
            raise self._wrong(loc, "is missing")
        return value

    def _find(self, loc: Loc) -> Any:
        value = self._document.data
        for part in loc:
            if isinstance(value, Mapping):
                value = value.get(part)
            elif isinstance(value, Sequence) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def _wrong(self, loc: Loc, message: str) -> ConfigError:
        return ConfigError([self._document.problem(Finding(loc=loc, message=message, absent=True))])


def _kind(zone: Mapping[str, Any]) -> RuleKind:
    rule = str(zone.get("rule", ""))
    if "expected_litter_present" in zone:
        return RuleKind.LITTER
    if re.match(r"\s*vehicle\b", rule, re.IGNORECASE):
        return RuleKind.ILLEGAL_PARKING
    kinds = (kind for kind, words in _WORDS.items() if words.search(rule))
    return next(kinds, RuleKind.ILLEGAL_PARKING)
