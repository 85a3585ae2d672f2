"""Upkeep of one camera: is it well, and are its watched assets as they should be.

Joins what the picture shows (``detector``) with what lasts (``zones``) and what was learnt.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from detector.assets.watch import asset_watches
from detector.camera_faults.health import CameraHealth
from detector.camera_faults.judged import Signs
from models.errors import StoreError
from models.geometry import Box
from models.incident import Incident, IncidentChange
from models.seeing import Detection, Frame
from models.upkeep import BLINDS_AT_ONCE, BLINDS_WHEN_CONFIRMED, FaultKind
from models.zone import Camera
from service.references import NOTHING, Asked, CameraReferences, Learnt
from zones.upkeep import UpkeepJudge

IN_FRONT = frozenset({"person", "car", "motorcycle", "bicycle", "bus", "truck", "van"})
"""What stands in front of things only for a while."""
UNKNOWN_SIZE_PX = (1920, 1080)
"""Of the picture of a camera that has never given one."""
SAVE_INTERVAL = timedelta(minutes=10)
"""References that were only refreshed are saved this often; newly learnt ones at once."""
_STATE_KEYS = frozenset({"rules", "upkeep"})

log = structlog.get_logger(__name__)


class Upkeep:
    """Faults and assets of one camera. One owner at a time, frames in order.

    ``state`` is the text of :meth:`state` from before a restart (an unusable one raises
    :class:`ValueError`); ``references`` is where learnt views are kept, ``None``: nowhere.
    """

    def __init__(
        self,
        camera: Camera,
        state: str | None = None,
        references: CameraReferences | None = None,
    ) -> None:
        self._camera = camera
        self._references = references
        learnt = _load(references, camera.camera_id)
        self._health = CameraHealth(learnt.views) if camera.faults is not None else None
        rules = camera.faults.rules if camera.faults is not None else ()
        self._looked_for = {FaultKind(rule.rule_id) for rule in rules}
        self._assets = asset_watches(camera, learnt.assets)
        self._judge = UpkeepJudge(camera, state)
        self._in_front: tuple[Box, ...] = ()
        self._size_px = camera.resolution or UNKNOWN_SIZE_PX
        self._is_blind = False
        self._saved_version = 0
        self._saved_at: datetime | None = None

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Incidents that are open."""
        return self._judge.incidents

    @property
    def faults(self) -> frozenset[FaultKind]:
        """Confirmed faults of the camera."""
        return self._judge.faults

    @property
    def is_blind(self) -> bool:
        """At the last look the rules could not look, for the camera is not well."""
        return self._is_blind

    def look_at_camera(self, frame: Frame) -> tuple[IncidentChange, ...]:
        """Look for faults in a frame, before anything else is made of it."""
        self._heed_requests()
        self._size_px = (frame.width_px, frame.height_px)
        if self._health is None:
            return self._judge.look_at_camera(frame.captured_at, {}, self._size_px)
        seen = self._health.look(frame.image, frame.captured_at, self._in_front)
        # What nobody asked for must not suspend the rules either.
        signs = {kind: sign for kind, sign in seen.items() if kind in self._looked_for}
        told = {**signs, FaultKind.OFFLINE: False}
        changes = self._judge.look_at_camera(frame.captured_at, told, self._size_px)
        self._is_blind = _blinds(signs, self._judge.faults)
        return changes

    def look_at_assets(
        self, frame: Frame, detections: Sequence[Detection]
    ) -> tuple[IncidentChange, ...]:
        """Look at the watched assets, where the camera is well."""
        self._in_front = tuple(item.box for item in detections if item.label in IN_FRONT)
        views = [
            asset.look(frame.image, frame.captured_at, self._camera.resolution, self._in_front)
            for asset in self._assets
        ]
        changes = self._judge.look_at_assets(frame.captured_at, views, self._size_px)
        self._save_if_due(frame.captured_at)
        return changes

    def no_frame(self, at: datetime, *, is_offline: bool) -> tuple[IncidentChange, ...]:
        """Note that there is no new frame at this time; the camera may be offline."""
        if self._health is None:
            return ()
        signs: Signs = {FaultKind.OFFLINE: True if is_offline else None}
        return self._judge.look_at_camera(at, signs, self._size_px)

    def save(self) -> None:
        """Keep what was learnt; a disk that refuses is reported, and tried again later."""
        if self._references is None:
            return
        learnt = Learnt(
            views=self._health.references if self._health is not None else {},
            assets={asset.zone.zone_id: asset.samples for asset in self._assets},
        )
        try:
            self._references.save(learnt)
        except StoreError as error:
            log.error("cannot keep what was learnt", reason=str(error))

    def state(self) -> str:
        """What must outlive a restart, as text; empty if there is nothing."""
        return self._judge.state() if self._judge.knows_anything else ""

    def _heed_requests(self) -> None:
        if self._references is None:
            return
        try:
            asked = self._references.take_asked()
        except StoreError as error:
            log.error("cannot take a request", reason=str(error))
            return
        if asked != Asked():
            self._heed(asked)

    def _heed(self, asked: Asked) -> None:
        camera_id = self._camera.camera_id
        if asked.accept_view and self._health is not None:
            self._health.accept_view()
            log.info("new view accepted", camera=camera_id)
        for asset in self._assets:
            if asked.relearn_all or asset.zone.zone_id in asked.relearn:
                asset.forget()
                log.info("asset is learnt anew", camera=camera_id, asset=asset.zone.zone_id)

    def _save_if_due(self, at: datetime) -> None:
        health_version = self._health.version if self._health is not None else 0
        version = health_version + sum(asset.version for asset in self._assets)
        is_time = self._saved_at is None or abs(at - self._saved_at) >= SAVE_INTERVAL
        if version != self._saved_version or is_time:
            self._saved_version, self._saved_at = version, at
            self.save()


def _blinds(signs: Signs, confirmed: frozenset[FaultKind]) -> bool:
    now = {kind for kind, seen in signs.items() if seen}
    return bool(BLINDS_AT_ONCE & now) or bool(BLINDS_WHEN_CONFIRMED & confirmed)


def _load(references: CameraReferences | None, camera_id: str) -> Learnt:
    if references is None:
        return NOTHING
    try:
        return references.load()
    except StoreError as error:
        log.error("what was learnt is lost, learning anew", camera=camera_id, reason=str(error))
        return NOTHING


def join_states(rules: str, upkeep: str) -> str:
    """The state of a camera's rules and that of its upkeep as one text."""
    if not upkeep:
        return rules
    return json.dumps({"rules": rules, "upkeep": upkeep}, separators=(",", ":"), ensure_ascii=False)


def split_states(state: str | None) -> tuple[str | None, str | None]:
    """Undo :func:`join_states`; what an earlier version wrote is the state of the rules alone."""
    if state is None:
        return None, None
    document = json.loads(state)
    if isinstance(document, dict) and document.keys() >= _STATE_KEYS:
        parts = document["rules"], document["upkeep"]
        if all(isinstance(part, str) for part in parts):
            return parts
        raise ValueError("not the state of a camera")
    return state, None
