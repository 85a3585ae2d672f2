"""Faults of a camera and changes of watched assets, judged over time: one incident for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.geometry import Box
from models.incident import ChangeKind, Incident, IncidentChange
from models.upkeep import (
    FAULT_LABELS,
    WATCHED_ASSET,
    WHOLE_PICTURE,
    AssetState,
    AssetView,
    FaultKind,
    asset_label,
    upkeep_zones,
)
from models.zone import Camera, Rule, Zone
from zones.incidents import REPORT_EVERY_S, Site, cleared, incident_id
from zones.persistence import Limits, Spell, Turn, advance, limits_of
from zones.upkeep_state import Memory, decode, encode

Key = tuple[str, str]
"""Zone and rule."""
MAJORITY_RATIO = 0.5
"""So many of the looks must agree on what has happened to an asset; else it is ``changed``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sign:
    """What one look says to one rule."""

    seen: bool | None
    """``None``: it could not tell."""
    label: str
    confidence: float = 1.0


@dataclass(kw_only=True, slots=True)
class _Post:
    zone: Zone
    rule: Rule
    limits: Limits
    memory: Memory


class UpkeepJudge:
    """Judges the signs of faults and the views of assets that one camera's looks give.

    ``state`` is the text of :meth:`state` from before a restart; :class:`ValueError` if it is
    unusable. What was open for a rule that is no longer there is cleared at the first look.
    """

    def __init__(self, camera: Camera, state: str | None = None) -> None:
        known = {} if state is None else {item.key: item for item in decode(state)}
        self._camera = camera
        self._labels = {
            asset.asset_id: asset_label(AssetState.CHANGED, asset.kind) for asset in camera.assets
        }
        self._kinds = {asset.asset_id: asset.kind for asset in camera.assets}
        self._posts: dict[Key, _Post] = {}
        for zone in upkeep_zones(camera):
            for rule in zone.rules:
                key = (zone.zone_id, rule.rule_id)
                memory = known.pop(key, None) or Memory(zone_id=key[0], rule_id=key[1])
                limits = limits_of(rule, camera.look_interval_s)
                self._posts[key] = _Post(zone=zone, rule=rule, limits=limits, memory=memory)
        self._orphans = tuple(known.values())

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Incidents that are open."""
        memories = (*(post.memory for post in self._posts.values()), *self._orphans)
        return tuple(memory.incident for memory in memories if memory.incident is not None)

    @property
    def faults(self) -> frozenset[FaultKind]:
        """Faults of the camera that are confirmed and not cleared."""
        return frozenset(
            FaultKind(rule_id)
            for (zone_id, rule_id), post in self._posts.items()
            if zone_id == WHOLE_PICTURE and post.memory.incident is not None
        )

    def look_at_camera(
        self, at: datetime, signs: Mapping[FaultKind, bool | None], size_px: tuple[int, int]
    ) -> tuple[IncidentChange, ...]:
        """Judge the signs of faults at one look; kinds that are not named stay as they are."""
        told = {
            (WHOLE_PICTURE, kind.value): _Sign(seen=seen, label=FAULT_LABELS[kind])
            for kind, seen in signs.items()
        }
        return self._judge(at, told, size_px)

    def look_at_assets(
        self, at: datetime, views: Sequence[AssetView], size_px: tuple[int, int]
    ) -> tuple[IncidentChange, ...]:
        """Judge the views of assets at one look."""
        told = {
            (view.asset_id, WATCHED_ASSET): _Sign(
                seen=view.differs,
                label=asset_label(view.state, self._kinds[view.asset_id]),
                confidence=min(1.0, max(0.0, 1.0 - view.likeness)),
            )
            for view in views
            if view.asset_id in self._kinds
        }
        return self._judge(at, told, size_px)

    @property
    def knows_anything(self) -> bool:
        """Whether there is anything that must outlive a restart."""
        memories = (*(post.memory for post in self._posts.values()), *self._orphans)
        return any(memory.spell != Spell() for memory in memories)

    def state(self) -> str:
        """All that must outlive a restart, as compact JSON text."""
        return encode([*(post.memory for post in self._posts.values()), *self._orphans])

    def _judge(
        self, at: datetime, told: Mapping[Key, _Sign], size_px: tuple[int, int]
    ) -> tuple[IncidentChange, ...]:
        orphaned = [item.incident for item in self._orphans if item.incident is not None]
        changes = [cleared(incident, at) for incident in orphaned]
        self._orphans = ()
        for key, sign in told.items():
            post = self._posts.get(key)
            if post is not None:
                post.memory, change = self._judge_one(post, at, sign, size_px)
                changes += [] if change is None else [change]
        return tuple(changes)

    def _judge_one(
        self, post: _Post, at: datetime, sign: _Sign, size_px: tuple[int, int]
    ) -> tuple[Memory, IncidentChange | None]:
        before = post.memory
        spell, turn = advance(before.spell, at, sign.seen, post.limits)
        votes = _votes(before, spell, sign)
        memory = replace(before, spell=spell, votes=votes)
        if turn is Turn.CONFIRMED:
            incident = self._opened(post, memory, at, sign, size_px)
            opened = replace(memory, incident=incident, reported_s=incident.observed_s)
            return opened, IncidentChange(kind=ChangeKind.OPENED, at=at, incident=incident)
        if turn is Turn.CLEARED and before.incident is not None:
            ended = Memory(zone_id=before.zone_id, rule_id=before.rule_id, spell=spell)
            return ended, cleared(before.incident, at)
        if before.incident is not None and sign.seen:
            return _refreshed(memory, before.incident, at)
        return memory, None

    def _opened(
        self, post: _Post, memory: Memory, at: datetime, sign: _Sign, size_px: tuple[int, int]
    ) -> Incident:
        spell, rule = memory.spell, post.rule
        started_at = spell.since or at
        corners = post.zone.corners_px(self._camera.resolution, *size_px)
        box = _bounds(corners).clipped(*size_px)
        site = Site(camera_id=self._camera.camera_id, zone_id=post.zone.zone_id)
        return Incident(
            incident_id=incident_id(site, rule, started_at, box, ()),
            camera_id=site.camera_id,
            zone_id=site.zone_id,
            rule_id=rule.rule_id,
            kind=rule.kind,
            category=rule.category,
            label=_agreed(memory.votes, self._labels.get(site.zone_id, sign.label)),
            box=box,
            width_px=size_px[0],
            height_px=size_px[1],
            confidence=sign.confidence,
            started_at=started_at,
            opened_at=at,
            last_seen_at=at,
            observed_s=spell.present.total_seconds(),
        )


def _votes(before: Memory, spell: Spell, sign: _Sign) -> Mapping[str, int]:
    if spell.since is None:
        return {}
    if not sign.seen or before.incident is not None:
        return before.votes
    return {**before.votes, sign.label: before.votes.get(sign.label, 0) + 1}


def _agreed(votes: Mapping[str, int], otherwise: str) -> str:
    """What most looks say, if that is more than half of them."""
    label, count = Counter(votes).most_common(1)[0]
    return label if count > MAJORITY_RATIO * sum(votes.values()) else otherwise


def _refreshed(
    memory: Memory, before: Incident, at: datetime
) -> tuple[Memory, IncidentChange | None]:
    observed_s = memory.spell.present.total_seconds()
    incident = replace(before, last_seen_at=at, observed_s=observed_s)
    if observed_s - memory.reported_s < REPORT_EVERY_S:
        return replace(memory, incident=incident), None
    change = IncidentChange(kind=ChangeKind.UPDATED, at=at, incident=incident)
    return replace(memory, incident=incident, reported_s=observed_s), change


def _bounds(corners: Sequence[tuple[float, float]]) -> Box:
    xs, ys = zip(*corners, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))
