"""Runs the whole pipeline on clips with ground truth and counts what it got right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from detector.backends import Detector
from models.geometry import Box
from models.incident import Incident
from service.evaluation.cameras import Terms
from service.evaluation.matching import Case, match
from service.evaluation.report import Report
from service.evaluation.row import Row
from service.evaluation.truth import ClipTruth, UpkeepTruth, ZoneTruth, load_truths
from service.evaluation.watching import OnLook, Trial, UpkeepTrial, Watched, starts_at, watch
from zones.polygon import ZoneShape

OnClip = Callable[[ClipTruth], OnLook | None]
"""Told of each clip before it is watched; may return what wants to see its looks."""


def evaluate(
    clips: Path,
    detector: Detector,
    *,
    dwells_s: Sequence[float] = (),
    terms: Terms | None = None,
    on_clip: OnClip | None = None,
    conditions: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Report:
    """Judge every clip of a folder; without ``dwells_s`` at the dwells of its ground truth.

    ``conditions``: words for clips by name, beside those of their ground truth.
    Raises :class:`ConfigError` for a wrong ground truth, :class:`SourceError` for an unreadable
    clip and :class:`DetectorError` where the detector could not look.
    """
    rows: list[Row] = []
    for clip in load_truths(clips):
        on_look = on_clip(clip) if on_clip is not None else None
        of_clip = evaluate_clip(clip, detector, dwells_s, terms or Terms(), on_look)
        more = (*clip.conditions, *conditions.get(clip.name, ()))
        rows += [replace(row, conditions=more) for row in of_clip]
    return Report(rows=tuple(rows))


def evaluate_clip(
    clip: ClipTruth,
    detector: Detector,
    dwells_s: Sequence[float],
    terms: Terms,
    on_look: OnLook | None = None,
) -> list[Row]:
    """Rows of one clip: of its zones, then of its camera and assets; raises as :func:`evaluate`."""
    trials = [
        Trial.of(clip, zone, dwell_s, terms)
        for zone in clip.zones
        for dwell_s in _dwells(zone, dwells_s)
    ]
    upkeep = [
        UpkeepTrial.of(clip, truth, dwell_s, terms)
        for truth in clip.upkeep
        for dwell_s in _dwells(truth, dwells_s)
    ]
    watched = watch(clip, detector, trials, terms, on_look, upkeep)
    return [
        *(score(clip, trial, watched) for trial in trials),
        *(score_upkeep(clip, trial, watched) for trial in upkeep),
    ]


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
    """One row: what was said of a camera or an asset, and whether it was called by its name."""
    truth = trial.truth
    expected = truth.expected(trial.dwell_s) or 0
    matched = min(expected, len(trial.opened))
    found = trial.opened[:matched]
    began_at = starts_at(clip)
    opened_s = [(each.opened_at - began_at).total_seconds() for each in found]
    started_s = [(each.started_at - began_at).total_seconds() for each in found]
    return Row(
        clip=clip.name,
        zone=truth.name,
        dwell_s=trial.dwell_s,
        expected=expected,
        found=len(trial.opened),
        matched=matched,
        missed=expected - matched,
        false_alarms=len(trial.opened) - matched,
        delay_s=tuple(round(at_s - truth.due_from_s - trial.dwell_s, 2) for at_s in opened_s),
        start_error_s=tuple(round(at_s - truth.from_s, 2) for at_s in started_s),
        once=matched if len(trial.opened) == matched else 0,
        misnamed=sum(incident.label != truth.label for incident in found),
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
