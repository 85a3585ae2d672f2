"""Runs the whole pipeline on clips with ground truth and counts what it got right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from detector.backends import Detector
from detector.readers import REPLAY_START
from models.geometry import Box
from models.incident import ChangeKind, Incident
from models.seeing import Frame, Look
from models.zone import Zone
from service.evaluation.matching import Case, match
from service.evaluation.report import Report, Row
from service.evaluation.truth import ClipTruth, ZoneTruth, load_truths
from service.evaluation.watching import Recording, camera_for, watch
from zones.polygon import ZoneShape
from zones.replay import replay

OnClip = Callable[[ClipTruth], Callable[[Frame, Look], None] | None]
"""Told of each clip before it is watched; may return what wants to see its looks."""


def evaluate(
    clips: Path,
    detector: Detector,
    *,
    dwells_s: Sequence[float] = (),
    look_interval_s: float = 1.0,
    on_clip: OnClip | None = None,
) -> Report:
    """Judge every clip of a folder; without ``dwells_s`` at the thresholds of its ground truth.

    Raises :class:`ConfigError` for a wrong ground truth, :class:`SourceError` for an unreadable
    clip and :class:`DetectorError` where the detector could not look.
    """
    rows: list[Row] = []
    for clip in load_truths(clips):
        on_look = on_clip(clip) if on_clip is not None else None
        longest_s = max(
            (dwell for zone in clip.zones for dwell in _dwells(zone, dwells_s)), default=0
        )
        recording = watch(
            clip,
            detector,
            look_interval_s=look_interval_s,
            longest_dwell_s=longest_s,
            on_look=on_look,
        )
        for zone in clip.zones:
            rows.extend(
                judge(clip, zone, recording, dwell_s, look_interval_s)
                for dwell_s in _dwells(zone, dwells_s)
            )
    return Report(rows=tuple(rows))


def judge(
    clip: ClipTruth, zone: ZoneTruth, recording: Recording, dwell_s: float, look_interval_s: float
) -> Row:
    """One row: the zone's rule at one threshold on the recorded looks."""
    camera = camera_for(clip, zone, dwell_s, look_interval_s)
    looks = recording.for_zone(zone)
    incidents = [
        change.incident for change in replay(camera, looks) if change.kind is ChangeKind.OPENED
    ]
    case = Case(
        incidents=[(incident, _as_in_truth(incident, clip)) for incident in incidents],
        starts_at=REPLAY_START,
        dwell_s=dwell_s,
        expected=zone.expected(dwell_s) or 0,
    )
    result = match(clip, zone, _shape(camera.zones[0], clip, looks), case)
    return Row(
        clip=clip.name,
        zone=zone.name,
        dwell_s=dwell_s,
        expected=result.expected,
        found=result.found,
        matched=result.matched,
        missed=result.missed,
        false_alarms=result.false_alarms,
        delay_s=result.delays_s,
    )


def _dwells(zone: ZoneTruth, wanted_s: Sequence[float]) -> list[float]:
    """Thresholds to judge a zone at: those for which its ground truth says what to expect."""
    dwells = sorted(set(wanted_s)) or sorted(zone.expected_by_dwell_s)
    return [dwell for dwell in dwells if zone.expected(dwell) is not None]


def _shape(zone: Zone, clip: ClipTruth, looks: Sequence[Look]) -> ZoneShape:
    if clip.size_px is not None:
        size = clip.size_px
    else:
        size = (looks[0].width_px, looks[0].height_px) if looks else (1, 1)
    return ZoneShape.of(zone, None, *size)


def _as_in_truth(incident: Incident, clip: ClipTruth) -> Box:
    if clip.size_px is None:
        return incident.box
    width_px, height_px = clip.size_px
    return incident.box.scaled(width_px / incident.width_px, height_px / incident.height_px)
