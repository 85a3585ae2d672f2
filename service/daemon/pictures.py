"""Pictures that leave the daemon: evidence of a change, and the latest view. All are redacted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo

import structlog

from detector.evidence import (
    annotate,
    caption,
    crop,
    decode_jpeg,
    encode_jpeg,
    framed,
    outlines,
    shrunk,
)
from detector.lettering import writable
from detector.redaction import (
    VEHICLES,
    BlockRedactor,
    Redactor,
    Seen,
    hidden_regions,
    released,
    without,
)
from models.errors import DetectorError
from models.geometry import Box
from models.incident import ChangeKind, Incident, IncidentChange
from models.seeing import Image, Look, Track
from models.zone import Camera
from service.pipeline import Processed

SNAPSHOT_WIDTH_PX = 960
SNAPSHOT_QUALITY = 75
SAME_PLACE_IOU = 0.5
CLEAN_QUALITY = 92
"""Training sees what compression leaves."""
MAX_HIDDEN_RATIO = 0.3
"""A thing of which more is made unrecognisable teaches a detector only blocks."""
PART_OF_RATIO = 0.9
"""A piece of litter belongs to an incident whose box covers so much of it."""
MATTER_ID = -1
"""Number under which something that is no track any more is drawn."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Studio:
    """What one camera's pictures are made with."""

    camera: Camera
    timezone: tzinfo = UTC
    """Of the burnt-in times, which show their offset."""
    redactor: Redactor = field(default_factory=BlockRedactor)

    def redacted(self, processed: Processed) -> Image:
        """Hidden where somebody was detected, and where one is only known to be."""
        seen: tuple[Seen, ...] = (*processed.detections, *processed.look.tracks)
        return released(self.redactor, processed.frame.image, seen, self.camera.privacy)

    def caption(self, at: datetime, incident: Incident | None = None) -> str:
        """The line that is burnt into a wide picture."""
        matter = self.matter(incident) if incident else ""
        return caption(self.camera, at.astimezone(self.timezone), matter)

    def lines(self, at: datetime, incident: Incident) -> tuple[str, ...]:
        """The lines below a close-up."""
        return (caption(self.camera, at.astimezone(self.timezone)), self.matter(incident))

    def matter(self, incident: Incident) -> str:
        """Zone and rule of an incident, as far as the font has the letters."""
        names = (zone.name for zone in self.camera.zones if zone.zone_id == incident.zone_id)
        zone = writable(next(names, incident.zone_id), incident.zone_id)
        return f"{zone}: {incident.category or incident.rule_id}".replace("_", " ")


def change_pictures(
    change: IncidentChange, processed: Processed, studio: Studio
) -> Mapping[str, bytes]:
    """JPEGs by name: a wide view and a close-up when something is confirmed, a wide view after it.

    ``opened-clean`` is for training: the whole picture without drawings, heads and plates.

    A picture that cannot be made is logged and left out: the incident itself must not be lost, and
    nothing unredacted may leave.
    """
    if change.kind is ChangeKind.UPDATED:
        return {}
    try:
        return _evidence(change, processed, studio)
    except DetectorError as error:
        log.error("no evidence picture", camera=studio.camera.camera_id, reason=str(error))
        return {}


def sight_pictures(incident: Incident, processed: Processed, studio: Studio) -> tuple[bytes, bytes]:
    """A wide view and a close-up of an incident as it is now; raises :class:`DetectorError`."""
    at = processed.frame.captured_at
    concerned = [track for track in processed.look.tracks if concerns(track, incident)]
    wide = _wide(processed, studio, [track.track_id for track in concerned], incident)
    close = crop(studio.redacted(processed), _in_frame(incident, processed.frame.image))
    return encode_jpeg(wide), encode_jpeg(framed(close, studio.lines(at, incident)))


