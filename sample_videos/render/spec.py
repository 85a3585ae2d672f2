"""The YAML of a scene, as values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from sample_videos.render.timeline import Key

Colour = tuple[float, float, float]
Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraSpec:
    """A camera: where it hangs (metres), where it looks, and its lens."""

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    lens_mm: float
    turns_s: float = float("inf")
    """From this time on it looks at ``turned_target``: somebody has pushed it."""
    turned_target: tuple[float, float, float] | None = None

    def at(self, t_s: float) -> CameraSpec:
        """The camera as it looks at a time."""
        if self.turned_target is None or t_s < self.turns_s:
            return replace(self, turns_s=float("inf"), turned_target=None)
        return CameraSpec(position=self.position, target=self.turned_target, lens_mm=self.lens_mm)


@dataclass(frozen=True, kw_only=True, slots=True)
class LightSpec:
    """Sun, sky and lamps."""

    sun_elevation_deg: float
    sun_azimuth_deg: float
    sun_strength: float
    sky_strength: float
    lamps_w: float = 0.0
    """Power of each street lamp; 0: they are off, and so are headlights and windows."""
    exposure: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PotholeSpec:
    """A hole in the carriageway that is there from ``from_s``."""

    name: str
    at: Point
    size_m: tuple[float, float]
    from_s: float
    depth_m: float = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class StreetSpec:
    """The street and what stands beside it."""

    seed: int
    road_width_m: float = 8.4
    near_pavement_m: float = 4.5
    far_pavement_m: float = 4.0
    yellow_near: bool = True
    yellow_far: bool = False
    trees_x: tuple[float, ...] = ()
    near_trees_x: tuple[float, ...] = ()
    lamps_x: tuple[float, ...] = ()
    zebra_x: float | None = None
    """Middle of a zebra crossing, with stop lines before it."""
    extent_m: tuple[float, float] = (-45.0, 110.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class ActorSpec:
    """Something that moves, or that somebody puts down."""

    name: str
    kind: str
    """``saloon``, ``hatchback``, ``van``, ``bus``, ``person``, ``bag``, ``carton``, ``bin`` or
    ``signal``."""
    label: str
    colour: Colour
    path: tuple[Key, ...]
    heading_rad: float = 0.0
    carried_by: str = ""
    hand: str = "left"
    taken_up_s: float = 0.0
    """Before it is not to be seen: it is in a van, or in a pocket."""
    put_down_s: float = 0.0
    bend: tuple[tuple[float, float], ...] = ()
    """Periods (from, to) during which a person stoops."""
    leaves: bool = False
    """After the last key it is gone, rather than standing there."""
    size_m: float = 0.6
    seed: int = 0
    lights_until_s: float = float("inf")
    """At dusk a driver who has parked turns the lights off."""
    topples_s: float = float("inf")
    """When a bin falls over."""
    green: tuple[tuple[float, float], ...] = ()
    """Periods (from, to) during which a signal is green; else it is red."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ZoneSpec:
    """A zone of the ground truth, and the dwells for which events are derived."""

    name: str
    ground_m: tuple[Point, ...]
    """Corners on the road, in metres."""
    rule: str
    dwells_s: tuple[int, ...]
    note: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Keys of a zone and, under ``rule``, of its rule as in a city.yaml."""
    leaves_out: tuple[str, ...] = ()
    """Names of actors that the zone's rule must not report."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AssetSpec:
    """A watched asset of the ground truth: an actor that something happens to."""

    actor: str
    kind: str
    state: str
    dwells_s: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultSpec:
    """A fault of the camera of the ground truth; ``moved`` begins when the camera turns."""

    kind: str
    report_after_s: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneSpec:
    """All of one clip."""

    clip: str
    shows: str
    duration_s: float
    fps: int
    camera: CameraSpec
    light: LightSpec
    street: StreetSpec
    actors: tuple[ActorSpec, ...]
    zones: tuple[ZoneSpec, ...]
    potholes: tuple[PotholeSpec, ...] = ()
    assets: tuple[AssetSpec, ...] = ()
    faults: tuple[FaultSpec, ...] = ()
    conditions: tuple[str, ...] = ()
    """Words by which results are told apart, such as ``dusk`` or ``occlusion``."""
    width_px: int = 960
    height_px: int = 540
    plate_samples: int = 64
    crop_samples: int = 16
    noise_sigma: float = 0.8
    crf: int = 30

    @property
    def frames(self) -> int:
        """How many frames the clip has."""
        return round(self.duration_s * self.fps)


def load_scene(path: Path) -> SceneSpec:
    """Read a scene's YAML; a missing or unknown key raises ``TypeError`` or ``KeyError``."""
    raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    parsed: dict[str, Any] = {
        "camera": CameraSpec(**_tuples(raw.pop("camera"))),
        "light": LightSpec(**raw.pop("light")),
        "street": StreetSpec(**_tuples(raw.pop("street"))),
        "actors": tuple(_actor(entry) for entry in raw.pop("actors")),
        "zones": tuple(_zone(entry) for entry in raw.pop("zones", ())),
        "assets": tuple(AssetSpec(**_tuples(entry)) for entry in raw.pop("assets", ())),
        "faults": tuple(FaultSpec(**_tuples(entry)) for entry in raw.pop("faults", ())),
        "conditions": tuple(raw.pop("conditions", ())),
        "potholes": tuple(PotholeSpec(**_tuples(entry)) for entry in raw.pop("potholes", ())),
    }
    return SceneSpec(**raw, **parsed)


def _actor(entry: Mapping[str, Any]) -> ActorSpec:
    values = _tuples(entry)
    keys = tuple(Key(t_s=t, x_m=x, y_m=y) for t, x, y in values.pop("path"))
    heading_rad = math.radians(values.pop("heading_deg", 0.0))
    return ActorSpec(path=keys, heading_rad=heading_rad, **values)


def _zone(entry: Mapping[str, Any]) -> ZoneSpec:
    values = dict(entry)
    return ZoneSpec(settings=values.pop("settings", {}), **_tuples(values))


def _tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _tuple(value) for key, value in entry.items()}


def _tuple(value: object) -> object:
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
