"""From the validated form of the file to the values that the program works with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.cadence import PROMPT_S, shortest_interval_s
from models.calendar import Calendar
from models.city import City, DispatchTarget, ModelChoice, ModelFacts, RecordingChoice, SingleSignOn
from models.parking import ZoneKind
from models.urgency import PriorityStep
from models.zone import (
    Camera,
    CloserLook,
    DamagedFacilityRule,
    DecodeMode,
    Department,
    LitteringRule,
    Location,
    Priority,
    Rule,
    Schedule,
    Stage,
    Zone,
)
from service.config import polygons
from service.config.convert_evidence import to_policy, to_privacy, to_retention
from service.config.convert_litter import to_litter_rule
from service.config.convert_parking import AnyRule, Usual, to_parking_rule, usual_of
from service.config.convert_routing import to_routing
from service.config.convert_schedule import to_calendar, to_schedule
from service.config.convert_upkeep import to_asset, to_faults
from service.config.forms import CameraForm, CityFile, ModelForm, ZoneForm
from service.config.grounds import to_ground
from service.config.rule_forms import (
    IllegalParkingForm,
    LitterForm,
    LitteringForm,
    PriorityWhenForm,
    ScheduleForm,
)
from service.config.sources import resolve_source
from service.config.vocabulary import DEFAULT_CLOSER_LOOK, usual_labels

MIN_GRACE_S = {
    "illegal_parking": 5.0,
    "litter": 15.0,
    "littering": 15.0,
    "damaged_facility": 15.0,
}
"""By kind of rule: detectors miss litter and damage for longer than vehicles."""
MIN_CLEAR_AFTER_S = 30.0
GRACE_LOOKS = 3.0
CLEAR_AFTER_LOOKS = 4.0
"""Where the file says nothing, so many look intervals must pass too: a single look that misses
decides nothing, even if looks come as late as may be (:func:`zones.clock.longest_gap`)."""

USUAL_FLOOR = 0.2
FLOOR_RATIO = 0.8
"""Of a threshold: from there on, a box is followed until it is sure enough or gone."""
LEAST_FLOOR = 0.05
"""Nothing is followed below it, whatever a threshold says: everything looks a little like it."""
AUTO_SLICES = 12
"""What ``slices: true`` costs at most, in inferences a look."""

_MODEL_SUFFIXES = frozenset({".pt", ".onnx", ".xml", ".engine"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What a file means depends on where it lies and on the environment."""

    folder: Path
    environ: Mapping[str, str] | None
    """Fills the placeholders of sources; None: sources stay as they are written."""


def to_city(form: CityFile, surroundings: Surroundings, facts: ModelFacts | None = None) -> City:
    """The city of a form in which every check has passed; rules are fitted to the model."""
    zone = form.city.timezone
    model = to_model(form.model, surroundings.folder)
    thresholds = {**(facts.thresholds if facts else {}), **model.thresholds}
    calendars = {name: to_calendar(given) for name, given in form.calendars.items()}
    schedules = {
        name: to_schedule(given, zone, calendars) for name, given in form.schedules.items()
    }
    context = _Context(surroundings, schedules, calendars, zone, facts, thresholds)
    policy = to_policy(form.evidence)
    cameras = tuple(replace(_camera(each, context), evidence=policy) for each in form.cameras)
    if form.model.min_confidence is None:
        model = replace(model, min_confidence=_lowest_confidence(cameras))
    return City(
        name=form.city.name,
        name_zh=form.city.name_zh,
        timezone=zone,
        cameras=cameras,
        departments=tuple(
            Department(department_id=given.id, name=given.name, name_zh=given.name_zh)
            for given in form.departments
        ),
        routing=to_routing(form.routing, lambda choice: _schedule_of(choice, context)),
        model=model,
        dispatch=DispatchTarget(url=form.dispatch.url, api_key_env=form.dispatch.api_key_env),
        retention=to_retention(form.evidence),
        recording=RecordingChoice(**form.recording.model_dump()),
        single_sign_on=None if form.oidc is None else SingleSignOn(**form.oidc.model_dump()),
        traces_to=None if form.tracing is None else form.tracing.endpoint,
    )


@dataclass(frozen=True, slots=True)
class _Context:
    surroundings: Surroundings
    schedules: Mapping[str, Schedule]
    calendars: Mapping[str, Calendar]
    timezone: str
    facts: ModelFacts | None
    thresholds: Mapping[str, float]


def to_model(form: ModelForm, folder: Path) -> ModelChoice:
    """The model that a file chooses; its path is relative to the file's folder."""
    weights = form.weights
    if "://" not in weights and _looks_like_path(weights, folder):
        weights = str((folder / weights).resolve())
    return ModelChoice(
        weights=weights,
        backend=form.backend,
        device=form.device,
        image_size_px=form.image_size,
        min_confidence=USUAL_FLOOR if form.min_confidence is None else form.min_confidence,
        class_map=dict(form.class_map),
        thresholds=dict(form.thresholds),
    )