def kept_pictures(
    wide_jpeg: bytes, close_jpeg: bytes, at: datetime, incident: Incident, studio: Studio
) -> tuple[bytes, bytes]:
    """The same of pictures that were kept, redacted and undrawn, since before the confirmation."""
    image = decode_jpeg(wide_jpeg)
    shown = Track(
        track_id=MATTER_ID,
        label=incident.label,
        confidence=incident.confidence,
        box=_in_frame(incident, image),
        first_seen=at,
        last_seen=at,
    )
    height, width = image.shape[:2]
    zones = outlines(studio.camera, width, height)
    wide = annotate(
        image, [shown], zones, studio.caption(at, incident), at=at, highlighted=[MATTER_ID]
    )
    close = framed(decode_jpeg(close_jpeg), studio.lines(at, incident))
    return encode_jpeg(wide), encode_jpeg(close)


def snapshot(processed: Processed, studio: Studio) -> bytes | None:
    """The latest view as JPEG, at most 960 px wide; ``None`` if it cannot be made."""
    try:
        small = _shrunk(processed, SNAPSHOT_WIDTH_PX)
        return encode_jpeg(_wide(small, studio), SNAPSHOT_QUALITY)
    except DetectorError as error:
        log.error("no snapshot", camera=studio.camera.camera_id, reason=str(error))
        return None


def _shrunk(processed: Processed, width_px: int) -> Processed:
    """A look in a picture no wider than so many pixels, where hiding and drawing cost less."""
    frame, look = processed.frame, processed.look
    image = shrunk(frame.image, width_px)
    height, width = image.shape[:2]
    factors = width / frame.width_px, height / frame.height_px
    found = (replace(each, box=each.box.scaled(*factors)) for each in processed.detections)
    tracks = (replace(each, box=each.box.scaled(*factors)) for each in look.tracks)
    return replace(
        processed,
        frame=replace(frame, image=image),
        detections=tuple(found),
        look=replace(look, width_px=width, height_px=height, tracks=tuple(tracks)),
    )


def _evidence(change: IncidentChange, processed: Processed, studio: Studio) -> Mapping[str, bytes]:
    incident = change.incident
    if change.kind is ChangeKind.CLEARED:
        return {"cleared-wide": encode_jpeg(_wide(processed, studio, incident=incident))}
    wide, close = sight_pictures(incident, processed, studio)
    return {"opened-wide": wide, "opened-close": close, **_clean(incident, processed)}


def _clean(incident: Incident, processed: Processed) -> Mapping[str, bytes]:
    """The picture that a detector may learn from; none if what it is about had to be hidden."""
    image = processed.frame.image
    hidden = hidden_regions((*processed.detections, *processed.look.tracks))
    box = _in_frame(incident, image)
    if incident.label not in VEHICLES and any(
        box.covered_by(region) > MAX_HIDDEN_RATIO for region in hidden
    ):
        return {}
    return {"opened-clean": encode_jpeg(without(image, hidden), CLEAN_QUALITY)}


def concerns(track: Track, incident: Incident) -> bool:
    """Whether a track is the matter of an incident, or a part of it."""
    return track.box.iou(incident.box) > SAME_PLACE_IOU or (
        track.label == incident.label and track.box.covered_by(incident.box) > PART_OF_RATIO
    )


def _wide(
    processed: Processed,
    studio: Studio,
    highlighted: Sequence[int] = (),
    incident: Incident | None = None,
) -> Image:
    frame = processed.frame
    return annotate(
        studio.redacted(processed),
        [track for track in processed.look.tracks if _is_drawn(track, processed.look)],
        outlines(studio.camera, frame.width_px, frame.height_px),
        studio.caption(frame.captured_at, incident),
        at=processed.look.at,
        highlighted=highlighted,
    )


def _is_drawn(track: Track, look: Look) -> bool:
    """What is seen now or stands hidden; not the place that something moving has left."""
    return track.last_seen == look.at or track.stationary_since is not None


def _in_frame(incident: Incident, image: Image) -> Box:
    height, width = image.shape[:2]
    return incident.box.scaled(width / incident.width_px, height / incident.height_px)
