"""Is the camera well, and are the things it was told to watch as they should be.

What is seen of cameras and of watched assets at one look, and the rules that judge it over time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.geometry import Points
from models.zone import Camera, Rule, RuleKind, Zone

WHOLE_PICTURE = "_camera"
"""Zone of the faults of a camera itself; no zone of a configuration can have this id."""
WATCHED_ASSET = "watched_asset"
"""Id of the rule by which a watched asset is judged."""


class FaultKind(StrEnum):
    """What can be wrong with a camera."""

    MOVED = "moved"
    """It looks somewhere else than it did when its zones were drawn."""
    COVERED = "covered"
    SPRAYED = "sprayed"
    """A part of the view is smeared; the rest is as ever."""
    DEFOCUSED = "defocused"
    BLACK = "black"
    OVEREXPOSED = "overexposed"
    FROZEN = "frozen"
    """The same picture again and again, though perhaps with a clock that ticks."""
    OFFLINE = "offline"


FAULT_LABELS: dict[FaultKind, str] = {
    FaultKind.MOVED: "moved_view",
    FaultKind.COVERED: "covered_camera",
    FaultKind.SPRAYED: "sprayed_camera",
    FaultKind.DEFOCUSED: "defocused_camera",
    FaultKind.BLACK: "black_picture",
    FaultKind.OVEREXPOSED: "overexposed_picture",
    FaultKind.FROZEN: "frozen_picture",
    FaultKind.OFFLINE: "offline_camera",
}
"""What work orders call them."""

BLINDS_AT_ONCE = frozenset(
    {FaultKind.MOVED, FaultKind.COVERED, FaultKind.BLACK, FaultKind.OVEREXPOSED}
)
"""A look with such a sign is no look: it counts neither for presence nor for absence."""
BLINDS_WHEN_CONFIRMED = frozenset({FaultKind.FROZEN, FaultKind.DEFOCUSED})
"""These are only certain after a while; until then the rules go on."""


class AssetKind(StrEnum):
    """What an operator may ask to be watched."""

    BENCH = "bench"
    SIGN = "sign"
    LAMP = "lamp"
    MANHOLE_COVER = "manhole_cover"
    RAIL = "rail"
    BIN = "bin"
    OTHER = "other"


class AssetState(StrEnum):
    """How a watched asset looks, compared with what was learnt of it."""

    ALIKE = "alike"
    MISSING = "missing"
    """Its place looks like its surroundings."""
    MOVED = "moved"
    """It is found nearby."""
    TOPPLED = "toppled"
    """It is found turned."""
    DEFACED = "defaced"
    """Its outline is there, what is inside is not."""
    CHANGED = "changed"
    """It differs, nobody can say how."""
    UNKNOWN = "unknown"
    """Could not look: hidden, too dark, or not learnt yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AssetView:
    """One watched asset at one look."""

    asset_id: str
    state: AssetState
    likeness: float = 0.0
    """How much its place looks as learnt: about 0 for anything else, 1 for the very same."""
    occluded: bool = False
    """Somebody or something stands in front of it; then the state is unknown."""

    @property
    def differs(self) -> bool | None:
        """Whether it is not as it should be; ``None`` if nobody could look."""
        if self.state is AssetState.UNKNOWN:
            return None
        return self.state is not AssetState.ALIKE


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraFaultRule(Rule):
    """A fault that lasts for ``dwell_s``; one incident for each kind of fault."""

    @property
    def kind(self) -> RuleKind:
        """Always ``camera_fault``."""
        return RuleKind.CAMERA_FAULT


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchedAssetRule(Rule):
    """A watched asset that differs for ``dwell_s`` while it can be seen; one incident for each."""

    @property
    def kind(self) -> RuleKind:
        """Always ``damaged_facility``."""
        return RuleKind.DAMAGED_FACILITY


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultSettings:
    """Which faults of a camera are looked for, and what is done about them."""

    rules: tuple[CameraFaultRule, ...]
    """One for each kind of fault; the rule's id is that kind."""

    def rule(self, kind: FaultKind) -> CameraFaultRule | None:
        """The rule of a kind, or ``None`` if that is not looked for."""
        return next((rule for rule in self.rules if rule.rule_id == kind.value), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """A thing that is watched: how it looks is learnt, and a change of it reported."""

    asset_id: str
    """Unique among the assets and zones of its camera."""
    name: str
    kind: AssetKind
    polygon: Points
    """Its outline in the picture."""
    in_pixels: bool
    rule: WatchedAssetRule

    def zone(self) -> Zone:
        """Its place as a zone with its rule."""
        return Zone(
            zone_id=self.asset_id,
            name=self.name,
            polygon=self.polygon,
            in_pixels=self.in_pixels,
            rules=(self.rule,),
        )


def asset_label(state: AssetState, kind: AssetKind) -> str:
    """What work orders call it, such as ``missing_bench``."""
    return f"{state.value}_{'asset' if kind is AssetKind.OTHER else kind.value}"


def upkeep_zones(camera: Camera) -> tuple[Zone, ...]:
    """Places of the camera's own faults and of its watched assets, as zones with rules."""
    assets = tuple(asset.zone() for asset in camera.assets)
    if camera.faults is None:
        return assets
    whole = Zone(
        zone_id=WHOLE_PICTURE,
        name="camera",
        polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
        in_pixels=False,
        rules=camera.faults.rules,
    )
    return (whole, *assets)
