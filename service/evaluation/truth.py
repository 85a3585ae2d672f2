"""Ground truth of a clip: what its YAML says happens in each zone, and when.

The form is that of the clips this project is measured on; keys it does not know are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from models.errors import ConfigError, Problem
from models.geometry import Box, Points
from models.upkeep import FAULT_LABELS, AssetKind, AssetState, FaultKind, asset_label
from models.zone import RuleKind
from service.config.document import Document, Finding, Loc, read_document
from service.evaluation.reading import TruthReader

_WORDS = {
    RuleKind.LITTERING: re.compile(r"\blittering\b", re.IGNORECASE),
    RuleKind.LITTER: re.compile(r"litter|rubbish|garbage|abandoned|bag", re.IGNORECASE),
    RuleKind.DAMAGED_FACILITY: re.compile(r"damage|pothole|facility", re.IGNORECASE),
}
_LISTS = {
    RuleKind.ILLEGAL_PARKING: ("stationary_vehicles", "stationary_from_s", "stationary_to_s"),
    RuleKind.LITTER: ("abandoned_things", "on_ground_from_s", "to_s"),
    RuleKind.LITTERING: ("abandoned_things", "owner_left_s", "to_s"),
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
    in_sight_from_s: float = float("-inf")
    """From when it can be seen, where something hides it at first, such as its owner."""

    @property
    def due_from_s(self) -> float:
        """When its dwell can begin for anybody who only sees."""
        return max(self.from_s, self.in_sight_from_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class ZoneTruth:
    """How many incidents a zone's rule must yield over the whole clip, by dwell threshold."""

    name: str
    polygon: Points
    kind: RuleKind
    expected_by_dwell_s: Mapping[float, int]
    lasting: bool = False
    """What lies there goes on lying there: the clip may be lengthened by its last frame."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the zone and, under ``rule``, of its rule as a city.yaml has them; empty: the rule
    that a city gets which sets nothing but the dwell."""
    leaves_out: frozenset[str] = frozenset()
    """Labels of things that the rule must not report, though they are there."""
    holds_from_s: float = 0.0
    """When the rule's schedule begins."""

    def expected(self, dwell_s: float) -> int | None:
        """Incidents for a threshold, also between those of the file where these agree.

        ``None``: the file does not say. A longer dwell never yields more incidents.
        """
        return expected_at(self.expected_by_dwell_s, dwell_s, lasting=self.lasting)


@dataclass(frozen=True, kw_only=True, slots=True)
class UpkeepTruth:
    """What happens to a watched asset, or to the camera itself."""

    name: str
    """Of the asset; ``camera``."""
    kind: str
    """Of the asset, or of the fault."""
    label: str
    """What the order must call it, such as ``toppled_bin``."""
    from_s: float
    expected_by_dwell_s: Mapping[float, int]
    box: Box | None = None
    """Where the asset stands before; ``None``: it is a fault of the camera."""
    in_sight_from_s: float = float("-inf")
    """From when it can be seen, where somebody stands before it at first."""

    @property
    def due_from_s(self) -> float:
        """When its dwell can begin for anybody who only sees."""
        return max(self.from_s, self.in_sight_from_s)

    def expected(self, dwell_s: float) -> int | None:
        """As for zones."""
        return expected_at(self.expected_by_dwell_s, dwell_s)


def expected_at(known: Mapping[float, int], dwell_s: float, *, lasting: bool = False) -> int | None:
    """How many incidents at a threshold follow from those at others; ``None``: that is open."""
    if dwell_s in known:
        return known[dwell_s]
    shorter = [count for at, count in known.items() if at < dwell_s]
    longer = [count for at, count in known.items() if at > dwell_s]
    if shorter and (min(shorter) == 0 or lasting):
        return min(shorter)
    if shorter and longer and min(shorter) == max(longer):
        return min(shorter)
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipTruth:
    """One clip and what happens in it."""

    name: str
    video: Path
    truth: Path = Path()
    """Where it is written."""
    size_px: tuple[int, int] | None
    """Width and height that boxes and polygons refer to, if the file says so."""
    zones: tuple[ZoneTruth, ...]
    things: Mapping[RuleKind, tuple[Thing, ...]]
    upkeep: tuple[UpkeepTruth, ...] = ()
    """Faults of the camera and changes of watched assets."""
    conditions: tuple[str, ...] = ()
    """Words by which results are told apart, such as ``dusk``."""
    starts_at: datetime | None = None
    """When the clip began, for schedules; ``None``: it does not matter."""
    timezone: str = "UTC"
    outages: tuple[tuple[float, float], ...] = ()
    """Times (from, to) whose pictures are withheld, as when a stream is lost and comes back."""

    def is_out(self, stream_s: float) -> bool:
        """Whether there is no picture at this time."""
        return any(start <= stream_s < end for start, end in self.outages)


def load_truths(folder: Path) -> tuple[ClipTruth, ...]:
    """Ground truth of every clip in a folder that has one; raises :class:`ConfigError`."""
    paths = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    documents = [read_document(path) for path in paths]
    truths = [_clip(doc, folder) for doc in documents if _is_truth(doc.data)]
    if not truths:
        message = "holds no ground truth: a YAML with `clip` and `zones` beside each video"
        raise ConfigError([Problem(file=str(folder), line=1, where="", message=message)])
    return tuple(truths)


