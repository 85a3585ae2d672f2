"""Pictures of what may become an incident, kept since it came to a stand; bounded in memory.

When an incident is confirmed its beginning is minutes ago. So each thing that stands in a zone has
a picture taken when it came to a stand, redacted at once and kept as JPEG; and each open incident
one of when it was last seen, for when it is gone. Where originals are allowed, that of the first
sight is encrypted at once too; it is forgotten with the thing if that never becomes an incident.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from detector.evidence import crop, encode_jpeg, shrunk
from models.errors import DetectorError
from models.geometry import Box
from models.incident import Incident
from models.seeing import Look, Track
from models.zone import Camera
from service.daemon.originals import sealed_original
from service.daemon.pictures import Studio, concerns
from service.pipeline import Processed
from zones.polygon import ZoneShape

WIDE_PX = 1280
QUALITY = 82
MAX_BYTES = 8_000_000
"""Some fifty wide pictures of 1280 px; when they are full, new ones are left out."""
MAX_SEALED_BYTES = 16_000_000
"""Some thirty originals of 1920 px; when they are full, new ones are left out."""
LARGEST_FRAME_PX = 1920 * 1088
"""Of larger frames the one before is not held: it alone would take more than all the rest."""
LATEST_EVERY = timedelta(seconds=10)
EARLY_LOOKS = 3.0
"""A picture may be so many look intervals older than what the rule took for the beginning."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """Two redacted pictures of one thing at one time, with nothing drawn on them."""

    at: datetime
    wide_jpeg: bytes
    """Shared by everything that was kept of the same look."""
    close_jpeg: bytes
    sealed: bytes | None = None
    """The unblurred wide picture, encrypted, shared too. ``None``: not allowed, or no room."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Standing:
    since: datetime
    sight: Sight | None
    """``None``: it was full, or the picture could not be made."""