def _lowest_confidence(cameras: Sequence[Camera]) -> float:
    """So low that a rule's candidates can waver below its threshold and still be followed."""
    rules = [rule for camera in cameras for zone in camera.zones for rule in zone.rules]
    needed = [FLOOR_RATIO * rule.threshold(label) for rule in rules for label in rule.labels]
    return min([USUAL_FLOOR, *(floor for floor in needed if floor >= LEAST_FLOOR)])


def _looks_like_path(weights: str, folder: Path) -> bool:
    has_form = "/" in weights or "\\" in weights or Path(weights).suffix in _MODEL_SUFFIXES
    return has_form or (folder / weights).is_dir()


def _camera(form: CameraForm, context: _Context) -> Camera:
    if form.look_interval is not None:
        return _camera_at(form, form.look_interval, context)
    usual = _camera_at(form, PROMPT_S, context)
    interval_s = shortest_interval_s(usual.zones, usual.assets, usual.faults)
    return usual if interval_s == PROMPT_S else _camera_at(form, interval_s, context)


def _camera_at(form: CameraForm, look_interval_s: float, context: _Context) -> Camera:
    surroundings = context.surroundings
    return Camera(
        camera_id=form.id,
        name=form.name or form.id,
        source=resolve_source(form.source, surroundings.folder, surroundings.environ),
        legal_basis=form.legal_basis,
        zones=tuple(_zone(zone, look_interval_s, context) for zone in form.zones),
        resolution=(form.resolution[0], form.resolution[1]) if form.resolution else None,
        look_interval_s=look_interval_s,
        redetect_every_s=form.redetect_every,
        decode=DecodeMode(form.decode),
        rtsp_transport=form.rtsp_transport,
        paced=form.paced,
        loop=form.loop,
        closer_looks=form.closer_looks,
        faults=to_faults(form.faults, look_interval_s),
        assets=tuple(to_asset(asset) for asset in form.assets),
        location=Location(**form.location.model_dump()),
        ground=to_ground(form.ground, form.resolution),
        privacy=to_privacy(form.privacy),
    )


def _zone(form: ZoneForm, look_interval_s: float, context: _Context) -> Zone:
    points = polygons.read_points(form.polygon)
    if points is None:
        raise TypeError("a validated polygon is a list of points")
    return Zone(
        zone_id=form.id,
        name=form.name or form.id,
        polygon=points,
        in_pixels=(form.units or polygons.guess_units(points)) == "pixels",
        stage=Stage(form.stage),
        place_id=form.place or "",
        kind=None if form.kind is None else ZoneKind(form.kind),
        rules=tuple(_rule(rule, form, look_interval_s, context) for rule in form.rules),
        slices=AUTO_SLICES if form.slices is True else int(form.slices),
    )


def _rule(
    form: AnyRule,
    zone: ZoneForm,
    look_interval_s: float,
    context: _Context,
) -> Rule:
    shared = _shared(form, usual_of(form, zone), look_interval_s, context)
    if isinstance(form, IllegalParkingForm):
        return to_parking_rule(form, zone, shared)
    if isinstance(form, LitterForm):
        return to_litter_rule(form, shared)
    if isinstance(form, LitteringForm):
        return LitteringRule(**shared)
    return DamagedFacilityRule(**shared)


def _shared(
    form: AnyRule,
    usual_here: Usual,
    look_interval_s: float,
    context: _Context,
) -> dict[str, Any]:
    usual = usual_labels(form.kind, context.facts, allow_experimental=form.allow_experimental)
    labels = frozenset(form.labels or usual) - usual_here.exempt
    thresholds = context.thresholds if form.min_confidence is None else {}
    usual_grace_s = max(MIN_GRACE_S[form.kind], GRACE_LOOKS * look_interval_s)
    usual_clear_s = max(MIN_CLEAR_AFTER_S, CLEAR_AFTER_LOOKS * look_interval_s)
    return {
        "rule_id": form.id or form.kind,
        "labels": labels,
        "dwell_s": usual_here.dwell_s if form.dwell is None else form.dwell,
        "grace_s": usual_grace_s if form.grace is None else form.grace,
        "clear_after_s": usual_clear_s if form.clear_after is None else form.clear_after,
        "min_confidence": form.min_confidence,
        "thresholds": {label: thresholds[label] for label in labels & thresholds.keys()},
        "closer_look": CloserLook(form.closer_look or DEFAULT_CLOSER_LOOK[form.kind]),
        "min_seen_ratio": form.min_seen_ratio,
        "schedule": _schedule_of(form.schedule, context),
        "category": usual_here.category,
        "department_id": form.department,
        "priority": Priority(form.priority or usual_here.priority),
        "priority_when": tuple(_priority_step(each, context) for each in form.priority_when),
    }


def _priority_step(form: PriorityWhenForm, context: _Context) -> PriorityStep:
    return PriorityStep(
        priority=Priority(form.priority),
        schedule=None if form.schedule is None else _schedule_of(form.schedule, context),
        least_width_m=form.width,
        least_count=form.count,
    )


def _schedule_of(choice: str | ScheduleForm | None, context: _Context) -> Schedule:
    if choice is None:
        return Schedule(timezone=context.timezone)
    if isinstance(choice, str):
        return context.schedules[choice]
    return to_schedule(choice, context.timezone, context.calendars)
