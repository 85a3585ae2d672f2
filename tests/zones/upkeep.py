"""Builders for faults of a camera and for watched assets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from models.incident import IncidentChange
from models.upkeep import (
    Asset,
    AssetKind,
    AssetState,
    AssetView,
    CameraFaultRule,
    FaultKind,
    FaultSettings,
    WatchedAssetRule,
)
from models.zone import Camera
from tests.zones.looks import after, camera
from zones.upkeep import UpkeepJudge

SIZE_PX = (1000, 500)
ALL_FAULTS = FaultSettings(
    rules=tuple(
        CameraFaultRule(
            rule_id=kind.value,
            labels=frozenset({kind.value}),
            dwell_s=10,
            grace_s=3,
            clear_after_s=5,
            min_seen_ratio=0.8,
            category="camera_fault",
        )
        for kind in FaultKind
    )
)
BENCH = Asset(
    asset_id="bench",
    name="Bench",
    kind=AssetKind.BENCH,
    polygon=((0.1, 0.2), (0.3, 0.2), (0.3, 0.6), (0.1, 0.6)),
    in_pixels=False,
    rule=WatchedAssetRule(
        rule_id="watched_asset",
        labels=frozenset({"bench"}),
        dwell_s=20,
        grace_s=5,
        clear_after_s=8,
        min_seen_ratio=0.8,
        category="damaged_facility",
    ),
)


def watched() -> Camera:
    """A camera whose faults are looked for and whose bench is watched."""
    return replace(camera(), faults=ALL_FAULTS, assets=(BENCH,))


LETTERS = {
    "=": AssetState.ALIKE,
    "x": AssetState.MISSING,
    "m": AssetState.MOVED,
    "t": AssetState.TOPPLED,
    "o": AssetState.UNKNOWN,
}
"""``=`` alike, ``x`` missing, ``m`` moved, ``t`` toppled, ``o`` occluded."""


def bench_views(letters: str) -> list[AssetView]:
    """One view of the bench a letter."""
    return [
        AssetView(
            asset_id="bench",
            state=LETTERS[letter],
            likeness=0.9 if letter == "=" else 0.0,
            occluded=letter == "o",
        )
        for letter in letters
    ]


def judged(judge: UpkeepJudge, letters: str, from_s: int = 0) -> list[IncidentChange]:
    """One look a second; ``.`` is no look at all."""
    return [
        change
        for second, letter in enumerate(letters, start=from_s)
        if letter != "."
        for change in judge.look_at_assets(after(second), bench_views(letter), SIZE_PX)
    ]


def told(changes: Iterable[IncidentChange]) -> list[tuple[str, str]]:
    """What happened to what, without mere updates."""
    return [(c.kind.value, c.incident.label) for c in changes if c.kind.value != "updated"]
