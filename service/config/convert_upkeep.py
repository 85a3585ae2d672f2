"""From the forms of camera faults and watched assets to the values the program works with."""

from __future__ import annotations

from models.geometry import Points
from models.upkeep import (
    WATCHED_ASSET,
    Asset,
    AssetKind,
    CameraFaultRule,
    FaultKind,
    FaultSettings,
    WatchedAssetRule,
)
from models.zone import Priority
from service.config import polygons
from service.config.upkeep_forms import AssetForm, FaultsForm

CAMERA_FAULT = "camera_fault"
"""Category of camera faults."""
CLEAR_AFTER_LOOKS = 4.0
GRACE_LOOKS = 3.0
FAULT_GRACE_S = 5.0
MIN_SEEN_RATIO = 0.8
"""Share of the watched time since a fault or change began in which it must have been seen."""


def to_faults(form: FaultsForm, look_interval_s: float) -> FaultSettings | None:
    """What is looked for; ``None``: nothing."""
    kinds = [kind for kind in FaultKind if kind.value in form.look_for]
    if not kinds:
        return None
    return FaultSettings(rules=tuple(_fault(kind, form, look_interval_s) for kind in kinds))


def _fault(kind: FaultKind, form: FaultsForm, look_interval_s: float) -> CameraFaultRule:
    # One look that differs proves that a picture is not frozen.
    is_frozen = kind is FaultKind.FROZEN
    return CameraFaultRule(
        rule_id=kind.value,
        labels=frozenset({kind.value}),
        dwell_s=float(getattr(form.report_after, kind.value)),
        grace_s=0.0 if is_frozen else max(FAULT_GRACE_S, GRACE_LOOKS * look_interval_s),
        clear_after_s=max(form.clear_after, CLEAR_AFTER_LOOKS * look_interval_s),
        min_seen_ratio=MIN_SEEN_RATIO,
        category=CAMERA_FAULT,
        department_id=form.department,
        priority=Priority(form.priority),
    )


def to_asset(form: AssetForm) -> Asset:
    """One watched asset."""
    points = outline(form)
    return Asset(
        asset_id=form.id,
        name=form.name or form.id,
        kind=AssetKind(form.kind),
        polygon=points,
        in_pixels=(form.units or polygons.guess_units(points)) == "pixels",
        rule=WatchedAssetRule(
            rule_id=WATCHED_ASSET,
            labels=frozenset({form.kind}),
            dwell_s=form.dwell,
            grace_s=form.grace,
            clear_after_s=form.clear_after,
            min_seen_ratio=MIN_SEEN_RATIO,
            category=form.category,
            department_id=form.department,
            priority=Priority(form.priority),
        ),
    )


def outline(form: AssetForm) -> Points:
    """The corners of a box, or of the polygon."""
    if form.box is not None:
        left, top, right, bottom = form.box
        return ((left, top), (right, top), (right, bottom), (left, bottom))
    return polygons.read_points(form.polygon) or ()
