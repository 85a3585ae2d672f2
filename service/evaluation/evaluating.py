"""Runs the whole pipeline on clips with ground truth and counts what it got right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from detector.backends import Detector
from models.geometry import Box
from models.incident import Incident
from models.seeing import Frame, Look
from service.evaluation.cameras import Terms
from service.evaluation.matching import Case, match
from service.evaluation.report import Report, Row
from service.evaluation.truth import ClipTruth, UpkeepTruth, ZoneTruth, load_truths
from service.evaluation.watching import Trial, UpkeepTrial, Watched, starts_at, watch
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
        upkeep = [
            UpkeepTrial.of(clip, truth, dwell_s, judged)
            for truth in clip.upkeep
            for dwell_s in _dwells(truth, dwells_s)
        ]
        watched = watch(clip, detector, trials, judged, on_look, upkeep)
        rows.extend(score(clip, trial, watched) for trial in trials)
        rows.extend(score_upkeep(clip, trial, watched) for trial in upkeep)
    return Report(rows=tuple(rows))


def score(clip: ClipTruth, trial: Trial, watched: Watched) -> Row:
    """One row: what a trial found against what was expected of it."""
    zone = trial.zone
    case = Case(
        incidents=[(incident, _as_in_truth(incident, clip)) for incident in trial.opened],
        starts_at=starts_at(clip),
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
        start_error_s=result.start_errors_s,
        once=result.once,
        kind=zone.kind.value,
        watched_s=watched.seconds,
        conditions=clip.conditions,
    )


def score_upkeep(clip: ClipTruth, trial: UpkeepTrial, watched: Watched) -> Row:
    """One row: what was said of a camera or an asset; what is called by another name is false."""
    truth = trial.truth
    expected = truth.expected(trial.dwell_s) or 0
    right = [incident for incident in trial.opened if incident.label == truth.label]
    matched = min(expected, len(right))
    began_at = starts_at(clip)
    opened_s = [(each.opened_at - began_at).total_seconds() for each in right[:matched]]
    started_s = [(each.started_at - began_at).total_seconds() for each in right[:matched]]
    return Row(
        clip=clip.name,
        zone=truth.name,
        dwell_s=trial.dwell_s,
        expected=expected,
        found=len(trial.opened),
        matched=matched,
        missed=expected - matched,
        false_alarms=len(trial.opened) - matched,
        delay_s=tuple(round(at_s - truth.from_s - trial.dwell_s, 2) for at_s in opened_s),
        start_error_s=tuple(round(at_s - truth.from_s, 2) for at_s in started_s),
        once=matched if len(trial.opened) == matched else 0,
        kind="camera_fault" if truth.box is None else "watched_asset",
        watched_s=watched.seconds,
        conditions=clip.conditions,
    )


def _dwells(zone: ZoneTruth | UpkeepTruth, wanted_s: Sequence[float]) -> list[float]:
    """Thresholds to judge a zone at: those for which its ground truth says what to expect."""
    dwells = sorted(set(wanted_s)) or sorted(zone.expected_by_dwell_s)
    return [dwell for dwell in dwells if zone.expected(dwell) is not None]


def _as_in_truth(incident: Incident, clip: ClipTruth) -> Box:
    if clip.size_px is None:
        return incident.box
    width_px, height_px = clip.size_px
    return incident.box.scaled(width_px / incident.width_px, height_px / incident.height_px)