def load_conditions(path: Path) -> dict[str, tuple[str, ...]]:
    """Words for clips by the clip's name, from a YAML; raises :class:`ConfigError`."""
    document = read_document(path)
    reader = TruthReader(document)
    return {str(name): reader.words((name,)) for name in reader.settings(())}


def _is_truth(data: object) -> bool:
    return isinstance(data, Mapping) and "clip" in data and "zones" in data


def _clip(document: Document, folder: Path) -> ClipTruth:
    data = document.data
    reader = TruthReader(document)
    things = {
        kind: tuple(
            _thing(reader, (name, index), from_key, to_key)
            for index, _ in enumerate(data.get(name) or ())
        )
        for kind, (name, from_key, to_key) in _LISTS.items()
    }
    zones = tuple(_zone(reader, ("zones", index)) for index, _ in enumerate(data["zones"] or ()))
    faults = tuple(_fault(reader, ("faults", i)) for i, _ in enumerate(data.get("faults") or ()))
    assets = tuple(_asset(reader, ("assets", i)) for i, _ in enumerate(data.get("assets") or ()))
    video = folder / str(data["clip"])
    if not video.is_file():
        raise ConfigError([document.problem(Finding(loc=("clip",), message="no such video"))])
    return ClipTruth(
        name=_name(document, video),
        video=video,
        truth=Path(document.file),
        size_px=_size(data.get("video")),
        zones=zones,
        things=things,
        upkeep=(*faults, *assets),
        conditions=reader.words(("conditions",)),
        starts_at=reader.moment(("starts_at",)),
        timezone=str(data.get("timezone", "UTC")),
        outages=tuple(
            (reader.number(("outages", i, 0)), reader.number(("outages", i, 1)))
            for i, _ in enumerate(data.get("outages") or ())
        ),
    )


def _name(document: Document, video: Path) -> str:
    """That of the video; several truths of one video are told apart by their own names."""
    stem = Path(document.file).stem
    return video.name if stem == video.stem else stem


def _size(video: object) -> tuple[int, int] | None:
    if not isinstance(video, Mapping) or not {"width", "height"} <= video.keys():
        return None
    return int(video["width"]), int(video["height"])


def _thing(reader: TruthReader, loc: Loc, from_key: str, to_key: str) -> Thing:
    return Thing(
        label=str(reader.at(loc).get("label", "")),
        box=reader.box((*loc, "box_xyxy")),
        from_s=reader.number((*loc, from_key), default=0.0),
        to_s=reader.number((*loc, to_key), default=float("inf")),
        in_sight_from_s=reader.number((*loc, "in_sight_from_s"), default=float("-inf")),
    )


def _zone(reader: TruthReader, loc: Loc) -> ZoneTruth:
    entry = reader.at(loc)
    return ZoneTruth(
        name=str(reader.at((*loc, "name"))),
        polygon=reader.corners((*loc, "polygon_xy")),
        kind=_kind(entry),
        expected_by_dwell_s=reader.expected(loc),
        lasting=bool(entry.get("expected_litter_present", False)),
        settings=reader.settings((*loc, "settings")),
        leaves_out=frozenset(reader.words((*loc, "leaves_out"))),
        holds_from_s=reader.number((*loc, "holds_from_s"), default=0.0),
    )


def _fault(reader: TruthReader, loc: Loc) -> UpkeepTruth:
    kind = str(reader.at((*loc, "kind")))
    if kind not in set(FaultKind):
        raise reader.wrong((*loc, "kind"), f"should be one of {', '.join(FaultKind)}")
    return UpkeepTruth(
        name="camera",
        kind=kind,
        label=FAULT_LABELS[FaultKind(kind)],
        from_s=reader.number((*loc, "from_s"), default=0.0),
        expected_by_dwell_s=reader.expected(loc),
    )


def _asset(reader: TruthReader, loc: Loc) -> UpkeepTruth:
    for key, known in (("kind", list[str](AssetKind)), ("state", list[str](AssetState))):
        if str(reader.at((*loc, key))) not in known:
            raise reader.wrong((*loc, key), f"should be one of {', '.join(known)}")
    kind = AssetKind(reader.at((*loc, "kind")))
    return UpkeepTruth(
        name=str(reader.at((*loc, "name"))),
        kind=kind.value,
        label=asset_label(AssetState(reader.at((*loc, "state"))), kind),
        box=reader.box((*loc, "box_xyxy")),
        from_s=reader.number((*loc, "from_s"), default=0.0),
        in_sight_from_s=reader.number((*loc, "in_sight_from_s"), default=float("-inf")),
        expected_by_dwell_s=reader.expected(loc),
    )


def _kind(zone: Mapping[str, Any]) -> RuleKind:
    """What a zone's rule is about: its first word if that is a kind of rule, else by its words."""
    rule = str(zone.get("rule", ""))
    if "expected_litter_present" in zone:
        return RuleKind.LITTER
    first = rule.replace(":", " ").split()[:1]
    if first and first[0].lower() in set(RuleKind):  # the text says it, whatever else it speaks of
        return RuleKind(first[0].lower())
    if first and first[0].lower() == "vehicle":
        return RuleKind.ILLEGAL_PARKING
    kinds = (kind for kind, words in _WORDS.items() if words.search(rule))  # the first one wins
    return next(kinds, RuleKind.ILLEGAL_PARKING)
