"""An order of several cameras, one of which is dead: whether the others' sight is enough. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.decisions.closure import VERIFIED_BY_SIGHT
from service.store.records import CameraReport, Sighting, WorkOrder

DEAD_AFTER = timedelta(hours=1)
"""A camera that has shown nothing for so long is not waited for: a switch is restarted in minutes,
and an order is to be cleared the same day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WithoutThem:
    """An order that may be cleared without the cameras that cannot tell."""

    cleared_at: datetime
    """When the last of the living cameras saw the place free."""
    dead: tuple[Sighting, ...]


def cleared_without(
    order: WorkOrder, cameras: Mapping[str, CameraReport], now: datetime
) -> WithoutThem | None:
    """Whether an order may be cleared though some of its cameras have not seen the place free.

    All of these must have been dead for :data:`DEAD_AFTER`, and another one must have seen the
    place free after any of them last saw the thing there: what was seen longest is still there.
    """
    if order.cleared_at is not None or order.status not in VERIFIED_BY_SIGHT:
        return None
    free = [seen.cleared_at for seen in order.sightings if seen.cleared_at is not None]
    dead = tuple(seen for seen in order.sightings if seen.cleared_at is None)
    if not free or not dead or not all(_is_dead(seen, cameras, now) for seen in dead):
        return None
    cleared_at = max(free)
    if any(seen.last_seen_at > cleared_at for seen in dead):
        return None
    return WithoutThem(cleared_at=cleared_at, dead=dead)


def last_sign_of(seen: Sighting, cameras: Mapping[str, CameraReport]) -> datetime:
    """When the camera of a sighting last showed anything."""
    report = cameras.get(seen.report.camera_id)
    if report is None or report.last_frame_at is None:
        return seen.last_seen_at
    return max(seen.last_seen_at, report.last_frame_at)


def note_without(dead: Sequence[Sighting], cameras: Mapping[str, CameraReport]) -> str:
    """What the history says of the cameras that were not waited for."""
    names = ", ".join(seen.report.camera_name for seen in dead)
    since = max(last_sign_of(seen, cameras) for seen in dead).isoformat(timespec="seconds")
    return (
        f"cleared by the other cameras: {names} has shown nothing since {since} · "
        f"由其余摄像机确认已清除:{names} 自该时间起离线"
    )


def _is_dead(seen: Sighting, cameras: Mapping[str, CameraReport], now: datetime) -> bool:
    return now - last_sign_of(seen, cameras) >= DEAD_AFTER
