"""Runs the whole pipeline on clips with ground truth and counts what it got right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from detector.backends import Detector
from detector.readers import REPLAY_START
from models.geometry import Box
from models.incident import Incident
from models.seeing import Frame, Look
from service.evaluation.matching import Case, match
from service.evaluation.report import Report, Row
from service.evaluation.truth import ClipTruth, ZoneTruth, load_truths
from service.evaluation.watching import Terms, Trial, watch
from zones.polygon import ZoneShape

OnClip = Callable[[ClipTruth], Callable[[Frame, Look], None] | None]
"""Told of each clip before it is watched; may return what wants to see its looks."""


def evaluate(
    clips: Path,
    detector: Detector,
    *,
    dwells_s: Sequence[float] = (),
    terms: Terms | None = None,
    on_clip: OnClip | None = None,
) -> Report:
    """Judge every clip of a folder; without ``dwells_s`` at the dwells of its ground truth.

    Raises :class:`ConfigError` for a wrong ground truth, :class:`SourceError` for an unreadable
    clip and :class:`DetectorError` where the detector could not look.
    """
    rows: list[Row] = []
    for clip in load_truths(clips):
        on_look = on_clip(clip) if on_clip is not None else None
        judged = terms or Terms()
        trials = [
            Trial.of(clip, zone, dwell_s, judged)
            for zone in clip.zones
            for dwell_s in _dwells(zone, dwells_s)
        ]
        watch(clip, detector, trials, judged, on_look)
        rows.extend(score(clip, trial) for trial in trials)
    return Report(rows=tuple(rows))


def score(clip: ClipTruth, trial: Trial) -> Row:
    """One row: what a trial found against what was expected of it."""
    zone = trial.zone
    case = Case(
        incidents=[(incident, _as_in_truth(incident, clip)) for incident in trial.opened],
        starts_at=REPLAY_START,
        dwell_s=trial.dwell_s,
        expected=zone.expected(trial.dwell_s) or 0,
    )
    size_px = clip.size_px or trial.size_px
    result = match(clip, zone, ZoneShape.of(trial.camera.zones[0], None, *size_px), case)
    return Row(
        clip=clip.name,
        zone=zone.name,
        dwell_s=trial.dwell_s,
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


def _as_in_truth(incident: Incident, clip: ClipTruth) -> Box:
    if clip.size_px is None:
        return incident.box
    width_px, height_px = clip.size_px
    return incident.box.scaled(width_px / incident.width_px, height_px / incident.height_px)