class SightMemory:
    """First and latest sights of one camera's things; used by the camera's owner only."""

    def __init__(self, studio: Studio, max_bytes: int = MAX_BYTES) -> None:
        self._studio = studio
        self._camera: Camera = studio.camera
        self._max_bytes = max_bytes
        self._standing: dict[int, _Standing] = {}
        self._latest: dict[str, Sight] = {}
        self._previous: Processed | None = None
        self._zones: tuple[tuple[ZoneShape, frozenset[str]], ...] = ()
        self._size_px = (0, 0)
        self.left_out = 0
        """Pictures that were not kept, for want of room or because redaction failed."""

    @property
    def size_bytes(self) -> int:
        """Bytes of the pictures that are kept."""
        sights = tuple(self._sights())
        wide = {id(sight.wide_jpeg): len(sight.wide_jpeg) for sight in sights}
        return sum(wide.values()) + sum(len(sight.close_jpeg) for sight in sights)

    @property
    def sealed_bytes(self) -> int:
        """Bytes of the encrypted originals that are kept."""
        sealed = {id(s.sealed): len(s.sealed) for s in self._sights() if s.sealed is not None}
        return sum(sealed.values())

    def note(self, processed: Processed, incidents: Collection[Incident]) -> None:
        """Keep what is new of a look; forget what is gone."""
        look = processed.look
        self._fit(look)
        self._forget(look, incidents)
        wide: dict[int, bytes] = {}
        sealed: dict[int, bytes | None] = {}
        for track in look.tracks:
            if self._came_to_a_stand(track, look):
                source = self._source(track, processed)
                sight = self._sealed(self._keep(source, track.box, wide), source, sealed)
                since = track.stationary_since or look.at
                self._standing[track.track_id] = _Standing(since=since, sight=sight)
        for incident in incidents:
            if self._is_due(incident, look):
                sight = self._keep(processed, incident.box, wide)
                if sight is not None:
                    self._latest[incident.incident_id] = sight
        small = look.width_px * look.height_px <= LARGEST_FRAME_PX
        self._previous = processed if small else None

    def first(self, incident: Incident, look: Look) -> Sight | None:
        """The picture of an incident's beginning; ``None`` where none is older than this look."""
        interval = timedelta(seconds=EARLY_LOOKS * self._camera.look_interval_s)
        own = (
            kept.sight
            for track in look.tracks
            if concerns(track, incident) and (kept := self._standing.get(track.track_id))
        )
        fitting = [
            sight
            for sight in own
            if sight is not None and incident.started_at - interval <= sight.at < look.at
        ]
        return min(fitting, key=lambda sight: sight.at, default=None)

    def last(self, incident_id: str) -> Sight | None:
        """The latest picture in which an incident was seen, of every ten seconds."""
        return self._latest.get(incident_id)

    def _sights(self) -> Iterator[Sight]:
        yield from self._latest.values()
        yield from (kept.sight for kept in self._standing.values() if kept.sight is not None)

    def _fit(self, look: Look) -> None:
        size = (look.width_px, look.height_px)
        if size != self._size_px:
            self._size_px = size
            self._zones = tuple(
                (
                    ZoneShape.of(zone, self._camera.resolution, *size),
                    frozenset().union(*(rule.labels for rule in zone.rules)),
                )
                for zone in self._camera.zones
            )

    def _forget(self, look: Look, incidents: Collection[Incident]) -> None:
        standing = {t.track_id: t for t in look.tracks if t.stationary_since is not None}
        self._standing = {
            track_id: kept
            for track_id, kept in self._standing.items()
            if track_id in standing and standing[track_id].stationary_since == kept.since
        }
        open_ids = {incident.incident_id for incident in incidents}
        self._latest = {key: sight for key, sight in self._latest.items() if key in open_ids}

    def _came_to_a_stand(self, track: Track, look: Look) -> bool:
        return (
            track.stationary_since is not None
            and track.last_seen == look.at
            and track.track_id not in self._standing
            and any(
                track.label in labels and shape.holds(track.anchor) for shape, labels in self._zones
            )
        )

    def _source(self, track: Track, processed: Processed) -> Processed:
        """That it stands is known one look later: the look before has its beginning."""
        before, since = self._previous, track.stationary_since
        if before is None or since is None or before.look.at < since:
            return processed
        same_size = before.frame.image.shape == processed.frame.image.shape
        return before if same_size else processed

    def _is_due(self, incident: Incident, look: Look) -> bool:
        if incident.last_seen_at != look.at:
            return False
        kept = self._latest.get(incident.incident_id)
        return kept is None or look.at - kept.at >= LATEST_EVERY

    def _sealed(
        self, sight: Sight | None, source: Processed, known: dict[int, bytes | None]
    ) -> Sight | None:
        """The sight with its original, if that is allowed and there is room."""
        if sight is None or not self._camera.privacy.original_recipient:
            return sight
        number = source.frame.sequence
        if number not in known:
            has_room = self.sealed_bytes < MAX_SEALED_BYTES
            known[number] = sealed_original(source, self._studio) if has_room else None
        return replace(sight, sealed=known[number])

    def _keep(self, processed: Processed, box: Box, wide: dict[int, bytes]) -> Sight | None:
        if self.size_bytes >= self._max_bytes:
            self.left_out += 1
            return None
        try:
            image = self._studio.redacted(processed)
            number = processed.frame.sequence
            if number not in wide:
                wide[number] = encode_jpeg(shrunk(image, WIDE_PX), QUALITY)
            close = encode_jpeg(crop(image, box), QUALITY)
        except DetectorError as error:
            self.left_out += 1
            log.error("no picture kept", camera=self._camera.camera_id, reason=str(error))
            return None
        at = processed.frame.captured_at
        return Sight(at=at, wide_jpeg=wide[number], close_jpeg=close)


def seen_now(incidents: Iterable[Incident], look: Look) -> Iterator[Incident]:
    """Incidents of which the thing was seen at this look."""
    return (incident for incident in incidents if incident.last_seen_at == look.at)
