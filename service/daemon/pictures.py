"""Pictures that leave the daemon: evidence of a change, and the latest view. Heads are redacted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo

import cv2
import structlog

from detector.evidence import (
    VEHICLES,
    annotate,
    caption,
    crop,
    encode_jpeg,
    hidden_regions,
    outlines,
    redact,
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

log = structlog.get_logger(__name__)


def change_pictures(
    change: IncidentChange, processed: Processed, camera: Camera, timezone: tzinfo = UTC
) -> Mapping[str, bytes]:
    """JPEGs by name: a wide view and a close-up when something is confirmed, a wide view after it.

    ``opened-clean`` is for training: the whole picture without drawings, heads and plates.

    The burnt-in time is that of ``timezone``, with its offset.
    A picture that cannot be made is logged and left out: the incident itself must not be lost, and
    nothing unredacted may leave.
    """
    if change.kind is ChangeKind.UPDATED:
        return {}
    try:
        return _evidence(change, processed, camera, timezone)
    except DetectorError as error:
        log.error("no evidence picture", camera=camera.camera_id, reason=str(error))
        return {}


def snapshot(processed: Processed, camera: Camera, timezone: tzinfo = UTC) -> bytes | None:
    """The latest view as JPEG, at most 960 px wide; ``None`` if it cannot be made."""
    try:
        picture = _wide(processed, camera, timezone)
        return encode_jpeg(_shrunk(picture, SNAPSHOT_WIDTH_PX), SNAPSHOT_QUALITY)
    except DetectorError as error:
        log.error("no snapshot", camera=camera.camera_id, reason=str(error))
        return None


def _evidence(
    change: IncidentChange, processed: Processed, camera: Camera, timezone: tzinfo
) -> Mapping[str, bytes]:
    incident = change.incident
    if change.kind is ChangeKind.CLEARED:
        return {"cleared-wide": encode_jpeg(_wide(processed, camera, timezone))}
    concerned = [track for track in processed.look.tracks if concerns(track, incident)]
    wide = _wide(processed, camera, timezone, [track.track_id for track in concerned])
    close = crop(_redacted(processed), _in_frame(incident, processed.frame.image))
    shown = {"opened-wide": encode_jpeg(wide), "opened-close": encode_jpeg(close)}
    return shown | _clean(incident, processed)


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
    processed: Processed, camera: Camera, timezone: tzinfo, highlighted: Sequence[int] = ()
) -> Image:
    frame = processed.frame
    return annotate(
        _redacted(processed),
        [track for track in processed.look.tracks if _is_drawn(track, processed.look)],
        outlines(camera, frame.width_px, frame.height_px),
        caption(camera, frame.captured_at.astimezone(timezone)),
        at=processed.look.at,
        highlighted=highlighted,
    )


def _is_drawn(track: Track, look: Look) -> bool:
    """What is seen now or stands hidden; not the place that something moving has left."""
    return track.last_seen == look.at or track.stationary_since is not None


def _redacted(processed: Processed) -> Image:
    """Without heads, where a person was detected and where one is only known to be."""
    return redact(processed.frame.image, (*processed.detections, *processed.look.tracks))


def _in_frame(incident: Incident, image: Image) -> Box:
    height, width = image.shape[:2]
    return incident.box.scaled(width / incident.width_px, height / incident.height_px)


def _shrunk(picture: Image, width_px: int) -> Image:
    height, width = picture.shape[:2]
    if width <= width_px:
        return picture
    size = (width_px, round(height * width_px / width))
    small: Image = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return small
